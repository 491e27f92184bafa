"""What a load run saw: receipts by kind, seconds, and receipt latencies."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pressure:
    """How a flood presses: seconds to measure, after seconds to warm up, and frames per block (two in flight)."""

    seconds: float = 3.0
    warm_s: float = 0.7
    block: int = 32


@dataclass(slots=True)
class Tally:
    """Counts of one run; only `stored` ever becomes a figure."""

    seconds: float = 0.0
    sent: int = 0
    stored: int = 0
    other: int = 0
    lost_connections: int = 0
    first_refusal: str = ""
    latencies_s: list[float] = field(default_factory=list)

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

    def mark(self) -> tuple[float, int, int]:
        """Begin the measured time: forget latencies so far and return the counts so far."""
        self.latencies_s.clear()
        return time.perf_counter(), self.sent, self.stored

    def since(self, mark: tuple[float, int, int]) -> Tally:
        """Return what happened since `mark`."""
        begun, sent, stored = mark
        return Tally(
            time.perf_counter() - begun, self.sent - sent, self.stored - stored, latencies_s=list(self.latencies_s)
        )

    def warned_by(self, whole: Tally) -> Tally:
        """Take over from the whole run what makes a figure doubtful: refusals and lost connections."""
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
