"""Frames that come as Socket.IO events, and the receipts their ack callbacks get once they are stored."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from mooring.devices.service import Registry
from mooring.doors.devices.receipts import OneReceipt, committed, refusal
from mooring.doors.devices.socketio.clients import Client
from mooring.kernel.errors import Denied, Exhausted, Invalid, MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source

EVENTS = ("sensor_data_update", "device_status_update", "frame", "resume")
MAX_AT_ONCE = 1000
MAX_SOURCES = 1000
COMMIT_DEADLINE_S = 30.0
WAIT_S = 5.0
_ONE_READING = ("sensor_type", "value", "unit", "quality_score")


class Frames:
    """Takes the events devices send, and people who may report for a device."""

    def __init__(self, ingest: Ingest, registry: Registry) -> None:
        self._ingest = ingest
        self._registry = registry

    async def answer(self, client: Client, event: str, given: list[Any]) -> Any:
        """Return what the ack callback of an event gets: a receipt, or one for each frame of a list."""
        body = given[0] if given else None
        try:
            if event == "resume":
                return await self._resume(client, body)
            if event not in EVENTS:
                raise Invalid(f"unknown event: {event[:40]}", hint=", ".join(EVENTS))
            if not isinstance(body, list):
                return await self._frame(client, event, body)
            if len(body) > MAX_AT_ONCE:
                raise Invalid(f"too many frames in one event: {len(body)}", hint=f"send at most {MAX_AT_ONCE}")
        except MooringError as error:
            return _told(refusal(error, None))
        return await asyncio.gather(*(self._frame(client, event, each) for each in body))

    async def _frame(self, client: Client, event: str, body: Any) -> dict[str, Any]:
        seq: int | None = None
        try:
            frame, body = _frame_of(event, body)
            seq = frame.seq
            source = await self._source(client, frame)
            await self._ingest.room(WAIT_S)
            sink = OneReceipt(asyncio.get_running_loop())
            self._ingest.accept(source, frame, sink, body if frame.event_type is not None else None)
            receipt: Receipt = await committed(sink.future, COMMIT_DEADLINE_S)
        except MooringError as error:
            receipt = refusal(error, seq)
        return _told(receipt)

    async def _resume(self, client: Client, body: Any) -> dict[str, Any]:
        frame, _ = _frame_of("frame", body)
        source = await self._source(client, frame)
        last_seq = await self._ingest.last_seq(source, frame.boot_id)
        return {"type": "resume", "boot_id": frame.boot_id, "last_seq": last_seq}

    async def _source(self, client: Client, frame: Frame) -> Source:
        """Return the source a frame is for: the device's own, or one the person may report for."""
        device_id = frame.device_id
        if client.is_device:
            if device_id not in (None, client.actor.id, client.actor.name):
                raise Invalid("device_id is not the device of this credential")
            return self._ingest.sources.get(client.actor.id)
        if client.is_visitor:
            raise Denied("log in to send data", hint="connect with the device's token")
        if device_id is None:
            raise Invalid("frame names no device", hint="add device_id")
        known = client.sources.get(device_id)
        if known is None or known.gone:
            await self._registry.get(client.actor, device_id, "report")
            if len(client.sources) >= MAX_SOURCES:
                raise Exhausted(f"more than {MAX_SOURCES} devices on one connection")
            known = client.sources[device_id] = self._ingest.sources.get(device_id)
        return known


def _frame_of(event: str, body: Any) -> tuple[Frame, dict[str, Any]]:
    """Return the frame of an event, in its native form or in contract E's flat one."""
    if not isinstance(body, dict):
        raise Invalid("not a frame: an object is expected")
    told = dict(body)
    if "sensor_readings" not in told and "sensor_type" in told:
        told["sensor_readings"] = [{key: told[key] for key in _ONE_READING if key in told}]
    if event == "device_status_update" and "device_status" not in told:
        told["device_status"] = told.get("status")
    try:
        return msgspec.convert(told, Frame), body
    except (msgspec.ValidationError, RecursionError) as error:
        text = str(error)
        raise Invalid(f"not a frame: {text[:1].lower()}{text[1:200]}") from None


def _told(receipt: Receipt) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(receipt)
    return told
