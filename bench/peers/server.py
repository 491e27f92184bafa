"""Starts the hand-written stack as its users would: gunicorn with threads, or Werkzeug's own server without it."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.server import READY_WITHIN_S, Server

WORKERS, THREADS = 2, 8


class Peer(Server):
    """The Flask application on a port of its own; ready when it answers, as it prints no line we know."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        super().__init__(self.words(), env={"PEER_DB": str(folder / "peer.db"), "PEER_PORT": str(self.port)})

    def words(self) -> list[str]:
        """Return the command."""
        if importlib.util.find_spec("gunicorn"):
            options = f"--workers {WORKERS} --threads {THREADS} --keep-alive 75 --log-level warning"
            bind = f"--bind 127.0.0.1:{self.port}"
            return [sys.executable, "-m", "gunicorn", *options.split(), *bind.split(), "bench.peers.flask_sqlite:app"]
        return [sys.executable, "-m", "bench.peers.flask_sqlite"]

    def _await_ready(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.perf_counter() + READY_WITHIN_S
        while time.perf_counter() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("peer not ready\n" + "\n".join(self.log[-20:]))


def enrol(folder: Path, tokens: dict[str, str]) -> None:
    """Create the peer's database with these devices, before it starts."""
    os.environ["PEER_DB"] = str(folder / "peer.db")
    from bench.peers import flask_sqlite

    flask_sqlite.DATABASE = str(folder / "peer.db")
    flask_sqlite.prepare(tokens)
