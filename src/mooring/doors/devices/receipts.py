"""Sinks: where receipts go once a commit has returned, for requests and messages that carry frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from mooring.doors.deadlines import within
from mooring.kernel.errors import Exhausted, Invalid, MooringError, Unavailable
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import json

Raw = bytes | str | msgspec.Raw | dict[str, Any]
Chooser = Callable[[Frame], Source]


class OneReceipt:
    """Waits for the receipt of a single frame."""

    __slots__ = ("future",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[Receipt] = loop.create_future()

    def settled(self, receipts: list[Receipt]) -> None:
        """Take the one receipt."""
        if not self.future.done():
            self.future.set_result(receipts[0])


class ManyReceipts:
    """Waits for the receipts of all frames of one message and keeps them in the message's order."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.receipts: list[Receipt | None] = [None] * count
        self.done: asyncio.Future[None] = loop.create_future()
        self._missing = count
        if not count:
            self.done.set_result(None)

    def put(self, index: int, receipt: Receipt) -> None:
        """Take the receipt of frame number `index`."""
        self.receipts[index] = receipt
        self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result(None)


class _Slot:
    """The place of one frame in its message."""

    __slots__ = ("index", "many")

    def __init__(self, many: ManyReceipts, index: int) -> None:
        self.many = many
        self.index = index

    def settled(self, receipts: list[Receipt]) -> None:
        self.many.put(self.index, receipts[0])


def refusal(error: MooringError, seq: int | None) -> Receipt:
    """Return the receipt of a frame that was not taken, with the reason."""
    if isinstance(error, Exhausted) and error.retry_after_s is not None:
        return Receipt(seq, "throttled", reason=f"{error.code}: {error.message}", retry_after_s=error.retry_after_s)
    return Receipt(seq, "rejected", reason=f"{error.code}: {error.message}")


def offer(ingest: Ingest, source: Source, frame: Frame, sink: Any, raw: Raw) -> None:
    """Hand a frame to ingest; a frame that tells an event brings its own words along."""
    body = None
    if frame.event_type is not None:
        body = raw if isinstance(raw, dict) else json.decode_object(raw)
    ingest.accept(source, frame, sink, body)


def frame_in(raw: Raw) -> Frame:
    """Return the frame in JSON, or in what another codec has read; raises ``Invalid``."""
    return json.frame_of(raw) if isinstance(raw, dict) else json.decode_frame(raw)


async def accept_many(ingest: Ingest, choose: Chooser, raws: Sequence[Raw], deadline_s: float) -> list[Receipt]:
    """Accept the frames of one message and return a receipt for each, in order, once all are settled."""
    many = ManyReceipts(len(raws), asyncio.get_running_loop())
    for index, raw in enumerate(raws):
        frame: Frame | None = None
        try:
            if ingest.full:
                await ingest.room(deadline_s)
            frame = frame_in(raw)
            offer(ingest, choose(frame), frame, _Slot(many, index), raw)
        except MooringError as error:
            many.put(index, refusal(error, frame.seq if frame else None))
    await committed(many.done, deadline_s)
    return [receipt for receipt in many.receipts if receipt is not None]


async def committed(waiting: asyncio.Future[Any], deadline_s: float) -> Any:
    """Wait for a commit, but not for ever."""
    try:
        with within(deadline_s):
            return await waiting
    except TimeoutError:
        raise Unavailable(
            f"the store did not answer within {deadline_s:g} s; the frame may or may not be stored"
        ) from None


def choose_only(source: Source, name: str | None = None) -> Chooser:
    """Return a chooser for messages of one device; a frame may name that device, by id or `name`, but no other."""

    def choose(frame: Frame) -> Source:
        if frame.device_id is not None and frame.device_id not in (source.device_id, name):
            raise Invalid("device_id is not the device of this credential")
        return source

    return choose
