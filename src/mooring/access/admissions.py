"""Who was let in a moment ago: a small memory between the guard and the store, and the way out of it.

Putting somebody out empties the memory at once and tells the bus, so that open sockets close too.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.events import SessionEnded

# Another process (the command line) may end a session too: that is noticed after at most this long.
FRESH_S: Final = 1.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Admission:
    actor: Actor
    until: float


class Admissions:
    """Callers by credential, each for ``FRESH_S`` seconds, at most 10,000."""

    def __init__(self, clock: Clock, bus: Bus | None = None) -> None:
        """Begin empty; `bus` is None on the command line, where nobody listens."""
        self._clock = clock
        self._bus = bus
        self._known: OrderedDict[str, _Admission] = OrderedDict()
        self.generation = 0

    def recall(self, credential: str) -> Actor | None:
        """Return who came with `credential` a moment ago."""
        known = self._known.get(credential)
        return known.actor if known is not None and self._clock.monotonic() < known.until else None

    def remember(self, credential: str, actor: Actor, generation: int) -> None:
        """Keep `actor`, unless somebody was put out since `generation`, when the store was asked."""
        if generation != self.generation:
            return
        self._known[credential] = _Admission(actor, self._clock.monotonic() + FRESH_S)
        self._known.move_to_end(credential)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def put_out(self, user_id: str, session_id: str | None = None) -> None:
        """Forget a person, or one session or key of theirs, and say ``SessionEnded``."""
        self._forget(user_id, session_id)
        if self._bus is not None:
            self._bus.publish(SessionEnded(user_id=user_id, session_id=session_id))

    def _forget(self, user_id: str, session_id: str | None) -> None:
        self.generation += 1
        for credential, known in list(self._known.items()):
            if known.actor.id == user_id and session_id in (None, known.actor.session_id):
                del self._known[credential]
