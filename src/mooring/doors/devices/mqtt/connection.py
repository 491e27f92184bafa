"""One socket: bytes in, packets to their handlers, bytes out; deadlines and back-pressure. No task while idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from mooring.devices.model import AdmittedDevice
from mooring.doors.devices.mqtt.greeting import connack_of, keep_alive_of, name_for
from mooring.doors.devices.mqtt.house import House
from mooring.doors.devices.mqtt.session import RECEIVE_MAXIMUM, Answer, Session
from mooring.kernel.errors import Exhausted, MooringError
from mooring.kernel.ids import new_id
from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt import properties as prop
from mooring.wire.mqtt import reasons as r
from mooring.wire.mqtt.encode import PINGRESP, encode
from mooring.wire.mqtt.stream import Stream

CONNECT_DEADLINE_S: Final = 10.0
PACKET_DEADLINE_S: Final = 30.0
LINGER_S: Final = 5.0
GUEST_S: Final = 60.0
MAX_OWED: Final = 1000
MAX_BUSY: Final = 100
MAX_SUBSCRIPTIONS: Final = 100
ROOM_S: Final = 5.0
_FIVE = 5
# Why reading is paused, as bits.
_GREETING, _WRITING, _STORE, _OWED, _BUSY = 1, 2, 4, 8, 16


class Connection(asyncio.Protocol):
    """One client on one socket."""

    __slots__ = (
        "_begun",
        "_busy",
        "_door",
        "_early",
        "_flushing",
        "_heard",
        "_loop",
        "_patience_s",
        "_paused",
        "_reason",
        "_session",
        "_speeches",
        "_stream",
        "_timer",
        "_transport",
    )

    def __init__(self, door: House) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._stream = Stream(door.max_packet)
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._speeches = door.speeches
        self._timer: asyncio.TimerHandle | None = None
        self._early: list[p.Packet] = []
        self._heard = self._begun = 0.0
        self._patience_s = CONNECT_DEADLINE_S
        self._paused = self._busy = 0
        self._flushing = False
        self._reason = ""

    # -- asyncio.Protocol

    def connection_made(self, transport: Any) -> None:
        """Start the clock: CONNECT must come soon."""
        self._transport = transport
        if not self._door.opened(self):
            transport.abort()
            return
        transport.set_write_buffer_limits(high=64 * 1024)
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(CONNECT_DEADLINE_S, self._watch)

    def data_received(self, data: bytes) -> None:
        """Serve the packets that `data` completes."""
        if self._transport is None:
            return
        packets = self._stream.feed(data)
        if packets:
            self._heard = self._loop.time()
            if self._session is None:
                self._greet(packets)
            else:
                self._serve(packets)
        if self._stream.error is not None:
            self._fail(self._stream.error)
        elif self._stream.partial and (packets or not self._begun):
            self._wait_for_rest()
        elif not self._stream.partial:
            self._begun = 0.0

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read."""
        self._pause(_WRITING)

    def resume_writing(self) -> None:
        """Read on."""
        self._resume(_WRITING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._door.closed(self)
        session, self._session = self._session, None
        if session is not None:
            self._speeches.closed(session)
            if session.device.id:
                why = self._reason or ("connection lost" if exc else "connection closed without a farewell")
                self._door.left(self, session.device.id, session.client_id, why)

    # -- the first packet

    def _greet(self, packets: list[p.Packet]) -> None:
        """Take CONNECT; what was sent behind it waits until it is answered."""
        first = packets[0]
        if self._paused & _GREETING or not isinstance(first, p.Connect):
            self._early += packets
            return
        self._early += packets[1:]
        self._pause(_GREETING)
        self._door.start(self._admit(first))

    async def _admit(self, connect: p.Connect) -> None:
        address = self._transport.get_extra_info("peername") if self._transport else None
        try:
            reason, device = await self._door.admit(connect, address[0] if address else "")
        except MooringError:
            reason, device = r.UNAVAILABLE, AdmittedDevice("", "", "")
        if not reason and not connect.client_id and not connect.clean and connect.level < _FIVE:
            reason = r.CLIENT_ID_INVALID
        if not reason and connect.properties and prop.AUTH_METHOD in connect.properties:
            reason = r.BAD_METHOD
        if self._transport is None:
            return
        if reason:
            self._transport.write(encode(connack_of(connect, reason), connect.level))
            self.close(r.SUCCESS, "refused")
            return
        self._enter(connect, device)

    def _enter(self, connect: p.Connect, device: AdmittedDevice) -> None:
        client_id = connect.client_id or name_for(new_id())
        self._session = session = Session(self, device, self._door.ingest.sources.get(device.id), connect, client_id)
        self._patience_s = keep_alive_of(connect) * 1.5
        self.write(encode(connack_of(connect, r.SUCCESS, client_id, self._door.max_packet), connect.level))
        if device.id:
            self._door.entered(self, device.id, client_id)
        else:
            self._speeches = self._door.guest_speeches
            self._door.visited(self)
            self._loop.call_later(GUEST_S, self.close, r.ADMINISTRATIVE, "guests do not stay")
        self._speeches.opened(session)
        if self._timer is not None:
            self._timer.cancel()
            self._watch()
        self._resume(_GREETING)
        early, self._early = self._early, []
        self._serve(early)

    # -- all others

    def _serve(self, packets: list[p.Packet]) -> None:
        for packet in packets:
            session = self._session
            if session is None or self._transport is None:
                return
            if type(packet) is p.Publish:
                self._publish(session, packet)
            else:
                serve = _SERVED.get(type(packet))
                if serve is None:
                    self._fail(r.PacketRefused("a packet that clients do not send", r.PROTOCOL_ERROR))
                    return
                serve(self, session, packet)
        if self._door.ingest.full and not self._paused & _STORE:
            self._pause(_STORE)
            self._door.start(self._wait_for_room())

    def _publish(self, session: Session, packet: p.Publish) -> None:
        if packet.qos > 1:
            self._fail(r.PacketRefused("QoS 2", r.QOS_UNSUPPORTED))
            return
        if packet.properties and prop.TOPIC_ALIAS in packet.properties:
            self._fail(r.PacketRefused("topic alias", r.TOPIC_ALIAS_INVALID))
            return
        answer = session.owe(packet.packet_id)
        if len(session.owed) > RECEIVE_MAXIMUM and not self._may_owe(session):
            return
        handler = self._speeches.handler(packet.topic)
        if handler is None:
            answer.foreign()
            return
        try:
            handler(session, packet, answer)
        except MooringError as error:
            answer.refuse(error)

    def _may_owe(self, session: Session) -> bool:
        """Judge a client with many messages on their way: version 5 was told how many it may have."""
        if session.level >= _FIVE:
            self._fail(r.PacketRefused("more than Receive Maximum", r.RECEIVE_MAXIMUM_EXCEEDED))
            return False
        if len(session.owed) >= MAX_OWED:
            self._pause(_OWED)
        return True

    def _puback(self, session: Session, packet: p.Ack) -> None:
        if packet.kind != p.PUBACK:
            self._fail(r.PacketRefused("QoS 2", r.QOS_UNSUPPORTED))
        else:
            session.acknowledged(packet.packet_id)

    def _subscribe(self, session: Session, packet: p.Subscribe) -> None:
        if packet.properties and prop.SUBSCRIPTION_ID in packet.properties:
            self._fail(r.PacketRefused("subscription identifiers are not offered", 0xA1))
            return
        reasons = [self._granted(session, wish) for wish in packet.wishes]
        self.write(encode(p.Suback(packet.packet_id, reasons), session.level))
        for wish, reason in zip(packet.wishes, reasons, strict=True):
            if reason <= 1:
                self._speeches.subscribed(session, wish.topic_filter)

    def _granted(self, session: Session, wish: p.Wish) -> int:
        """Return the QoS of a subscription, or why there is none; only known filters are granted, word for word."""
        full = len(session.subscriptions) >= MAX_SUBSCRIPTIONS
        if full or not self._speeches.grants(wish.topic_filter):
            if session.level < _FIVE:
                return r.OLD_SUBSCRIBE_FAILURE
            return r.SHARED_UNSUPPORTED if wish.topic_filter.startswith("$share/") else r.FILTER_INVALID
        session.subscriptions[wish.topic_filter] = qos = min(wish.qos, 1)
        return qos

    def _unsubscribe(self, session: Session, packet: p.Unsubscribe) -> None:
        reasons = []
        for topic_filter in packet.filters:
            if session.subscriptions.pop(topic_filter, None) is not None:
                self._speeches.unsubscribed(session, topic_filter)
                reasons.append(r.SUCCESS)
            else:
                known = self._speeches.grants(topic_filter)
                reasons.append(r.NO_SUBSCRIPTION_EXISTED if known else r.FILTER_INVALID)
        self.write(encode(p.Unsuback(packet.packet_id, reasons), session.level))

    def _ping(self, _: Session, __: p.Pingreq) -> None:
        self.write(PINGRESP)

    def _goodbye(self, _: Session, packet: p.Disconnect) -> None:
        self._reason = "disconnected by the device" + (f" (reason 0x{packet.reason:02x})" if packet.reason else "")
        if self._transport is not None:
            self._transport.close()

    # -- what a session asks of its line

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def flush_soon(self) -> None:
        """Send due acknowledgements at the end of this pass of the loop: a commit answers many at once."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        session = self._session
        if session is None:
            return
        data, last = session.due()
        if data:
            self.write(data)
        if last is not None:
            self.close(last.reason, f"refused: {last.refused}")
        elif self._paused & _OWED and len(session.owed) < MAX_OWED // 2:
            self._resume(_OWED)

    def spawn(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Do work that waits, a bounded amount of it."""
        self._busy += 1
        if self._busy >= MAX_BUSY:
            self._pause(_BUSY)
        self._door.start(self._work(work, answer))

    async def _work(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        await self._door.answered(work, answer)
        self._busy -= 1
        if self._paused & _BUSY and self._busy < MAX_BUSY // 2:
            self._resume(_BUSY)

    def end(self, reason: str) -> None:
        """Close because the device's credential no longer holds."""
        self.close(r.ADMINISTRATIVE, reason)

    def close(self, reason: int, why: str) -> None:
        """Close the connection; version 5 is told the reason."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._reason = self._reason or why
        if reason and self._session is not None and self._session.level >= _FIVE:
            transport.write(encode(p.Disconnect(reason), _FIVE))
        transport.close()
        if transport.get_write_buffer_size():
            self._loop.call_later(LINGER_S, transport.abort)

    def _fail(self, error: r.PacketRefused) -> None:
        if self._session is None and error.reason == r.VERSION_UNSUPPORTED and self._transport is not None:
            # 3.1.2.2: an unknown version is told in a form that all of them can read.
            self._transport.write(b"\x20\2\0\1")
        self.close(error.reason, f"protocol: {error.message}")

    # -- deadlines and back-pressure

    def _watch(self) -> None:
        """Look whether the client was heard in time; otherwise look again when its time will be over."""
        now = self._loop.time()
        if self._paused and self._session is not None and not self._paused & _WRITING:
            self._heard = now
        if self._begun and now - self._begun >= PACKET_DEADLINE_S:
            self.close(r.KEEP_ALIVE_TIMEOUT, "a packet was not sent to its end in time")
        elif now - self._heard >= self._patience_s - 0.001:
            late = "keep-alive timeout" if self._session is not None else "no CONNECT in time"
            self.close(r.KEEP_ALIVE_TIMEOUT, late)
        else:
            due = min(self._heard + self._patience_s, self._begun + PACKET_DEADLINE_S if self._begun else 1e18)
            self._timer = self._loop.call_at(due, self._watch)

    def _wait_for_rest(self) -> None:
        """Start the clock for the rest of a packet."""
        self._begun = self._loop.time()
        if self._session is not None and self._timer is not None:
            self._timer.cancel()
            self._watch()

    async def _wait_for_room(self) -> None:
        while self._transport is not None:
            try:
                await self._door.ingest.room(ROOM_S)
            except Exhausted:
                continue
            break
        self._resume(_STORE)

    def _pause(self, why: int) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._paused |= why

    def _resume(self, why: int) -> None:
        was, self._paused = self._paused, self._paused & ~why
        if was and not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


_SERVED: dict[type, Callable[[Connection, Session, Any], None]] = {
    p.Ack: Connection._puback,
    p.Subscribe: Connection._subscribe,
    p.Unsubscribe: Connection._unsubscribe,
    p.Pingreq: Connection._ping,
    p.Disconnect: Connection._goodbye,
}
