"""Replay a recording: its own rhythm, faster; first some of it as history that ends now, then live, round and round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mooring.kernel.clock import Clock
from mooring.simulator.recording import Recording, Row

LONGEST_WAIT_S = 30.0
"""A gap of days in a file would look like a dead sensor; at any speed the next row comes by then."""
SPEED = (1e-3, 1e7)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to replay; without `speed`, so fast that usually one row a second goes out."""

    speed: float | None = None
    backfill_rows: int = 0
    offset_share: float = 0.0
    longest_wait_s: float = LONGEST_WAIT_S


class Replay:
    """Where one device stands in a recording."""

    def __init__(self, recording: Recording, options: ReplayOptions | None = None) -> None:
        self.recording = recording
        self.options = options or ReplayOptions()
        rows = len(recording.rows)
        self.usual_gap_s = recording.usual_gap_s
        self.speed = self.options.speed or self.usual_gap_s
        self.first = int(rows * self.options.offset_share) % rows
        self.history_rows = max(0, min(self.options.backfill_rows, rows - 1))

    @property
    def start(self) -> int:
        """The index of the first live row."""
        return (self.first + self.history_rows) % len(self.recording.rows)

    def history(self, now_us: int) -> Iterator[Row]:
        """Yield the rows before the start, original spacing, moved so that the last lies one gap before `now_us`."""
        rows = self.recording.rows
        chosen = [(self.first + step) % len(rows) for step in range(self.history_rows)]
        gaps = [self.gap_s(index) for index in chosen]
        at_us = now_us - round(sum(gaps) * 1e6)
        for index, gap in zip(chosen, gaps, strict=True):
            yield Row(at_us, rows[index].values)
            at_us += round(gap * 1e6)

    def gap_s(self, index: int) -> float:
        """Return the recorded seconds from row `index` to the next; the usual gap at the end and where time stalls."""
        rows = self.recording.rows
        if index + 1 >= len(rows):
            return self.usual_gap_s
        gap = (rows[index + 1].at_us - rows[index].at_us) / 1e6
        return gap if gap > 0 else self.usual_gap_s

    def live(self) -> Iterator[tuple[float, Row]]:
        """Yield (seconds to wait after the row before, row) without end."""
        rows = self.recording.rows
        index, wait_s = self.start, 0.0
        while True:
            yield wait_s, rows[index]
            wait_s = min(self.gap_s(index) / self.speed, self.options.longest_wait_s)
            index = (index + 1) % len(rows)


class Pace:
    """Keeps a rhythm on a clock: waits add up without drift, and lost time is not made up in a burst."""

    LATE_S = 5.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due = clock.monotonic()

    async def wait(self, seconds: float) -> None:
        """Wait until `seconds` after the last due time."""
        self._due += seconds
        now = self._clock.monotonic()
        if now - self._due > self.LATE_S:
            self._due = now
        # Sleeping even for nothing lets others run when we are behind.
        await self._clock.sleep(max(0.0, self._due - now))
