"""Long polls: one answer, or none within the time, and an end when the device goes away or is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Final, Generic, TypeVar

from starlette.types import Receive

from mooring.doors.devices.calls import Call
from mooring.doors.dialects.thingsboard.parts import Parts
from mooring.doors.request import Gone
from mooring.kernel.errors import Denied, Exhausted

MAX_POLLS: Final = 8
T = TypeVar("T")


class DeviceEnded(Denied):
    """The device was deleted, or its token revoked, while it waited."""

    code: ClassVar[str] = "device_ended"


class TooManyPolls(Exhausted):
    """One device waits more often than it may."""

    code: ClassVar[str] = "too_many_polls"


class _Poll(Generic[T]):
    """One request that waits; a session of its device as long as it does."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def end(self, reason: str) -> None:
        """End the wait because the device may no longer ask."""
        if not self.heard.done():
            self.heard.set_exception(DeviceEnded(reason))

    def hear(self, what: T) -> None:
        """End the wait with an answer."""
        if not self.heard.done():
            self.heard.set_result(what)


class Polls:
    """All long polls of this API."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._held: dict[str, int] = {}

    async def attributes(self, device_id: str, receive: Receive, timeout_s: float) -> dict[str, Any] | None:
        """Return the next change of shared attributes, None if there is none in time."""
        book = self._parts.attributes

        def begin(poll: _Poll[dict[str, Any]]) -> Callable[[], None]:
            book.listen(device_id, poll.hear)
            return lambda: book.leave(device_id, poll.hear)

        return await self._wait(device_id, receive, timeout_s, begin)

    async def call(self, device_id: str, receive: Receive, timeout_s: float) -> Call | None:
        """Return the next call to the device, None if there is none in time."""
        book = self._parts.calls

        def begin(poll: _Poll[Call]) -> Callable[[], None]:
            def ear(call: Call) -> None:
                # One poll takes one call; the next one waits for the next poll.
                book.leave(device_id, ear)
                poll.hear(call)

            book.listen(device_id, ear)
            return lambda: book.leave(device_id, ear)

        return await self._wait(device_id, receive, timeout_s, begin)

    async def _wait(
        self, device_id: str, receive: Receive, timeout_s: float, begin: Callable[[_Poll[T]], Callable[[], None]]
    ) -> T | None:
        if self._held.get(device_id, 0) >= MAX_POLLS:
            raise TooManyPolls(f"a device waits at most {MAX_POLLS} times at once", retry_after_s=1.0)
        self._held[device_id] = self._held.get(device_id, 0) + 1
        poll: _Poll[T] = _Poll()
        self._parts.sessions.add(device_id, poll)
        stop = begin(poll)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            both: set[asyncio.Future[Any]] = {poll.heard, gone}
            await asyncio.wait(both, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if not poll.heard.done() and gone.done():
                raise Gone("client went away")
            return poll.heard.result() if poll.heard.done() else None
        finally:
            stop()
            gone.cancel()
            self._parts.sessions.remove(device_id, poll)
            self._parts.presence.seen(device_id)
            self._held[device_id] -= 1
            if not self._held[device_id]:
                del self._held[device_id]


async def _gone(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
