"""``mooring doctor`` and ``mooring migrate``."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.commandline.conftest import Command
from tests.journeys.server import Server


def marks(out: str) -> dict[str, str]:
    """Return each subject with its mark."""
    return {line[5:].split(":")[0]: line[:4].strip() for line in out.splitlines()}


def test_a_fresh_machine_is_well(mooring: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MOORING_PORT", str(probe.getsockname()[1]))
    said = mooring("doctor", "--data-dir", str(tmp_path / "new"))
    assert said.status == 0
    found = marks(said.out)
    assert {"python", "sqlite", "data folder", "disk", "open files", "port", "console", "database"} <= set(found)
    assert {found[subject] for subject in ("python", "data folder", "disk", "port", "database")} == {"ok"}
    assert not (tmp_path / "new").exists(), "looking changes nothing"


def test_a_running_server_is_noticed_and_left_alone(
    mooring: Command, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOORING_PORT", server.url.rsplit(":", 1)[1])
    said = mooring("doctor", "--data-dir", str(server.folder))
    assert said.status == 0, said.out
    assert marks(said.out)["port"] == "warn"
    assert marks(said.out)["database"] == "ok"
    assert server.ask("GET", "/readyz").status_code == 200


def test_a_folder_others_can_read_is_pointed_out(mooring: Command, tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir(mode=0o755)
    said = mooring("doctor", "--data-dir", str(tmp_path / "loose"))
    assert marks(said.out)["data folder"] == "warn"
    assert "chmod 700" in said.out


def test_too_little_room_is_bad(mooring: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_DISK_RESERVE_MB", "100000000")
    said = mooring("doctor", "--data-dir", str(tmp_path / "new"))
    assert said.status == 1
    assert marks(said.out)["disk"] == "bad"


def test_a_broken_database_is_bad(mooring: Command, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir(mode=0o700)
    (folder / "mooring.sqlite3").write_bytes(b"not a database at all" * 500)
    said = mooring("doctor", "--data-dir", str(folder))
    assert said.status == 1
    assert marks(said.out)["database"] == "bad"
    assert "Traceback" not in said.err


def test_a_database_is_brought_up_to_date_once(mooring: Command, tmp_path: Path) -> None:
    here = ("--data-dir", str(tmp_path / "data"))
    assert mooring("migrate", *here).out == "database brought up to date\n"
    assert mooring("migrate", *here).out == "database is up to date\n"


def test_a_running_server_is_not_migrated_under_its_feet(mooring: Command, server: Server) -> None:
    said = mooring("migrate", "--data-dir", str(server.folder))
    assert said.status == 1
    assert "in use by another mooring" in said.err
