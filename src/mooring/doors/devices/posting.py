"""The short way for a device's post: taken in, and answered after the commit, without a task or an ASGI cycle.

It serves what nearly all posts are: one frame, in one piece, of a device whose token is remembered. Whatever is not
so, and whatever is refused, goes the long way through ``doors.front``, which says the same things with reasons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mooring.doors.deadlines import SWEEP_S, sweeper
from mooring.doors.devices.http import COMMIT_DEADLINE_S, status_of
from mooring.doors.headers_due import DeadlineProtocol
from mooring.kernel.frames import Receipt
from mooring.telemetry.batch import Sink
from mooring.wire import json

Post = Callable[[Iterable[tuple[bytes, bytes]], str, bytes, Sink], bool]
_LATE = Receipt(None, "rejected", reason="unavailable: the store did not answer in time; the frame may be stored")


class PostingProtocol(DeadlineProtocol):
    """uvicorn's HTTP protocol; `post` takes a whole post at once, or says no and leaves it to the application."""

    def __init__(self, post: Post, **given: Any) -> None:
        super().__init__(**given)
        self._post = post
        self._held: tuple[RequestResponseCycle, Any] | None = None

    def data_received(self, data: bytes) -> None:
        """Parse; a post that has not arrived in one piece goes the long way, which has a deadline for its body."""
        super().data_received(data)
        if self._held is not None:
            self._long_way()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Hold a post back until its last byte is parsed; start anything else at once."""
        path = cycle.scope["path"]
        if cycle is self.cycle and cycle.more_body and path.endswith("/data") and path.startswith("/api/devices/"):
            self._held = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """Take the post that was held back."""
        super().on_message_complete()
        if self._held is None:
            return
        cycle = self._held[0]
        scope, answer = cycle.scope, Answer(self, cycle)
        if (
            scope["method"] == "POST"
            and not self.flow.write_paused
            and self._post(scope["headers"], scope["path"][13:-5], bytes(cycle.body), answer)
        ):
            self._held = None
            sweeper().watch(answer)
        else:
            self._long_way()

    def _long_way(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            super()._start_asgi_task(*held)

    def answer(self, cycle: RequestResponseCycle, status: int, body: bytes) -> None:
        """Write a whole answer and go on to the next request."""
        if cycle.disconnected or self.transport.is_closing():
            return
        parts = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body), body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


class Answer:
    """Waits for the receipt of one post and writes it to the connection."""

    __slots__ = ("_cycle", "_left", "_protocol")

    def __init__(self, protocol: PostingProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._left = round(COMMIT_DEADLINE_S / SWEEP_S)

    def settled(self, receipts: list[Receipt]) -> None:
        """Answer with the receipt, unless it comes too late."""
        if self._left >= 0:
            sweeper().forget(self)
            self._protocol.answer(self._cycle, status_of(receipts[0]), json.encode(receipts[0]))

    def age(self) -> None:
        """Grow older by one sweep; after the last one answer that the store does not."""
        self._left -= 1
        if self._left < 0:
            sweeper().forget(self)
            self._protocol.answer(self._cycle, status_of(_LATE), json.encode(_LATE))


def short_way(post: Post) -> Callable[..., asyncio.Protocol]:
    """Return what makes a protocol for each connection, as uvicorn calls it."""

    def make(**given: Any) -> asyncio.Protocol:
        return PostingProtocol(post, **given)

    return make
