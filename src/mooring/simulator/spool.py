"""What a device has said and not yet been answered: kept in order until the receipt, at most so many frames.

Full means: the oldest goes and is counted, for a robot's newest frame is worth more than its oldest.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

CAPACITY = 20_000


@dataclass(slots=True)
class Entry:
    """One frame: ``sent_at`` is None while it waits, ``strikes`` counts receipts that never came."""

    seq: int
    body: bytes
    ready_at: float
    sent_at: float | None = None
    sends: int = 0
    strikes: int = 0


class Spool:
    """Frames by their number, with the next one to go found quickly."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: dict[int, Entry] = {}
        self._waiting: list[tuple[float, int]] = []
        self._in_flight: dict[int, None] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def in_flight(self) -> int:
        """How many frames are on the wire without a receipt."""
        return len(self._in_flight)

    def add(self, seq: int, body: bytes, ready_at: float) -> None:
        """Keep a frame; it may go once `ready_at` has come."""
        if len(self._entries) >= self._capacity:
            oldest = next(iter(self._entries))
            self.settle(oldest)
            self.dropped += 1
        self._entries[seq] = Entry(seq, body, ready_at)
        heapq.heappush(self._waiting, (ready_at, seq))

    def take(self, now: float, limit: int) -> list[Entry]:
        """Return up to `limit` frames whose time has come, now counted as on the wire."""
        taken: list[Entry] = []
        while self._waiting and len(taken) < limit and self._waiting[0][0] <= now:
            _, seq = heapq.heappop(self._waiting)
            entry = self._entries.get(seq)
            if entry is None or entry.sent_at is not None:
                continue
            entry.sent_at = now
            entry.sends += 1
            self._in_flight[seq] = None
            taken.append(entry)
        return taken

    def next_at(self) -> float | None:
        """Return when the next frame may go, or None when none waits."""
        while self._waiting:
            ready_at, seq = self._waiting[0]
            entry = self._entries.get(seq)
            if entry is not None and entry.sent_at is None:
                return ready_at
            heapq.heappop(self._waiting)
        return None

    def settle(self, seq: int) -> Entry | None:
        """Forget a frame for good and return it; None when it was not outstanding."""
        self._in_flight.pop(seq, None)
        return self._entries.pop(seq, None)

    def put_back(self, seq: int, ready_at: float) -> None:
        """Let a frame that was sent wait again."""
        entry = self._entries.get(seq)
        if entry is None or entry.sent_at is None:
            return
        self._in_flight.pop(seq, None)
        entry.sent_at = None
        entry.ready_at = ready_at
        heapq.heappush(self._waiting, (ready_at, seq))

    def put_all_back(self, now: float) -> None:
        """After a lost connection: all that is outstanding waits again, oldest first."""
        self._in_flight.clear()
        for entry in self._entries.values():
            entry.sent_at = None
            entry.ready_at = entry.ready_at if entry.ready_at > now else 0.0
        self._waiting = [(entry.ready_at, entry.seq) for entry in self._entries.values()]
        heapq.heapify(self._waiting)

    def oldest_in_flight(self) -> Entry | None:
        """Return the frame that has waited longest for its receipt."""
        first = next(iter(self._in_flight), None)
        return None if first is None else self._entries[first]
