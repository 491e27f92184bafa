"""One socket of contract B, behind which any number of devices may speak: no reply on success, a receipt for a seq."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Receive

from mooring.devices.presence import Presence
from mooring.doors.devices.receipts import refusal
from mooring.doors.devices.sessions import Sessions
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.events.forms import Told, closing, understood
from mooring.doors.dialects.outbox import Outbox
from mooring.doors.dialects.standing import Standing
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Exhausted, MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import json

MAX_DEVICES = 1000
WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What connections of this dialect work with."""

    ingest: Ingest
    arrivals: Arrivals
    presence: Presence
    sessions: Sessions
    clock: Clock
    standing: Standing
    tasks: asyncio.TaskGroup


@dataclass(slots=True)
class _Speaker:
    """A device heard on this socket."""

    external_id: str
    source: Source
    said_goodbye: bool = False


class EventsConnection:
    """Takes messages for the devices of one owner; also the sink of their receipts."""

    def __init__(self, parts: Parts, owner_id: str, outbox: Outbox) -> None:
        self._parts = parts
        self._owner_id = owner_id
        self._outbox = outbox
        self._speakers: dict[str, _Speaker] = {}

    async def serve(self, receive: Receive) -> None:
        """Take messages until the socket closes, then tell that its devices are gone."""
        reason = "connection lost"
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    reason = f"closed by the device ({message.get('code', 1005)})"
                    return
                text = message.get("text")
                await self._message(message["bytes"] if text is None else text)
        finally:
            self._gone(reason)

    async def _message(self, text: str | bytes) -> None:
        told: Told | None = None
        try:
            await self._parts.ingest.room(WAIT_S)
            await self._outbox.room()
            told = understood(text, self._parts.clock.now_us())
            speaker = await self._speaker(told)
            self._parts.ingest.accept(speaker.source, told.frame, self, told.body)
            speaker.said_goodbye = told.frame.event_type == "disconnected"
        except MooringError as error:
            self._refuse(error, None if told is None else told.frame.seq)

    async def _speaker(self, told: Told) -> _Speaker:
        speaker = self._speakers.get(told.external_id)
        if speaker is not None and not speaker.source.gone:
            return speaker
        if len(self._speakers) >= MAX_DEVICES:
            raise Exhausted(f"more than {MAX_DEVICES} devices on one connection")
        device_id = await self._parts.arrivals.device(told.external_id, told.device_type, owner_id=self._owner_id)
        speaker = _Speaker(told.external_id, self._parts.ingest.sources.get(device_id))
        self._speakers[told.external_id] = speaker
        self._parts.sessions.add(device_id, self)
        self._parts.presence.connected(device_id, "events", told=True)
        return speaker

    def _gone(self, reason: str) -> None:
        for speaker in self._speakers.values():
            device_id, presence = speaker.source.device_id, self._parts.presence
            self._parts.sessions.remove(device_id, self)
            presence.disconnected(device_id, reason, told=True)
            if speaker.said_goodbye or speaker.source.gone or presence.connectivity(device_id).connections:
                continue
            body = closing(speaker.external_id)
            frame = Frame(event_type="disconnected", message=reason)
            self._parts.ingest.accept(speaker.source, frame, None, body)

    def settled(self, receipts: list[Receipt]) -> None:
        """Answer frames that carry a seq, and those that could not be stored; the others expect nothing."""
        owed = []
        for receipt in receipts:
            if receipt.seq is not None:
                owed.append(json.encode_receipt(receipt))
            elif receipt.status in ("rejected", "throttled"):
                code, _, said = (receipt.reason or "").partition(": ")
                owed.append(json.encode({"error": said or code, "code": code}).decode())
        self._outbox.put_all(owed)

    def _refuse(self, error: MooringError, seq: int | None) -> None:
        if seq is not None:
            self._outbox.put_all([json.encode_receipt(refusal(error, seq))])
            return
        told = {"error": error.message, "code": error.code} | ({"hint": error.hint} if error.hint else {})
        self._outbox.put_all([json.encode(told).decode()])

    def end(self, reason: str) -> None:
        """Close the socket: a device on it was deleted or lost its credential."""
        self._outbox.close(1008, reason)
