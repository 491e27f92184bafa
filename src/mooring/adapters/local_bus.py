"""The Bus inside one process: a bounded queue per subscription, publishing never waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from mooring.kernel.events import Event


class LocalSubscription:
    """A queue of at most ``capacity`` events; when full the oldest goes and ``lost`` grows."""

    def __init__(self, bus: LocalBus, types: tuple[type[Event], ...], capacity: int) -> None:
        self.lost = 0
        self._bus = bus
        self._types = types
        self._queue: deque[Event] = deque()
        self._capacity = capacity
        self._ready = asyncio.Event()
        self._closed = False

    def offer(self, event: Event) -> None:
        """Take an event, dropping the oldest if there is no room."""
        if len(self._queue) >= self._capacity:
            self._queue.popleft()
            self.lost += 1
        self._queue.append(event)
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield events until closed."""
        while True:
            while self._queue:
                yield self._queue.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()

    def close(self) -> None:
        """Leave the bus and end the iteration."""
        self._bus.leave(self, self._types)
        self._queue.clear()
        self._closed = True
        self._ready.set()


class LocalBus:
    """Events by exact type to whoever subscribed, in order."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], list[LocalSubscription]] = {}

    def publish(self, event: Event) -> None:
        """Offer `event` to every subscription of its type."""
        for subscription in self._listeners.get(type(event), ()):
            subscription.offer(event)

    def subscribe(self, *types: type[Event], capacity: int = 1024) -> LocalSubscription:
        """Return a new subscription to `types`."""
        subscription = LocalSubscription(self, types, capacity)
        for kind in types:
            self._listeners.setdefault(kind, []).append(subscription)
        return subscription

    def leave(self, subscription: LocalSubscription, types: tuple[type[Event], ...]) -> None:
        """Forget a subscription."""
        for kind in types:
            if subscription in self._listeners.get(kind, ()):
                self._listeners[kind].remove(subscription)
