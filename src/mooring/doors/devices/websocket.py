"""``ws /ws/device``: one JSON frame a message, a receipt for each that carries a seq, sent once it is on disk.

Plain ASGI. A connection holds no task of its own while idle; receipts that arrive start one that sends them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from mooring.devices.admission import Admission
from mooring.devices.presence import Presence
from mooring.doors.devices.burst import SendTexts, texts_of
from mooring.doors.devices.credentials import device_token
from mooring.doors.devices.payloads import Payloads
from mooring.doors.devices.receipts import Chooser, Raw, accept_many, choose_only, frame_in, offer, refusal
from mooring.doors.devices.sessions import Sessions
from mooring.kernel.errors import Invalid, MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import json

MAX_OWED = 4096
WAIT_S = 5.0
COMMIT_DEADLINE_S = 30.0


class DeviceDoor:
    """The WebSocket door; ``tasks`` owns what sends receipts."""

    def __init__(
        self,
        ingest: Ingest,
        admission: Admission,
        presence: Presence,
        sessions: Sessions,
        tasks: asyncio.TaskGroup,
        *,
        payloads: Payloads,
    ) -> None:
        self.ingest = ingest
        self.payloads = payloads
        self.tasks = tasks
        self._admission = admission
        self._presence = presence
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from handshake to close."""
        await receive()
        token = device_token(scope)
        device = await self._admission.admit(token) if token else None
        if device is None:
            await send({"type": "websocket.close", "code": 1008, "reason": "unknown device token"})
            return
        await send({"type": "websocket.accept"})
        choose = choose_only(self.ingest.sources.get(device.id), device.name)
        connection = Connection(self, self.ingest.sources.get(device.id), send, texts_of(scope), choose=choose)
        self._sessions.add(device.id, connection)
        self._presence.connected(device.id, "websocket")
        reason = "connection lost"
        try:
            reason = await connection.serve(receive)
        finally:
            self._sessions.remove(device.id, connection)
            self._presence.disconnected(device.id, reason)


class Connection:
    """One device on one socket."""

    def __init__(
        self, door: DeviceDoor, source: Source, send: Send, burst: SendTexts, *, choose: Chooser | None = None
    ) -> None:
        self._door = door
        self._ingest = door.ingest
        self._source = source
        self._choose = choose or choose_only(source)
        self._send = send
        self._burst = burst
        self._outbox: list[Receipt] = []
        self._sending = False
        self._owed = 0
        self._drained: asyncio.Event | None = None
        self._ended: str | None = None

    async def serve(self, receive: Receive) -> str:
        """Take messages until the socket closes; return why it did."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return self._ended or f"closed by the device ({message.get('code', 1005)})"
            text: str | bytes | None = message.get("text")
            frame: Frame | None = None
            try:
                if self._ingest.full or self._owed >= MAX_OWED:
                    await self._wait()
                if text is None:
                    data: bytes = message["bytes"]
                    if await self._bytes(data):
                        continue
                    text = data
                if text[:1] in ("[", b"["):
                    await self._array(text)
                    continue
                frame = json.decode_frame(text)
                await self._frame(frame, text) if frame.type is not None else self._take(frame, text)
            except MooringError as error:
                await self._refuse(error, frame)

    async def _bytes(self, data: bytes) -> bool:
        """Take the frames of a message in the codec the device declares; False if that is JSON."""
        frames = await self._door.payloads.spoken(self._source.device_id, data)
        for raw in frames or ():
            frame: Frame | None = None
            try:
                frame = frame_in(raw)
                self._take(frame, raw)
            except MooringError as error:
                await self._refuse(error, frame)
        return frames is not None

    def _take(self, frame: Frame, text: Raw) -> None:
        if frame.device_id is not None:
            self._choose(frame)
        sink = None if frame.seq is None else self
        if frame.event_type is None:
            self._ingest.accept(self._source, frame, sink)
        else:
            offer(self._ingest, self._source, frame, sink, text)
        if sink is not None:
            self._owed += 1

    async def _frame(self, frame: Frame, text: str | bytes) -> None:
        """Serve a message that names its type."""
        if frame.type == "resume":
            last_seq = await self._ingest.last_seq(self._source, frame.boot_id)
            await self._tell(json.encode({"type": "resume", "boot_id": frame.boot_id, "last_seq": last_seq}).decode())
        elif frame.type == "ping":
            await self._tell('{"type":"pong"}')
        elif frame.type in ("telemetry", "event", "status", "heartbeat"):
            self._take(frame, text)
        else:
            raise Invalid(
                f"unknown type: {frame.type[:40] if frame.type else ''}",
                hint="telemetry, event, status, heartbeat, resume, ping",
            )

    async def _array(self, text: str | bytes) -> None:
        receipts = await accept_many(self._ingest, self._choose, json.split_array(text), COMMIT_DEADLINE_S)
        await self._tell("[" + ",".join(map(json.encode_receipt, receipts)) + "]")

    async def _wait(self) -> None:
        """Stop reading while the store is behind, or while this device leaves its receipts lying."""
        await self._ingest.room(WAIT_S)
        if self._owed >= MAX_OWED:
            self._drained = asyncio.Event()
            await self._drained.wait()

    async def _refuse(self, error: MooringError, frame: Frame | None) -> None:
        self._source.rejected += 1
        if frame is not None and frame.seq is not None:
            await self._tell(json.encode_receipt(refusal(error, frame.seq)))
        else:
            told: dict[str, Any] = {"error": error.message, "code": error.code}
            if error.hint:
                told["hint"] = error.hint
            await self._tell(json.encode(told).decode())

    def settled(self, receipts: list[Receipt]) -> None:
        """Take receipts from a commit; they leave at once, or in order from a task if the device reads slowly."""
        if not self._sending and self._burst(map(json.encode_receipt, receipts)):
            self._paid(len(receipts))
            return
        self._outbox += receipts
        if not self._sending:
            self._sending = True
            self._door.tasks.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._outbox:
                receipts, self._outbox = self._outbox, []
                for receipt in receipts:
                    await self._send({"type": "websocket.send", "text": json.encode_receipt(receipt)})
                self._paid(len(receipts))
        except (OSError, RuntimeError):
            # The device is gone; what it was not told it will ask again, and be told "duplicate".
            self._outbox.clear()
            self._paid(self._owed)
        finally:
            self._sending = False

    def _paid(self, count: int) -> None:
        """Count receipts as told; a device that was held back for them is listened to again."""
        self._owed -= count
        if self._drained is not None and self._owed < MAX_OWED:
            self._drained.set()
            self._drained = None

    async def _tell(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except (OSError, RuntimeError):
            return

    def end(self, reason: str) -> None:
        """Close the socket with a policy code."""
        self._ended = reason
        self._door.tasks.create_task(self._close(reason))

    async def _close(self, reason: str) -> None:
        try:
            await self._send({"type": "websocket.close", "code": 1008, "reason": reason})
        except (OSError, RuntimeError):
            return
