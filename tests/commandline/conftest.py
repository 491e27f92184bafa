"""Commands as a person types them: in this process if they end by themselves, on a real server if they need one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.journeys.server import PORTS_OFF, Server, running

from mooring.__main__ import main


class Said(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def mooring(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Give a way to run ``mooring …`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    monkeypatch.setenv("COLUMNS", "200")
    for name, port in PORTS_OFF.items():
        monkeypatch.setenv(name, port)
    for name in ("PORT", "API_HOST", "API_PORT", "MONGODB_URI"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["mooring", *arguments])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a running server."""
    with running(tmp_path_factory.mktemp("served") / "data") as started:
        yield started
