"""From the two ports into the spool: bytes of frames as they are, objects checked and stamped."""

from __future__ import annotations

import asyncio
import logging

from mooring.collector.spool import Spool
from mooring.doors.devices.tcp.listener import Part
from mooring.doors.dialects.battery.intake import BACK_US, Losses
from mooring.doors.dialects.battery.model import PERFORMANCE, checked, kind_of
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Invalid
from mooring.telemetry.errors import QueueFull
from mooring.wire import json
from mooring.wire.packed import BATTERY

log = logging.getLogger(__name__)

FRAMES, AS_PERFORMANCE, AS_PREDICTION = range(1, 4)
MAX_BODY = 32_768 // BATTERY.size * BATTERY.size
RETRY_S = 1.0
SYNC_S = 0.5


class Numbers:
    """What numbers and times are given to what arrives: each number once, no time twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seq = 0
        self._last_us = 0

    def take(self, count: int) -> tuple[int, int]:
        """Return the first of `count` numbers and times."""
        seq, now_us = self._seq, self._clock.now_us()
        first = now_us if now_us > self._last_us or self._last_us - now_us > BACK_US else self._last_us + 1
        self._seq, self._last_us = seq + count, first + count - 1
        return seq, first


class Intake:
    """Both ports' way into the spool; ``arrived`` is set whenever there is something to send."""

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self.arrived = asyncio.Event()
        self.losses = Losses("what arrived", clock)
        self.frames = FramePort(self)
        self.objects = ObjectPort(self)
        self.clock = clock
        self._spool = spool
        self._numbers = Numbers(clock)
        self._refused: list[tuple[int, int, int, bytes]] = []
        self._taken = asyncio.Event()

    @property
    def full(self) -> bool:
        """True while the disk takes nothing."""
        return bool(self._refused)

    def keep(self, kind: int, count: int, body: bytes) -> None:
        """Put something that counts for `count` numbers into the spool."""
        seq, at_us = self._numbers.take(count)
        self._append(seq, at_us, kind, body)

    def _append(self, seq: int, at_us: int, kind: int, body: bytes) -> None:
        try:
            if self._refused:
                self._refused.append((seq, at_us, kind, body))
                return
            self._spool.append(seq, at_us, kind, body)
        except OSError as error:
            log.error("the spool takes nothing: %s; senders wait", error)
            self._refused.append((seq, at_us, kind, body))
        self.arrived.set()

    async def room(self, timeout_s: float) -> None:
        """Wait until the disk takes something again."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._refused:
                    self._taken.clear()
                    await self._taken.wait()
        except TimeoutError:
            raise QueueFull("the spool takes nothing", retry_after_s=1.0) from None

    async def run(self) -> None:
        """Bring the spool to the disk now and then, and try again what it would not take, until cancelled."""
        while True:
            await self.clock.sleep(SYNC_S)
            refused, self._refused = self._refused, []
            for one in refused:
                self._append(*one)
            if not self._refused:
                self._taken.set()
                await asyncio.to_thread(self._sync)

    def _sync(self) -> None:
        try:
            self._spool.sync()
        except OSError as error:
            log.error("the spool could not be brought to the disk: %s", error)


class FramePort:
    """The target of packed frames."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @property
    def full(self) -> bool:
        """True while nothing more should be read."""
        return self._intake.full

    async def room(self, timeout_s: float) -> None:
        """Wait until there is room."""
        await self._intake.room(timeout_s)

    def take(self, parts: list[Part]) -> None:
        """Keep frames as they came."""
        data = b"".join(data for _, data in parts)
        for at in range(0, len(data), MAX_BODY):
            part = data[at : at + MAX_BODY]
            self._intake.keep(FRAMES, len(part) // BATTERY.size, part)

    def opened(self, address: str) -> None:
        """Take no note."""

    def closed(self, address: str) -> None:
        """Take no note."""


class ObjectPort(FramePort):
    """The target of the predictor's objects; what is neither performance nor prediction is counted."""

    def take(self, parts: list[Part]) -> None:
        """Keep objects with the time they are to have wherever and whenever they arrive."""
        for _, data in parts:
            try:
                given = json.decode_object(data)
                kind = kind_of(given)
                if kind is None:
                    raise Invalid("neither performance nor prediction")
                _, body = checked(kind, given, self._intake.clock.now_us())
            except Invalid as error:
                self._intake.losses.add(1, error.message)
                continue
            self._intake.keep(AS_PERFORMANCE if kind is PERFORMANCE else AS_PREDICTION, 1, json.encode(body))
