"""What a fleet counts, shared by all its sessions, and what it tells whoever watches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Stage = Literal["registering", "history", "running", "stopping", "done"]


@dataclass(slots=True)
class Tally:
    """Counters since the start; ``connected`` is how many sockets are open now.

    ``sent`` counts frames put on the wire, each time; ``acked`` counts frames confirmed as stored, once;
    ``duplicates`` are receipts that say so; ``stray`` are receipts for nothing outstanding.
    """

    offered: int = 0
    sent: int = 0
    acked: int = 0
    duplicates: int = 0
    rejected: int = 0
    throttled: int = 0
    stray: int = 0
    dropped: int = 0
    reconnects: int = 0
    connected: int = 0
    history: int = 0
    bad_rows: int = 0
    last_reason: str = ""

    def copy(self) -> Tally:
        """Return the counters as they stand."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a running fleet: `done` of `total` in `stage`, with a word for people and the counters."""

    stage: Stage
    done: int
    total: int
    message: str
    tally: Tally
