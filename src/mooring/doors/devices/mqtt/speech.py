"""What may be said: families of topics, each with who handles its messages and which filters are granted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from mooring.doors.devices.mqtt.session import Answer, Session
from mooring.wire.mqtt.packets import Connect, Publish

Handler = Callable[[Session, Publish, Answer], None]
Pattern = tuple[re.Pattern[str], Handler]


class Speech(Protocol):
    """A family of topics. Handlers raise refusals at once, or give them to the answer later."""

    @property
    def topics(self) -> Mapping[str, Handler]:
        """Return who handles messages on a topic."""

    @property
    def patterns(self) -> Sequence[Pattern]:
        """Return who handles messages on topics that hold numbers."""

    @property
    def filters(self) -> frozenset[str]:
        """Return the topic filters a session may subscribe to, word for word."""

    def opened(self, session: Session) -> None:
        """Note a session."""

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """Note that a session subscribed."""

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """Note that it no longer is."""

    def closed(self, session: Session) -> None:
        """Note the end of a session."""


class GuestSpeech(Speech, Protocol):
    """What may be said by those who have no credential yet."""

    def welcomes(self, connect: Connect) -> bool:
        """Tell whether this CONNECT asks to be a guest."""


class Speeches:
    """Several families as one."""

    def __init__(self, families: Iterable[Speech]) -> None:
        self._families = tuple(families)
        self._topics: dict[str, Handler] = {}
        self._patterns: list[Pattern] = []
        self._listeners: dict[str, Speech] = {}
        for family in self._families:
            self._topics.update(family.topics)
            self._patterns += family.patterns
            self._listeners.update(dict.fromkeys(family.filters, family))

    def handler(self, topic: str) -> Handler | None:
        """Return who handles messages on `topic`; None for a topic nobody may publish to."""
        found = self._topics.get(topic)
        if found is None:
            found = next((handler for pattern, handler in self._patterns if pattern.fullmatch(topic)), None)
        return found

    def grants(self, topic_filter: str) -> bool:
        """Tell whether `topic_filter` may be subscribed to."""
        return topic_filter in self._listeners

    def opened(self, session: Session) -> None:
        """Tell every family of a session."""
        for family in self._families:
            family.opened(session)

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """Tell the family a filter belongs to."""
        self._listeners[topic_filter].subscribed(session, topic_filter)

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """Tell the family a filter belongs to."""
        self._listeners[topic_filter].unsubscribed(session, topic_filter)

    def closed(self, session: Session) -> None:
        """Tell every family of the end of a session."""
        for family in self._families:
            family.closed(session)
