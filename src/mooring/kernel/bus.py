"""The Bus port: how a lower room speaks upwards. It may lose events; stores never do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from mooring.kernel.events import Event


class Subscription(Protocol):
    """One listener's bounded queue; when it is full the oldest event goes and ``lost`` counts it."""

    lost: int

    def __aiter__(self) -> AsyncIterator[Event]:
        """Yield events in the order they were published, until closed."""

    def close(self) -> None:
        """End the iteration and forget what was queued."""


class Bus(Protocol):
    """Publish and subscribe by event type."""

    def publish(self, event: Event) -> None:
        """Hand `event` to every subscription of its type; never waits, never raises for a listener."""

    def subscribe(self, *types: type[Event], capacity: int = 1024) -> Subscription:
        """Return a queue of the events of `types`, at most `capacity` waiting."""
