"""The two channels of a robot: data with one confirmation per frame once it is stored, and commands."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.types import Receive

from mooring.devices.bounds import clipped
from mooring.devices.model import AdmittedDevice
from mooring.doors.dialects.channels.hub import Hub
from mooring.doors.dialects.outbox import Outbox
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Invalid, MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.check import time_us
from mooring.telemetry.ingest import Ingest
from mooring.wire import json

DATA_FRAME = 1
WAIT_S = 5.0
_DONE = ("stored", "duplicate")
_STATE_CHARS = 200


class Said(NamedTuple):
    """What a data frame says: its id as it came, the frame, the state, the values."""

    number: Any
    frame: Frame
    state: str
    values: dict[str, Any]


class DataChannel:
    """Takes data frames of one robot."""

    def __init__(self, device: AdmittedDevice, ingest: Ingest, hub: Hub, clock: Clock, *, outbox: Outbox) -> None:
        self.device_id = device.id
        self.hub = hub
        self.outbox = outbox
        self._ingest = ingest
        self._clock = clock
        self._source = ingest.sources.get(device.id)

    async def serve(self, receive: Receive) -> None:
        """Take frames until the channel closes."""
        while (message := await receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await self._frame(message["bytes"] if text is None else text)

    async def _frame(self, text: str | bytes) -> None:
        number: Any = None
        try:
            body = json.decode_object(text)
            number = body.get("id")
            said = understood(body, self._clock.now_us())
            await self._ingest.room(WAIT_S)
            await self.outbox.room()
            self._ingest.accept(self._source, said.frame, _Confirmation(self, said))
        except MooringError:
            self._source.rejected += 1
            self.confirm(number, good=False)

    def confirm(self, number: Any, *, good: bool) -> None:
        """Answer one frame."""
        told = {"status": "ok" if good else "error", "id": number}
        self.outbox.put_all([json.encode(told).decode()])

    def end(self, reason: str) -> None:
        """Close the channel: the robot was deleted or its token changed."""
        self.outbox.close(1008, reason)


class _Confirmation:
    """The one answer a frame gets."""

    __slots__ = ("_channel", "_said")

    def __init__(self, channel: DataChannel, said: Said) -> None:
        self._channel = channel
        self._said = said

    def settled(self, receipts: list[Receipt]) -> None:
        """Confirm the frame, and show it to those who watch."""
        good = receipts[0].status in _DONE
        self._channel.confirm(self._said.number, good=good)
        if good:
            self._channel.hub.stored(self._channel.device_id, self._said.state, self._said.values)


class CommandChannel:
    """Waits for commands; what the robot says here is not asked for."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    async def serve(self, receive: Receive) -> None:
        """Stay until the channel closes."""
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def end(self, reason: str) -> None:
        """Close the channel."""
        self.outbox.close(1008, reason)


def understood(body: dict[str, Any], now_us: int) -> Said:
    """Return what a data frame says; raises ``Invalid``."""
    if body.get("type", DATA_FRAME) != DATA_FRAME:
        raise Invalid("type is not that of a data frame")
    state, data = body.get("state"), body.get("data")
    if state is not None and not isinstance(state, str):
        raise Invalid("state is not text")
    if not isinstance(data, dict):
        raise Invalid("data is missing")
    values = {key: value for key, value in data.items() if key != "datetime" and value is not None}
    told = clipped(state, _STATE_CHARS) if state else None
    stamp = _stamp(data.get("datetime"), now_us)
    return Said(body.get("id"), Frame(sensor_readings=values, timestamp=stamp, device_status=told), state or "", values)


def _stamp(given: Any, now_us: int) -> int | float | str | None:
    """Return a time we can use; without one the time of receipt counts."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        time_us(given, now_us)
    except Invalid:
        return None
    return given
