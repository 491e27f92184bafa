"""One run of the bench: how long each turn takes, what was found, and who else was using the machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psutil
import uvloop

from bench.figure import Figure
from bench.load.frames import READINGS
from bench.load.tally import Pressure, Tally

T = TypeVar("T")
BUSY_OTHERS = 0.08  # share of both cores used by strangers above which a figure is marked


@dataclass(slots=True)
class Run:
    """Settings of a run and the figures it has found."""

    quick: bool = False
    figures: list[Figure] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def turns(self) -> int:
        """How often durable and bare take turns."""
        return 2 if self.quick else 4

    @property
    def pressure(self) -> Pressure:
        """How long a turn is."""
        return Pressure(2.0 if self.quick else 4.0, 0.7)

    def add(self, figure: Figure) -> None:
        """Keep a figure and show it."""
        self.figures.append(figure)
        print(figure.row, flush=True)

    def say(self, text: str) -> None:
        """Tell progress on standard error, so that standard output stays the table."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def check(self, label: str, tally: Tally) -> float:
        """Report one turn, note what was wrong with it, and return its rate of stored frames per second."""
        if tally.doubt:
            self.doubts.append(f"{label}: {tally.doubt}")
        if not tally.stored:
            raise RuntimeError(f"{label}: nothing was stored: {tally.doubt}")
        p50, p99 = tally.quantile_ms(0.5), tally.quantile_ms(0.99)
        times = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms" + (
            f", {tally.cpu_us:.1f} µs of CPU a frame" if tally.cpu_s else ""
        )
        self.say(f"{label}: {tally.rate:,.0f} frames/s, {times} {tally.doubt}")
        return tally.rate

    def compare(self, label: str, receipts: int, stored: int) -> None:
        """Hold the frames that were receipted against the readings the server then counts in its store."""
        if stored < receipts * READINGS:
            self.doubts.append(f"{label}: {receipts * READINGS:,} readings were receipted, {stored:,} are stored")

    @contextmanager
    def watched(self, label: str) -> Iterator[None]:
        """Mark `label` as disturbed if other programs used the machine meanwhile."""
        begun, busy, own = time.perf_counter(), _busy_s(), _own_s()
        yield
        spent = (time.perf_counter() - begun) * (os.cpu_count() or 1)
        others = (_busy_s() - busy) - (_own_s() - own)
        if others / spent > BUSY_OTHERS:
            self.doubts.append(f"{label}: disturbed, other programs used {others / spent:.0%} of the machine")


def boot() -> str:
    """Return a boot id no run had before: seqs begin anew under it."""
    return f"b{secrets.token_hex(4)}"


def play(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - times.guest - times.guest_nice)


def _own_s() -> float:
    times = os.times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            used = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return total
