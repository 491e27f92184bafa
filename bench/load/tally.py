"""What a load run saw: receipts by kind, seconds, and receipt latencies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

Clock = Callable[[], float]


class Mark(NamedTuple):
    """A moment of a run."""

    at: float
    cpu_s: float
    sent: int
    stored: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """How a flood presses: seconds to measure, after seconds to warm up, and frames per block (two in flight)."""

    seconds: float = 3.0
    warm_s: float = 0.7
    block: int = 32
    clock: Clock | None = None


@dataclass(slots=True)
class Tally:
    """Counts of one run; only `stored` ever becomes a figure, `receipts` counts outside the measured time too."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    sent: int = 0
    stored: int = 0
    receipts: int = 0
    other: int = 0
    lost_connections: int = 0
    first_refusal: str = ""
    latencies_s: list[float] = field(default_factory=list)
    clock: Clock | None = None

    @property
    def cpu_us(self) -> float:
        """Microseconds of the server's CPU per stored frame: what others on the machine hardly change."""
        return self.cpu_s / self.stored * 1e6 if self.stored else 0.0

    @property
    def rate(self) -> float:
        """Stored frames per second."""
        return self.stored / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """Return the latency in ms that `share` of the sampled receipts did not exceed; NaN without samples."""
        if not self.latencies_s:
            return float("nan")
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3

    def refuse(self, what: bytes) -> None:
        """Keep the first answer that was not a receipt of storage, to be shown to the reader."""
        if not self.first_refusal:
            self.first_refusal = what[:300].decode("utf-8", "replace")

    def mark(self) -> Mark:
        """Begin the measured time: forget latencies so far and return the counts so far."""
        self.latencies_s.clear()
        return Mark(time.perf_counter(), self.clock() if self.clock else 0.0, self.sent, self.stored)

    def since(self, mark: Mark) -> Tally:
        """Return what happened since `mark`."""
        now = Mark(time.perf_counter(), self.clock() if self.clock else 0.0, self.sent, self.stored)
        spent = (after - before for before, after in zip(mark, now, strict=True))
        seconds, cpu_s, sent, stored = spent
        return Tally(seconds, cpu_s, int(sent), int(stored), latencies_s=list(self.latencies_s))

    def warned_by(self, whole: Tally) -> Tally:
        """Take over from the whole run its receipts, and what makes a figure doubtful: refusals, lost connections."""
        self.receipts = whole.stored
        self.other, self.lost_connections, self.first_refusal = (
            whole.other,
            whole.lost_connections,
            whole.first_refusal,
        )
        return self

    @property
    def doubt(self) -> str:
        """Say what went wrong, or nothing."""
        if not (self.other or self.lost_connections):
            return ""
        return f"{self.other} frames refused, {self.lost_connections} connections lost: {self.first_refusal}"
