"""``mooring user`` and ``mooring key``: the same with a server running and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.commandline.conftest import Command
from tests.journeys.server import Server

PASSWORD = "a long enough password"


def log_in(server: Server, username: str, password: str) -> httpx.Response:
    return server.ask("POST", "/api/auth/login", json={"username": username, "password": password})


def key_of(out: str) -> tuple[str, str]:
    lines = dict(line.split(": ", 1) for line in out.strip().splitlines())
    return lines["key"], lines["id"]


@pytest.mark.parametrize("served", [True, False], ids=["with a server", "without"])
def test_people_and_keys_are_kept(
    mooring: Command, tmp_path: Path, request: pytest.FixtureRequest, served: bool
) -> None:
    folder = request.getfixturevalue("server").folder if served else tmp_path / "alone"
    here = ("--data-dir", str(folder))
    said = mooring("user", "add", "anna", "--password", PASSWORD, "--email", "anna@example.org", "--quota", "3", *here)
    assert (said.status, said.out) == (0, "added: anna (user)\n")
    listed = mooring("user", "list", *here).out
    assert "anna@example.org" in listed
    assert " 3 " in listed
    assert PASSWORD not in listed
    made = mooring("key", "create", "anna", "--name", "bench", *here)
    key, key_id = key_of(made.out)
    assert key.startswith("mk_")
    listed = mooring("key", "list", "anna", *here).out
    assert key_id in listed
    assert "bench" in listed
    assert key not in listed
    assert mooring("key", "revoke", key_id, *here).out == "revoked: bench\n"
    assert key_id not in mooring("key", "list", "anna", *here).out
    assert mooring("user", "disable", "anna", *here).out == "disabled: anna\n"
    assert mooring("user", "enable", "anna@example.org", *here).status == 0
    assert mooring("user", "passwd", "anna", "--password", PASSWORD + "!", *here).out == "password changed: anna\n"


def test_what_is_done_here_holds_on_the_server_at_once(mooring: Command, server: Server) -> None:
    here = ("--data-dir", str(server.folder))
    assert mooring("user", "add", "bert", "--password", PASSWORD, *here).status == 0
    opened = log_in(server, "bert", PASSWORD)
    assert opened.status_code == 200
    bearer = {"Authorization": f"Bearer {opened.json()['access_token']}"}
    key, key_id = key_of(mooring("key", "create", "bert", "--scope", "data:read", *here).out)
    with_key = {"X-API-Key": key}
    assert server.ask("GET", "/api/latest", headers=with_key).status_code == 200
    assert server.ask("POST", "/api/devices", json={"name": "x"}, headers=with_key).status_code == 403
    mooring("key", "revoke", key_id, *here)
    assert server.ask("GET", "/api/latest", headers=with_key).status_code == 401
    mooring("user", "disable", "bert", *here)
    assert server.ask("GET", "/api/latest", headers=bearer).status_code == 401
    assert log_in(server, "bert", PASSWORD).status_code == 401
    mooring("user", "enable", "bert", *here)
    assert log_in(server, "bert", PASSWORD).status_code == 200
    mooring("user", "passwd", "bert", "--password", "another long password", *here)
    assert log_in(server, "bert", PASSWORD).status_code == 401
    assert log_in(server, "bert", "another long password").status_code == 200


def test_an_administrator_can_be_made(mooring: Command, server: Server) -> None:
    here = ("--data-dir", str(server.folder))
    assert (
        mooring("user", "add", "chief", "--password", PASSWORD, "--role", "admin", *here).out
        == "added: chief (admin)\n"
    )
    assert log_in(server, "chief", PASSWORD).json()["user"]["role"] == "admin"


@pytest.mark.parametrize("served", [True, False], ids=["with a server", "without"])
@pytest.mark.parametrize(
    "words",
    [
        ["user", "add", "x", "--password", PASSWORD],
        ["user", "add", "dora", "--password", "short"],
        ["user", "add", "dora", "--password", PASSWORD, "--role", "captain"],
        ["user", "add", "dora", "--password", PASSWORD, "--email", "nowhere"],
        ["user", "passwd", "nobody", "--password", PASSWORD],
        ["user", "disable", "nobody"],
        ["key", "create", "nobody"],
        ["key", "list", "nobody"],
        ["key", "revoke", "nothing"],
        ["key", "create", "admin", "--scope", "everything"],
        ["key", "create", "admin", "--expires", "someday"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    mooring: Command, tmp_path: Path, request: pytest.FixtureRequest, words: list[str], served: bool
) -> None:
    folder = request.getfixturevalue("server").folder if served else tmp_path / "alone"
    said = mooring(*words, "--data-dir", str(folder))
    assert said.status == 1, said.out
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    assert PASSWORD not in said.err


def test_a_name_can_be_had_once(mooring: Command, tmp_path: Path) -> None:
    here = ("--data-dir", str(tmp_path / "alone"))
    assert mooring("user", "add", "Emil", "--password", PASSWORD, *here).status == 0
    again = mooring("user", "add", "emil", "--password", PASSWORD, *here)
    assert again.status == 1
    assert "error: " in again.err


def test_the_last_way_in_is_not_closed_without_a_word(mooring: Command, server: Server) -> None:
    said = mooring("user", "list", "--data-dir", str(server.folder))
    assert "admin" in said.out


def test_orders_nobody_knows_are_refused(server: Server) -> None:
    import json
    import socket

    def told(line: bytes) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(10)
            door.connect(str(server.folder / "control.sock"))
            door.sendall(line)
            got = b""
            while not got.endswith(b"\n"):
                part = door.recv(65_536)
                if not part:
                    break
                got += part
        return dict(json.loads(got)) if got else {}

    assert "error" in told(b'{"operation":"user.destroy"}\n')
    assert "error" in told(b'{"operation":"user.add","arguments":{"name":1}}\n')
    assert "error" in told(b"nonsense\n")
    assert "error" in told(b'{"operation":"user.list","arguments":{"x":1}}\n')
    assert told(b"x" * 200_000 + b"\n") == {}
    assert "result" in told(b'{"operation":"user.list"}\n')
