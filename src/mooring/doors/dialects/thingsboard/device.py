"""A device's own topics over MQTT: telemetry, attributes, calls both ways, claiming, firmware chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from mooring.doors.devices.calls import Call, Calls
from mooring.doors.devices.mqtt.session import Answer, Session
from mooring.doors.devices.mqtt.speech import Handler, Pattern
from mooring.doors.dialects.thingsboard import samples
from mooring.doors.dialects.thingsboard.attributes import Attributes
from mooring.doors.dialects.thingsboard.families import (
    CHUNK,
    CHUNK_ERROR,
    CHUNK_FILTERS,
    CLAIM,
    FAMILIES,
    V1,
    Family,
    numbered,
)
from mooring.doors.dialects.thingsboard.limits import answer_to, session_limits
from mooring.doors.dialects.thingsboard.parts import Parts
from mooring.wire import json, thingsboard
from mooring.wire.mqtt.packets import Publish
from mooring.wire.mqtt.reasons import IMPLEMENTATION_ERROR

_ATTRIBUTE_EAR: Final = "tb.attributes"
_CALL_EAR: Final = "tb.calls"


class DeviceTopics:
    """What devices of this API say and hear."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._attributes: Attributes = parts.attributes
        self._calls: Calls = parts.calls
        topics: dict[str, Handler] = {CLAIM: self._claim}
        patterns: list[Pattern] = [(CHUNK, self._chunk)]
        self._subscriptions: dict[str, tuple[Callable[[Session, Family], None], str, Family]] = {}
        for family in FAMILIES:
            topics[family.telemetry] = self._telemetry
            topics[family.attributes] = self._report
            patterns += (
                (numbered(family.attribute_request), partial(self._request, family)),
                (numbered(family.call_to_server), partial(self._asked, family)),
                (numbered(family.answer_of_device), self._called),
            )
            self._subscriptions[family.attributes] = (self._push, _ATTRIBUTE_EAR, family)
            self._subscriptions[f"{family.call_to_device}+"] = (self._call, _CALL_EAR, family)
        self.topics: Mapping[str, Handler] = topics
        self.patterns: Sequence[Pattern] = patterns
        self.filters = frozenset({one for family in FAMILIES for one in family.filters}.union(CHUNK_FILTERS))

    # -- what devices say

    def _telemetry(self, session: Session, message: Publish, answer: Answer) -> None:
        frames = samples.frames_of(thingsboard.telemetry(message.payload), self._parts.clock)
        if not frames:
            answer.done()
            return
        answer.waiting = len(frames)
        samples.accept(self._parts.ingest, session.source, frames, answer)

    def _report(self, session: Session, message: Publish, answer: Answer) -> None:
        session.spawn(self._keep(session, thingsboard.attributes(message.payload), answer), answer)

    async def _keep(self, session: Session, reported: dict[str, Any], answer: Answer) -> None:
        await self._attributes.twins.change(session.device.id, "reported", reported)
        answer.done()

    def _request(self, family: Family, session: Session, message: Publish, answer: Answer) -> None:
        request = thingsboard.attribute_request(message.payload)
        number = message.topic.rpartition("/")[2]
        session.spawn(self._respond(family, session, request, number, answer), answer)

    async def _respond(
        self, family: Family, session: Session, request: thingsboard.AttributeRequest, number: str, answer: Answer
    ) -> None:
        found = await self._attributes.asked(session.device.id, request)
        answer.done()
        _say(session, family.attribute_response, number, found)

    def _asked(self, family: Family, session: Session, message: Publish, answer: Answer) -> None:
        question = thingsboard.question(message.payload)
        number = message.topic.rpartition("/")[2]
        if family is V1 and question.method == "getSessionLimits":
            session.spawn(self._limits(session, number, answer), answer)
            return
        answer.done()
        _say(session, family.answer_of_server, number, answer_to(question, self._parts.clock))

    async def _limits(self, session: Session, number: str, answer: Answer) -> None:
        gateway = await self._parts.is_gateway(session.device.id)
        answer.done()
        _say(session, V1.answer_of_server, number, session_limits(gateway=gateway))

    def _called(self, session: Session, message: Publish, answer: Answer) -> None:
        body = thingsboard.parse(message.payload) if message.payload else None
        # An answer that comes too late is dropped, and acknowledged all the same.
        self._calls.answer(session.device.id, int(message.topic.rpartition("/")[2]), body)
        answer.done()

    def _claim(self, session: Session, message: Publish, answer: Answer) -> None:
        secret, duration_ms = thingsboard.claim(message.payload)
        session.spawn(self._offer(session, secret, duration_ms, answer), answer)

    async def _offer(self, session: Session, secret: str, duration_ms: int, answer: Answer) -> None:
        await self._parts.claims.offer(session.device.id, secret, duration_ms / 1000)
        answer.done()

    def _chunk(self, session: Session, _: Publish, answer: Answer) -> None:
        session.spawn(self._no_package(session, answer), answer)

    async def _no_package(self, session: Session, answer: Answer) -> None:
        """Say that no package is assigned: the PUBACK first, then the error, then the end."""
        answer.done()
        await asyncio.sleep(0)
        session.publish(CHUNK_ERROR, b"NOT_FOUND")
        session.close(IMPLEMENTATION_ERROR, "asked for a package, but none is assigned")

    # -- what devices hear

    def _push(self, session: Session, family: Family) -> None:
        def ear(changed: dict[str, Any]) -> None:
            session.publish(family.attributes, json.encode(changed))

        self._attributes.listen(session.device.id, ear)
        session.memory[_ATTRIBUTE_EAR] = (family, ear)

    def _call(self, session: Session, family: Family) -> None:
        def ear(call: Call) -> None:
            body = json.encode({"method": call.method, "params": call.params})
            topic = f"{family.call_to_device}{call.number}"
            session.publish(topic, body, under=f"{family.call_to_device}+", acked=call.arrived)

        session.memory[_CALL_EAR] = (family, ear)
        self._calls.listen(session.device.id, ear)

    def opened(self, session: Session) -> None:
        """Nothing is due to a session that has subscribed to nothing."""

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """Begin to push; of several families the one subscribed to last is spoken."""
        wanted = self._subscriptions.get(topic_filter)
        if wanted is not None:
            begin, name, family = wanted
            self._stop(session, name)
            begin(session, family)

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """Push no longer."""
        wanted = self._subscriptions.get(topic_filter)
        if wanted is not None and session.memory.get(wanted[1], (None,))[0] is wanted[2]:
            self._stop(session, wanted[1])

    def closed(self, session: Session) -> None:
        """Forget a session."""
        self._stop(session, _ATTRIBUTE_EAR)
        self._stop(session, _CALL_EAR)

    def _stop(self, session: Session, name: str) -> None:
        held = session.memory.pop(name, None)
        if held is None:
            return
        if name == _CALL_EAR:
            self._calls.leave(session.device.id, held[1])
        else:
            self._attributes.leave(session.device.id, held[1])


def _say(session: Session, start: str, number: str, body: Any) -> None:
    session.publish(start + number, json.encode(body), under=f"{start}+")
