"""Our own topics, ``mooring/v1/…``: frames as on every other door, receipts, commands and the twin.

A client that subscribes to ``mooring/v1/receipts`` is told of every frame that carries a seq what became of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from mooring.devices.twin.service import Twins
from mooring.doors.devices.calls import Call, Calls
from mooring.doors.devices.mqtt.session import Answer, Session
from mooring.doors.devices.mqtt.speech import Handler, Pattern
from mooring.doors.devices.receipts import choose_only, offer, refusal
from mooring.kernel.bus import Bus
from mooring.kernel.errors import Invalid, MooringError
from mooring.kernel.events import TwinChanged
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.wire import json
from mooring.wire.mqtt.packets import Publish

ROOT: Final = "mooring/v1/"
RECEIPTS: Final = ROOT + "receipts"
COMMANDS: Final = ROOT + "commands"
DESIRED: Final = ROOT + "twin/desired"
TWIN: Final = ROOT + "twin"
_EAR = "own.ear"


class _Told:
    """The receipts of one message: published when the last has come, then handed to the answer."""

    __slots__ = ("_answer", "_array", "_receipts", "_session")

    def __init__(self, session: Session, answer: Answer, count: int, *, array: bool) -> None:
        self._session = session
        self._answer = answer
        self._receipts: list[Receipt | None] = [None] * count
        self._array = array
        answer.waiting = count

    def put(self, index: int, receipt: Receipt) -> None:
        """Take the receipt of frame number `index`."""
        self._receipts[index] = receipt
        if self._answer.waiting == 1 and RECEIPTS in self._session.subscriptions:
            self._publish()
        self._answer.settled([receipt])

    def _publish(self) -> None:
        told = [json.encode_receipt(receipt) for receipt in self._receipts if receipt is not None]
        if self._array:
            self._session.publish(RECEIPTS, f"[{','.join(told)}]".encode())
        elif self._receipts[0] is not None and (self._receipts[0].seq is not None or self._answer.refused):
            self._session.publish(RECEIPTS, told[0].encode())


class _Slot:
    """The place of one frame in its message."""

    __slots__ = ("_index", "_told")

    def __init__(self, told: _Told, index: int) -> None:
        self._told = told
        self._index = index

    def settled(self, receipts: list[Receipt]) -> None:
        """Take the one receipt."""
        self._told.put(self._index, receipts[0])


class OwnTopics:
    """The native speech of MQTT devices."""

    filters: Final = frozenset({RECEIPTS, COMMANDS, DESIRED, TWIN})

    def __init__(self, ingest: Ingest, twins: Twins, calls: Calls, bus: Bus) -> None:
        self._ingest = ingest
        self._twins = twins
        self._calls = calls
        self._bus = bus
        self._desiring: dict[str, set[Session]] = {}
        self.topics: Mapping[str, Handler] = {
            ROOT + "telemetry": self._frames,
            ROOT + "events": self._events,
            ROOT + "status": self._status,
            ROOT + "twin/reported": self._reported,
            ROOT + "twin/get": self._ask_twin,
        }
        result = re.compile(re.escape(COMMANDS) + r"/([0-9]{1,10})/result")
        self.patterns: Sequence[Pattern] = ((result, self._result),)

    # -- frames

    def _frames(self, session: Session, message: Publish, answer: Answer) -> None:
        """Take one frame or an array of them."""
        answer.lenient = True
        answer.told = hears = RECEIPTS in session.subscriptions
        payload = message.payload
        if payload[:1] == b"[":
            self._array(session, payload, answer)
            return
        try:
            frame = json.decode_frame(payload)
            if hears:
                sink: Any = _Slot(_Told(session, answer, 1, array=False), 0)
            else:
                sink = answer if message.qos else None
            self._accept(session, frame, payload, sink)
        except MooringError as error:
            if hears:
                self._tell(session, refusal(error, _seq_of(payload)))
            raise

    def _array(self, session: Session, payload: bytes, answer: Answer) -> None:
        raws = json.split_array(payload)
        if not raws:
            answer.done()
            return
        told = _Told(session, answer, len(raws), array=True)
        for index, raw in enumerate(raws):
            frame: Frame | None = None
            try:
                frame = json.decode_frame(raw)
                self._accept(session, frame, raw, _Slot(told, index))
            except MooringError as error:
                told.put(index, refusal(error, frame.seq if frame else None))

    def _accept(self, session: Session, frame: Frame, payload: bytes | msgspec.Raw, sink: Any) -> None:
        if frame.device_id is not None:
            choose_only(session.source)(frame)
        offer(self._ingest, session.source, frame, sink, payload)

    def _tell(self, session: Session, receipt: Receipt) -> None:
        session.publish(RECEIPTS, json.encode_receipt(receipt).encode())

    def _events(self, session: Session, message: Publish, answer: Answer) -> None:
        self._frames_with("event_type", session, message, answer)

    def _status(self, session: Session, message: Publish, answer: Answer) -> None:
        self._frames_with("device_status", session, message, answer)

    def _frames_with(self, wanted: str, session: Session, message: Publish, answer: Answer) -> None:
        answer.lenient = True
        if message.payload[:1] != b"[" and getattr(json.decode_frame(message.payload), wanted) is None:
            raise Invalid(f"frame without {wanted}")
        self._frames(session, message, answer)

    # -- commands

    def _result(self, session: Session, message: Publish, answer: Answer) -> None:
        answer.lenient = True
        number = int(message.topic.split("/")[-2])
        self._calls.answer(session.device.id, number, json.decode_object(message.payload))
        answer.done()

    def _listen(self, session: Session) -> None:
        def ear(call: Call) -> None:
            command = {"type": "command", "id": str(call.number), "command_type": call.method}
            body = json.encode({**command, "parameters": call.params})
            session.publish(COMMANDS, body, acked=call.arrived)

        if _EAR not in session.memory:
            session.memory[_EAR] = ear
            self._calls.listen(session.device.id, ear)

    def _deafen(self, session: Session) -> None:
        ear = session.memory.pop(_EAR, None)
        if ear is not None:
            self._calls.leave(session.device.id, ear)

    # -- the twin

    def _reported(self, session: Session, message: Publish, answer: Answer) -> None:
        answer.lenient = True
        session.spawn(self._report(session, json.decode_object(message.payload), answer), answer)

    async def _report(self, session: Session, patch: dict[str, Any], answer: Answer) -> None:
        await self._twins.change(session.device.id, "reported", patch)
        answer.done()

    def _ask_twin(self, session: Session, _: Publish, answer: Answer) -> None:
        session.spawn(self._tell_twin(session, answer), answer)

    async def _tell_twin(self, session: Session, answer: Answer) -> None:
        twin = await self._twins.get(session.device.id)
        answer.done()
        told = {"version": twin.version, "desired": twin.desired, "reported": twin.reported}
        session.publish(TWIN, json.encode(told))

    async def run(self) -> None:
        """Push changes of the desired side to who subscribed, until cancelled."""
        async for event in self._bus.subscribe(TwinChanged, capacity=10_000):
            if isinstance(event, TwinChanged) and event.part == "desired":
                patch = {**event.changed, **dict.fromkeys(event.removed)}
                body = json.encode({"version": event.version, "desired": patch})
                for session in self._desiring.get(event.device_id, ()):
                    session.publish(DESIRED, body)

    # -- the life of a session

    def opened(self, session: Session) -> None:
        """Nothing is due to a session that has subscribed to nothing."""

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """Begin to tell what was asked for."""
        if topic_filter == COMMANDS:
            self._listen(session)
        elif topic_filter == DESIRED:
            self._desiring.setdefault(session.device.id, set()).add(session)

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """Tell it no longer."""
        if topic_filter == COMMANDS:
            self._deafen(session)
        elif topic_filter == DESIRED:
            self._forget(session)

    def closed(self, session: Session) -> None:
        """Forget a session."""
        self._deafen(session)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        held = self._desiring.get(session.device.id)
        if held is not None:
            held.discard(session)
            if not held:
                del self._desiring[session.device.id]


def _seq_of(payload: bytes) -> int | None:
    try:
        return json.decode_frame(payload).seq
    except Invalid:
        return None
