"""strace on a running server: counts its syncs, delays them, makes them fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SYNCS = "fdatasync,fsync"
ATTACHED_S = 20.0


@cache
def why_not() -> str:
    """Return why programs cannot be traced here; empty if they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    code = "import os, tempfile; f = tempfile.TemporaryFile(); os.fsync(f.fileno())"
    command = ["strace", "-f", "-qq", "-e", f"trace={SYNCS}", "-e", f"inject={SYNCS}:error=EIO", sys.executable, "-c"]
    tried = subprocess.run([*command, code], capture_output=True, text=True, timeout=60, check=False)
    return "" if "Input/output error" in tried.stderr else f"strace cannot trace here: {tried.stderr[-200:]}"


def require_tracing() -> None:
    """Skip the test where programs cannot be traced."""
    if reason := why_not():
        pytest.skip(reason)


class Trace:
    """What strace has written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def lines(self) -> list[str]:
        """Return one line a sync."""
        return [line for line in self._path.read_text().splitlines() if "sync(" in line]


@contextlib.contextmanager
def traced(pid: int, inject: str = "", only: Path | None = None) -> Iterator[Trace]:
    """Trace the syncs of a process and all its threads, tampering with them as ``inject`` says; `only` of one file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "trace"
        out.touch()
        command = ["strace", "-f", "-y", "-o", str(out), "-e", f"trace={SYNCS}", "-p", str(pid)]
        if inject:
            command += ["-e", f"inject={SYNCS}:{inject}"]
        if only is not None:
            command += ["-P", str(only)]
        strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            _wait_attached(strace, pid)
            yield Trace(out)
        finally:
            strace.terminate()
            strace.communicate()


def _wait_attached(strace: subprocess.Popen[str], pid: int) -> None:
    """Wait until every thread of the process has a tracer."""
    deadline = time.monotonic() + ATTACHED_S
    while time.monotonic() < deadline:
        tracers = set()
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError):
                status = Path(f"/proc/{pid}/task/{task}/status").read_text()
                tracers.add(int(status.split("TracerPid:")[1].split()[0]))
        if tracers == {strace.pid}:
            return
        if strace.poll() is not None:
            break
        time.sleep(0.02)
    strace.kill()
    raise AssertionError(f"strace did not attach: {strace.communicate()[1]}")
