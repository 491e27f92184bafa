"""The gateway's topics: one connection that speaks for many devices, which are registered as they are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from mooring.devices.twin.model import Change
from mooring.doors.devices.calls import Call
from mooring.doors.devices.mqtt.session import Answer, Session
from mooring.doors.devices.mqtt.speech import Handler, Pattern
from mooring.doors.dialects.thingsboard import samples
from mooring.doors.dialects.thingsboard.parts import Parts
from mooring.kernel.errors import Denied, Exhausted
from mooring.telemetry.sources import Source
from mooring.wire import json, thingsboard
from mooring.wire.mqtt.packets import Publish

_ROOT: Final = "v1/gateway/"
CONNECT: Final = _ROOT + "connect"
DISCONNECT: Final = _ROOT + "disconnect"
TELEMETRY: Final = _ROOT + "telemetry"
ATTRIBUTES: Final = _ROOT + "attributes"
REQUEST: Final = _ROOT + "attributes/request"
RESPONSE: Final = _ROOT + "attributes/response"
RPC: Final = _ROOT + "rpc"
CLAIM: Final = _ROOT + "claim"
MAX_SUBDEVICES: Final = 5_000
_NAME: Final = "tb.gateway"


class NotAGateway(Denied):
    """The device may not speak for others."""

    code: ClassVar[str] = "not_a_gateway"


class TooManySubdevices(Exhausted):
    """One gateway connection speaks for more devices than it may."""

    code: ClassVar[str] = "too_many_subdevices"


class Subdevice:
    """A device behind a gateway, while the gateway speaks for it."""

    def __init__(self, gateway: Gateway, name: str, source: Source) -> None:
        self._gateway = gateway
        self.name = name
        self.source = source

    @property
    def device_id(self) -> str:
        """Return its id."""
        return self.source.device_id

    def changed(self, attributes: dict[str, Any]) -> None:
        """Push changed shared attributes."""
        self._gateway.session.publish(ATTRIBUTES, json.encode({"device": self.name, "data": attributes}))

    def called(self, call: Call) -> None:
        """Push a call."""
        data = {"id": call.number, "method": call.method, "params": call.params}
        body = json.encode({"device": self.name, "data": data})
        self._gateway.session.publish(RPC, body, acked=call.arrived)

    def end(self, reason: str) -> None:
        """Stop speaking for it: it was deleted, or its credential was revoked."""
        self._gateway.drop(self.name, reason)


class Gateway:
    """What is remembered of one gateway connection."""

    def __init__(self, parts: Parts, session: Session) -> None:
        self._parts = parts
        self.session = session
        self.subdevices: dict[str, Subdevice] = {}
        self._closed = False

    async def subdevice(self, name: str, device_type: str = "default") -> Subdevice:
        """Return the device of this name, registered for the gateway's owner if there is none."""
        known = self.subdevices.get(name)
        if known is not None:
            return known
        if len(self.subdevices) >= MAX_SUBDEVICES:
            raise TooManySubdevices(f"a gateway speaks for at most {MAX_SUBDEVICES} devices")
        owner_id = self.session.device.owner_id
        device_id = await self._parts.arrivals.device(name, device_type, owner_id=owner_id)
        if name not in self.subdevices and not self._closed:
            self._enter(Subdevice(self, name, self._parts.ingest.sources.get(device_id)))
        return self.subdevices.get(name) or Subdevice(self, name, self._parts.ingest.sources.get(device_id))

    def _enter(self, subdevice: Subdevice) -> None:
        self.subdevices[subdevice.name] = subdevice
        self._parts.sessions.add(subdevice.device_id, subdevice)
        self._parts.presence.connected(subdevice.device_id, f"gateway {self.session.device.name}")
        self._parts.attributes.listen(subdevice.device_id, subdevice.changed)
        self._parts.calls.listen(subdevice.device_id, subdevice.called)

    def drop(self, name: str, reason: str) -> None:
        """Speak no longer for a device."""
        subdevice = self.subdevices.pop(name, None)
        if subdevice is not None:
            self._parts.calls.leave(subdevice.device_id, subdevice.called)
            self._parts.attributes.leave(subdevice.device_id, subdevice.changed)
            self._parts.sessions.remove(subdevice.device_id, subdevice)
            self._parts.presence.disconnected(subdevice.device_id, reason)

    def close(self) -> None:
        """The gateway is gone, and all its devices with it."""
        self._closed = True
        for name in list(self.subdevices):
            self.drop(name, "gateway gone")


Work = Callable[[Gateway, bytes, Answer], Any]


class GatewayTopics:
    """What gateways say and hear."""

    filters: Final = frozenset({ATTRIBUTES, RESPONSE, RPC, DISCONNECT})

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.topics: Mapping[str, Handler] = {
            CONNECT: self._by(self._connect),
            DISCONNECT: self._by(self._disconnect),
            TELEMETRY: self._telemetry,
            ATTRIBUTES: self._by(self._report),
            REQUEST: self._by(self._request),
            RPC: self._by(self._called),
            CLAIM: self._by(self._claim),
        }
        self.patterns: Sequence[Pattern] = ()

    def _by(self, work: Work) -> Handler:
        """Return a handler that lets gateways only, and waits."""

        def handler(session: Session, message: Publish, answer: Answer) -> None:
            session.spawn(self._work(work, session, message.payload, answer), answer)

        return handler

    async def _work(self, work: Work, session: Session, data: bytes, answer: Answer) -> None:
        await work(await self._gateway(session), data, answer)

    async def _gateway(self, session: Session) -> Gateway:
        gateway = session.memory.get(_NAME)
        if gateway is None:
            if not await self._parts.is_gateway(session.device.id):
                raise NotAGateway("this device is no gateway", hint='set "gateway": true in its configuration')
            gateway = session.memory.setdefault(_NAME, Gateway(self._parts, session))
        assert isinstance(gateway, Gateway)  # noqa: S101 - nobody else uses this name
        return gateway

    async def _connect(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        await gateway.subdevice(*thingsboard.named_device(data))
        answer.done()

    async def _disconnect(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        gateway.drop(thingsboard.named_device(data)[0], "disconnected by its gateway")
        answer.done()

    # -- telemetry: at once if all devices are known, which is the rule

    def _telemetry(self, session: Session, message: Publish, answer: Answer) -> None:
        gateway = session.memory.get(_NAME)
        told = thingsboard.gateway_telemetry(message.payload)
        if isinstance(gateway, Gateway) and told.keys() <= gateway.subdevices.keys():
            self._store(told, gateway.subdevices, answer)
        else:
            session.spawn(self._introduce(session, told, answer), answer)

    async def _introduce(self, session: Session, told: dict[str, list[thingsboard.Sample]], answer: Answer) -> None:
        gateway = await self._gateway(session)
        self._store(told, {name: await gateway.subdevice(name) for name in told}, answer)

    def _store(
        self, told: dict[str, list[thingsboard.Sample]], subdevices: Mapping[str, Subdevice], answer: Answer
    ) -> None:
        """Store the samples of all devices; one answer when the last is on disk."""
        frames = {name: samples.frames_of(said, self._parts.clock) for name, said in told.items()}
        answer.waiting = sum(map(len, frames.values()))
        if not answer.waiting:
            answer.done()
        for name, one in frames.items():
            samples.accept(self._parts.ingest, subdevices[name].source, one, answer)

    # -- attributes

    async def _report(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        told = thingsboard.gateway_attributes(data)
        changes = [Change((await gateway.subdevice(name)).device_id, "reported", body) for name, body in told.items()]
        await self._parts.attributes.twins.change_many(changes)
        answer.done()

    async def _request(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        asked = thingsboard.gateway_request(data)
        device = await gateway.subdevice(asked.device)
        found = await self._parts.attributes.asked(device.device_id, asked.request)
        values = {**found.get("shared", {}), **found.get("client", {})}
        told: dict[str, Any] = {"id": asked.number, "device": asked.device}
        if asked.single and values:
            told["value"] = next(iter(values.values()))
        elif values:
            told["values"] = values
        answer.done()
        gateway.session.publish(RESPONSE, json.encode(told))

    # -- calls and claims

    async def _called(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        told = thingsboard.gateway_answer(data)
        known = gateway.subdevices.get(told.device)
        if known is not None:
            self._parts.calls.answer(known.device_id, told.number, told.body)
        answer.done()

    async def _claim(self, gateway: Gateway, data: bytes, answer: Answer) -> None:
        for name, (secret, duration_ms) in thingsboard.gateway_claims(data).items():
            device = await gateway.subdevice(name)
            await self._parts.claims.offer(device.device_id, secret, duration_ms / 1000)
        answer.done()

    # -- the life of a session

    def opened(self, session: Session) -> None:
        """A gateway shows itself by what it says."""

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """A gateway is told of its devices whether it subscribes or not."""

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """As above."""

    def closed(self, session: Session) -> None:
        """End the presence of its devices."""
        gateway = session.memory.pop(_NAME, None)
        if isinstance(gateway, Gateway):
            gateway.close()
