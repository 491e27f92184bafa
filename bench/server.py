"""Servers under test as subprocesses on a core of their own: started, watched until ready, measured, stopped."""

from __future__ import annotations

import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil

REPO = Path(__file__).resolve().parent.parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOADER_CORE = CORES[0], CORES[-1]
READY_WITHIN_S = 60.0
PRECEDENCE = -15  # a nice value: others get a few per cent while a turn lasts


def take_loader_core() -> None:
    """Pin this process to the loader's core and raise its limit of open files to what the system allows."""
    os.sched_setaffinity(0, {LOADER_CORE})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def take_precedence() -> None:
    """Go on in a session of its own that runs before other programs, servers included; needs the right to (root).

    Linux shares the processor between sessions first ("autogroup"), so a nice value alone would change little.
    """
    child = os.fork()
    if child:
        try:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        except KeyboardInterrupt:
            os.kill(child, signal.SIGINT)
            os._exit(130)
    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, PRECEDENCE)
    group = Path("/proc/self/autogroup")
    if group.exists():
        group.write_text(str(PRECEDENCE))


class Server:
    """One subprocess that prints ``ready: <url>``; a context manager."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.env = {**os.environ, "PYTHONPATH": f"{REPO / 'src'}{os.pathsep}{REPO}", **(env or {})}
        self.url = ""
        self.started_at = 0.0
        self.ready_line_s = self.ready_s = 0.0
        self.log: list[str] = []

    def __enter__(self) -> Server:
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),  # noqa: PLW1509 - no threads hold locks here
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._drain, daemon=True).start()
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def _drain(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip())
            del self.log[:-200]
            self.lines.put(line)
        self.lines.put(None)

    def _await_ready(self) -> None:
        deadline = time.perf_counter() + READY_WITHIN_S
        while time.perf_counter() < deadline:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.perf_counter()))
            except queue.Empty:
                break
            if line is None:
                break
            if "ready: http" in line:
                self.ready_line_s = time.perf_counter() - self.started_at
                self.url = line.split("ready: ", 1)[1].split()[0]
                with urllib.request.urlopen(self.url + "/readyz", timeout=10) as answer:
                    answer.read()
                self.ready_s = time.perf_counter() - self.started_at
                return
        raise RuntimeError(f"not ready: {' '.join(self.command)}\n" + "\n".join(self.log[-20:]))

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the process and its children."""
        root = psutil.Process(self.process.pid)
        return sum(one.memory_info().rss for one in [root, *root.children(recursive=True)])

    @property
    def cpu_s(self) -> float:
        """CPU seconds used so far by the process and its children, user and system."""
        root = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in [root, *root.children(recursive=True)]]
        return float(sum(one.user + one.system for one in times))

    def stop(self) -> None:
        """End it: politely first, by force after ten seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def bare() -> Server:
    """Return the bare loop, not yet started."""
    return Server([sys.executable, "-m", "bench.bare.app"])
