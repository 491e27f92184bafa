"""Open sockets of people: closed within a second or so once their session or key no longer stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mooring.access.guard import Guard
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Unavailable
from mooring.kernel.events import SessionEnded

RECHECK_S = 1.0
End = Callable[[str], None]
_REASON = "session ended"


class Standing:
    """Knows which sockets hang on which session; visitors of open dialects and devices have none."""

    def __init__(self, guard: Guard, clock: Clock) -> None:
        self._guard = guard
        self._clock = clock
        self._held: dict[Actor, set[End]] = {}

    @contextmanager
    def watching(self, actor: Actor, end: End) -> Iterator[None]:
        """Have `end` called with a reason if `actor` loses the right to be here while the block runs."""
        self.add(actor, end)
        try:
            yield
        finally:
            self.remove(actor, end)

    def add(self, actor: Actor, end: End) -> None:
        """Begin to watch."""
        if actor.session_id is not None:
            self._held.setdefault(actor, set()).add(end)

    def remove(self, actor: Actor, end: End) -> None:
        """Stop watching."""
        held = self._held.get(actor)
        if held is not None:
            held.discard(end)
            if not held:
                del self._held[actor]

    async def run(self, bus: Bus) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(bus))
            tasks.create_task(self._look())

    async def _listen(self, bus: Bus) -> None:
        async for event in bus.subscribe(SessionEnded, capacity=10_000):
            if isinstance(event, SessionEnded):
                for actor in list(self._held):
                    if actor.id == event.user_id and event.session_id in (None, actor.session_id):
                        self._end(actor)

    async def _look(self) -> None:
        """Ask again: the command line ends sessions in another process, whose bus is not ours."""
        while True:
            await self._clock.sleep(RECHECK_S)
            for actor in list(self._held):
                try:
                    stands = await self._guard.stands(actor)
                except Unavailable:
                    continue
                if not stands:
                    self._end(actor)

    def _end(self, actor: Actor) -> None:
        for end in list(self._held.get(actor, ())):
            end(_REASON)
