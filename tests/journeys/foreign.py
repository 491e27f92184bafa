"""Clients nobody here wrote, as programs of their own: npm's socket.io-client under Node."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MODULES = Path(__file__).parents[2] / ".foreign" / "node"


class Talker:
    """A program that prints JSON lines ``[kind, value]`` and reads events as JSON lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.skipped: list[Any] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            for line in out:
                self.lines.put(json.loads(line))

    def next(self, kind: str, timeout_s: float = 15.0) -> Any:
        """Return the value of the next line of a kind; lines of other kinds are kept for later."""
        for line in self.skipped:
            if line[0] == kind:
                self.skipped.remove(line)
                return line[1]
        deadline = time.monotonic() + timeout_s
        while True:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            if line[0] == kind:
                return line[1]
            self.skipped.append(line)

    def emit(self, event: str, *args: Any) -> None:
        """Send an event."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([event, *args]) + "\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def socketio_client(url: str, **options: Any) -> Iterator[Talker]:
    """Run npm's socket.io-client for the length of a block; skip where Node or the package is missing."""
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules" / "socket.io-client").is_dir():
        pytest.skip("needs Node and npm's socket.io-client: scripts/foreign-clients.sh")
    command = [node, str(HERE / "socketio_client.mjs"), str(MODULES), url, json.dumps(options)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Talker(process)
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
