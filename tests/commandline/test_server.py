"""``mooring serve`` starts, stops and refuses in words a person can act on."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest
from tests.commandline.conftest import Command
from tests.journeys.server import ADMIN_PASSWORD, Server, running


def test_the_password_of_the_first_administrator_is_told_once(tmp_path: Path) -> None:
    made = Server(tmp_path / "other", settings={"MOORING_ADMIN_USERNAME": "skipper"}, password=None).start()
    try:
        assert made.said[0] == "administrator: skipper"
        password = made.said[1].split()[1]
        account = {"username": "skipper", "password": password}
        assert made.ask("POST", "/api/auth/login", json=account).status_code == 200
        assert made.stop() == 0
        made.start()
        assert made.said == [f"ready: {made.url}"]
        assert password not in made.log
        assert made.ask("POST", "/api/auth/login", json=account).status_code == 200
    finally:
        made.kill()


def test_it_ends_cleanly_when_asked_to(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        assert server.said == [f"ready: {server.url}"], "a password that was given is not told again"
        device = server.admin().device()
        with device.socket() as wire:
            assert wire.ask({"seq": 1, "sensor_readings": {"n": 1}})["status"] == "stored"
            assert server.stop() == 0
        assert server.log == ""
        left = {path.name for path in server.folder.iterdir()}
        assert "control.sock" not in left
        assert "readings.duckdb.wal" not in left, "the log was folded in"
        server.start()
        assert device.values("n") == [1]


def test_a_port_that_is_taken_is_named_with_its_setting(mooring: Command, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = mooring("serve", "--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert said.status == 1
    assert said.err.splitlines() == [
        f"error: port {port} on 127.0.0.1 is taken",
        "hint: choose another with --port or MOORING_PORT",
    ]


def test_an_address_that_is_not_ours_is_refused(mooring: Command, tmp_path: Path) -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        said = mooring("serve", "--host", host, "--port", "0", "--data-dir", str(tmp_path / "data"))
        assert said.status == 1
        assert said.err.startswith("error: port 0 on ")


def test_a_second_server_on_the_same_folder_is_refused(mooring: Command, server: Server) -> None:
    said = mooring("serve", "--port", "0", "--data-dir", str(server.folder))
    assert said.status == 1
    assert f"data folder is in use by another mooring: {server.folder} (process {server.pid})" in said.err
    assert "hint: " in said.err
    assert server.ask("GET", "/readyz").status_code == 200


def test_a_store_that_does_not_exist_is_not_passed_over_in_silence(
    mooring: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://localhost/robots")
    said = mooring("serve", "--port", "0", "--data-dir", str(tmp_path / "data"))
    assert said.status == 1
    assert "error: MONGODB_URI is set" in said.err
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_a_file_is_refused(mooring: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    for words in (["serve", "--port", "0"], ["user", "list"], ["migrate"]):
        said = mooring(*words, "--data-dir", str(tmp_path / "data"))
        assert said.status == 1, words
        assert said.err.startswith("error: "), words
        assert "Traceback" not in said.err


def test_a_newer_store_is_refused_in_clear_words(mooring: Command, tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        assert server.stop() == 0
    with duckdb.connect(str(tmp_path / "data" / "readings.duckdb")) as readings:
        readings.execute("UPDATE store SET version = 999")
    said = mooring("serve", "--port", "0", "--data-dir", str(tmp_path / "data"))
    assert said.status == 1
    assert "newer" in said.err
    with sqlite3.connect(tmp_path / "data" / "mooring.sqlite3") as people:
        people.execute("UPDATE schema_version SET version_num = '9999_from_the_future'")
    people.close()
    for words in (["serve", "--port", "0"], ["migrate"], ["user", "list"]):
        said = mooring(*words, "--data-dir", str(tmp_path / "data"))
        assert said.status == 1, words
        assert "newer" in said.err, words
        assert "Traceback" not in said.err


def test_files_that_are_no_database_are_refused(mooring: Command, tmp_path: Path) -> None:
    for name in ("mooring.sqlite3", "readings.duckdb"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_bytes(b"this is not a database, but somebody's letter " * 200)
        said = mooring("serve", "--port", "0", "--data-dir", str(folder))
        assert said.status == 1, name
        assert said.err.startswith(("error: ", "CRITICAL", "ERROR")), said.err
        assert "error: " in said.err
        assert "Traceback" not in said.err
        assert (folder / name).read_bytes().startswith(b"this is not a database")


def test_the_address_is_shown_as_it_can_be_visited(tmp_path: Path) -> None:
    with running(tmp_path / "data", settings={"MOORING_HOST": "0.0.0.0"}) as server:
        assert urlsplit(server.url).hostname in ("0.0.0.0", "127.0.0.1")
        assert server.ask("GET", "/healthz").status_code == 200
    if socket.has_ipv6:
        with running(tmp_path / "six", settings={"MOORING_HOST": "::1"}) as server:
            assert server.url.startswith("http://[::1]:")
            assert server.ask("GET", "/healthz").status_code == 200


def test_settings_reach_the_server(tmp_path: Path) -> None:
    settings = {
        "MOORING_REGISTRATION_OPEN": "false",
        "MOORING_MAX_BODY_BYTES": "2048",
        "MOORING_ALLOWED_ORIGINS": "https://console.example",
    }
    with running(tmp_path / "data", settings=settings) as server:
        account = {"username": "someone", "email": "s@example.org", "password": ADMIN_PASSWORD}
        assert server.ask("POST", "/api/auth/register", json=account).status_code == 403
        device = server.admin().device()
        assert device.post_raw(b" " * 3000).status_code == 413
        good = {**device.headers, "Origin": "https://console.example"}
        assert server.ask("POST", device.path, json={"sensor_readings": {"n": 1}}, headers=good).status_code == 201
