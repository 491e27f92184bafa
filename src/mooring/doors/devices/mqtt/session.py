"""One admitted client: what it subscribed to, what is on its way to it, and the answers it is owed, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from mooring.devices.model import AdmittedDevice
from mooring.doors.devices.mqtt.refusing import closes, reason_of
from mooring.kernel.errors import MooringError
from mooring.kernel.frames import Receipt
from mooring.telemetry.sources import Source
from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.encode import encode, puback
from mooring.wire.mqtt.reasons import QUOTA_EXCEEDED, SUCCESS, TOPIC_INVALID

RECEIVE_MAXIMUM: Final = 32
MAX_OUT: Final = 1000
MAX_OUT_BYTES: Final = 512 * 1024
_FIVE = 5


class Line(Protocol):
    """The connection a session lives on."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def flush_soon(self) -> None:
        """Send the answers that are due once this pass of the event loop is over."""

    def close(self, reason: int, why: str) -> None:
        """End the connection, telling the reason where the version can."""

    def spawn(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Do work that waits; what it refuses becomes the answer."""


class Answer:
    """What a client is owed for one PUBLISH. It is a sink: receipts of the frames in the message may settle it.

    With ``lenient`` a message nobody can use is no reason to close the connection; ``told`` says that the client hears
    of it on another topic, so that an old client, whose PUBACK cannot say no, may be given one.
    """

    __slots__ = ("_session", "finished", "lenient", "packet_id", "reason", "refused", "told", "waiting")

    def __init__(self, session: Session, packet_id: int) -> None:
        self._session = session
        self.packet_id = packet_id
        self.waiting = 1
        self.finished = False
        self.refused = ""
        self.reason = SUCCESS
        self.lenient = False
        self.told = False

    def settled(self, receipts: list[Receipt]) -> None:
        """Take receipts; the answer is due when none is missing."""
        for receipt in receipts:
            if receipt.status in ("rejected", "throttled") and not self.refused:
                self.reason = reason_of(receipt)
                self.refused = receipt.reason or receipt.status
        self.waiting -= len(receipts)
        if self.waiting <= 0 and not self.finished:
            self._finish()

    def done(self) -> None:
        """Say yes."""
        if not self.finished:
            self._finish()

    def refuse(self, error: MooringError) -> None:
        """Say no, and why."""
        if not self.finished:
            self.refused, self.reason = f"{error.code}: {error.message}", reason_of(error)
            self._finish()

    def foreign(self) -> None:
        """Answer a message on a topic that is not the client's to use: it goes nowhere."""
        self.reason = TOPIC_INVALID
        self._finish()

    def _finish(self) -> None:
        self.finished = True
        self._session.answered(self)

    @property
    def ends(self) -> bool:
        """True if the only way to say no is to close the connection."""
        if not self.refused:
            return False
        if self._session.level >= _FIVE:
            return not self.packet_id and not self.lenient
        if not self.packet_id:
            return not self.lenient
        return not (self.lenient and self.told) or closes(self.reason)


class Session:
    """One client of a device."""

    __slots__ = (
        "_free_id",
        "_in_flight",
        "_line",
        "_max_packet",
        "_out",
        "_out_bytes",
        "_window",
        "client_id",
        "device",
        "level",
        "memory",
        "owed",
        "source",
        "subscriptions",
    )

    def __init__(self, line: Line, device: AdmittedDevice, source: Source, connect: p.Connect, client_id: str) -> None:
        self._line = line
        self.device = device
        self.source = source
        self.level = connect.level
        self.client_id = client_id
        self.subscriptions: dict[str, int] = {}
        self.owed: deque[Answer] = deque()
        # What speeches remember of this session, each under its own name.
        self.memory: dict[str, Any] = {}
        properties = connect.properties or {}
        self._window = min(RECEIVE_MAXIMUM, properties.get(0x21, 65_535))
        self._max_packet = properties.get(0x27, 1 << 28)
        self._in_flight: dict[int, Callable[[], None] | None] = {}
        self._out: deque[tuple[str, bytes, Callable[[], None] | None]] = deque()
        self._out_bytes = 0
        self._free_id = 0

    # -- to the client

    def publish(self, topic: str, payload: bytes, *, under: str = "", acked: Callable[[], None] | None = None) -> None:
        """Send a message with the QoS of the subscription `under`, 1 if there is none; `acked` is told of its PUBACK.

        At QoS 0 nothing is heard of it again, so `acked` is called at once.
        """
        if self.subscriptions.get(under or topic, 1) == 0:
            self._write(p.Publish(topic, payload))
            if acked is not None:
                acked()
        elif len(self._in_flight) < self._window:
            self._fly(topic, payload, acked)
        else:
            self._out.append((topic, payload, acked))
            self._out_bytes += len(payload)
            if len(self._out) > MAX_OUT or self._out_bytes > MAX_OUT_BYTES:
                self._line.close(QUOTA_EXCEEDED, "client does not acknowledge what it is sent")

    def acknowledged(self, packet_id: int) -> None:
        """Take a PUBACK, and send what waited for it."""
        if packet_id not in self._in_flight:
            return
        acked = self._in_flight.pop(packet_id)
        if acked is not None:
            acked()
        if self._out and len(self._in_flight) < self._window:
            topic, payload, next_acked = self._out.popleft()
            self._out_bytes -= len(payload)
            self._fly(topic, payload, next_acked)

    def close(self, reason: int, why: str) -> None:
        """End the connection."""
        self._line.close(reason, why)

    def _fly(self, topic: str, payload: bytes, acked: Callable[[], None] | None) -> None:
        while True:
            self._free_id = self._free_id % 0xFFFF + 1
            if self._free_id not in self._in_flight:
                break
        if self._write(p.Publish(topic, payload, 1, self._free_id)):
            self._in_flight[self._free_id] = acked

    def _write(self, packet: p.Publish) -> bool:
        data = encode(packet, self.level)
        if len(data) > self._max_packet:
            # MQTT 5, 3.1.2.11.4: act as if it had been sent.
            return False
        self._line.write(data)
        return True

    # -- answers to the client

    def owe(self, packet_id: int) -> Answer:
        """Return the answer to a PUBLISH just received."""
        answer = Answer(self, packet_id)
        if packet_id:
            self.owed.append(answer)
        return answer

    def answered(self, answer: Answer) -> None:
        """Take a finished answer; it leaves in the order of the messages (4.6)."""
        if answer.packet_id:
            self._line.flush_soon()
        elif answer.ends:
            self._line.close(answer.reason, f"refused: {answer.refused}")
        if answer.refused:
            self.source.rejected += 1

    def due(self) -> tuple[bytes, Answer | None]:
        """Return the acknowledgements that may leave now, and the answer that ends the connection, if one does."""
        parts: list[bytes] = []
        owed = self.owed
        while owed and owed[0].finished:
            answer = owed.popleft()
            if not answer.reason:
                parts.append(puback(answer.packet_id))
            elif answer.ends:
                return b"".join(parts), answer
            elif self.level >= _FIVE:
                parts.append(encode(p.Ack(p.PUBACK, answer.packet_id, answer.reason), _FIVE))
            else:
                parts.append(puback(answer.packet_id))
        return b"".join(parts), None

    def spawn(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Do work that waits on behalf of a message."""
        self._line.spawn(work, answer)
