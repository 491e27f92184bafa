"""From the TCP ports into the store: packed frames as columns, JSON objects as records.

Nothing is answered on these ports. What cannot be stored is counted and said in the log, a few times a minute at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from mooring.devices.presence import Presence
from mooring.doors.devices.tcp.listener import Part
from mooring.doors.dialects.battery.model import DATA, UNITS, kind_of
from mooring.doors.dialects.battery.records import Records, Said
from mooring.doors.dialects.battery.streams import KEYS, Streams
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Invalid, Missing, MooringError
from mooring.kernel.frames import Receipt
from mooring.telemetry.block import Block
from mooring.telemetry.errors import QueueFull
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import json
from mooring.wire.packed import BATTERY

log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 1 << 20
MAX_OBJECTS = 1_000
AT_ONCE = 200
RETRY_S = 1.0
SAY_EVERY_S = 20.0
# A wall clock that was set back more than this is believed; less than that, times go on from where they were.
BACK_US = 60_000_000

PackOf = Callable[[str], Awaitable[str]]


class Losses:
    """Counts what could not be stored, and says so now and then."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.count = 0
        self._name = name
        self._clock = clock
        self._said_at = -SAY_EVERY_S

    def add(self, count: int, reason: str) -> None:
        """Count messages that are lost, and why."""
        self.count += count
        now = self._clock.monotonic()
        if count and now - self._said_at >= SAY_EVERY_S:
            self._said_at = now
            log.warning("%s: %d not stored so far, the last because: %s", self._name, self.count, reason)


class FrameIntake:
    """Where the packed frames go: ``device_timestamp, pack_voltage, pack_current, cell_temp`` of one pack or several.

    The stamps of these frames are single floats: seconds of the sender's own clock, or of a clock of 128-second steps.
    So every frame gets the time it was received at, and its stamp is kept as a reading.
    """

    def __init__(self, ingest: Ingest, presence: Presence, streams: Streams, pack_of: PackOf, *, clock: Clock) -> None:
        self.losses = Losses("battery frames", clock)
        self.frames = 0
        self._ingest = ingest
        self._presence = presence
        self._streams = streams
        self._pack_of = pack_of
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._connections: dict[str, int] = {}
        self._waiting: deque[Part] = deque()
        self._waiting_bytes = 0
        self._work = asyncio.Event()
        self._done = asyncio.Event()
        self._last_us = 0

    @property
    def full(self) -> bool:
        """True while no more should be read."""
        return self._ingest.full or self._waiting_bytes >= MAX_WAITING_BYTES

    async def room(self, timeout_s: float) -> None:
        """Wait until there is room."""
        await self._ingest.room(timeout_s)
        await _below(lambda: self._waiting_bytes < MAX_WAITING_BYTES, self._done, timeout_s)

    def opened(self, address: str) -> None:
        """Count a connection, and bring its pack online if it is known."""
        self._connections[address] = self._connections.get(address, 0) + 1
        source = self._sources.get(address)
        if source is not None:
            self._presence.connected(source.device_id, "tcp")

    def closed(self, address: str) -> None:
        """Count a connection down."""
        self._connections[address] -= 1
        if not self._connections[address]:
            del self._connections[address]
        source = self._sources.get(address)
        if source is not None:
            self._presence.disconnected(source.device_id)
            if address not in self._connections:
                del self._sources[address]

    def take(self, parts: list[Part]) -> None:
        """Store frames; those of an address not met before wait until it is known which pack that is."""
        together: dict[str, list[bytes]] = {}
        for address, data in parts:
            together.setdefault(address, []).append(data)
        for address, datas in together.items():
            source = self._sources.get(address)
            if source is None or source.gone or self._waiting:
                self._waiting += [(address, data) for data in datas]
                self._waiting_bytes += sum(map(len, datas))
                self._work.set()
            else:
                self._store(source, b"".join(datas))

    def settled(self, receipts: list[Receipt]) -> None:
        """Count what was stored, and what was not."""
        for receipt in receipts:
            if receipt.status == "stored":
                self.frames += (receipt.stored or 0) // len(KEYS)
            else:
                self.losses.add(1, receipt.reason or receipt.status)

    async def run(self) -> None:
        """Find out which pack an address is, and store what waited for that, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                address, data = self._waiting[0]
                try:
                    self._store(await self._source(address), data)
                except MooringError as error:
                    self.losses.add(len(data) // BATTERY.size, error.message)
                self._waiting.popleft()
                self._waiting_bytes -= len(data)
            self._done.set()

    async def _source(self, address: str) -> Source:
        source = self._sources.get(address)
        if source is not None and not source.gone:
            return source
        if source is not None:
            self._streams.forget(source.device_id)
        device_id = await self._pack_of(address)
        source = self._ingest.sources.get(device_id)
        await self._ingest.learn(source, {key: UNITS.get(key) for key in KEYS})
        if source.gone:
            raise Missing("the pack was deleted meanwhile")
        await self._streams.learn(device_id, source.series)
        if address in self._connections:
            self._sources[address] = source
            for _ in range(self._connections[address]):
                self._presence.connected(device_id, "tcp")
        return source

    def _store(self, source: Source, data: bytes) -> None:
        """Hand frames on as columns; the ones that hold no numbers are left out."""
        columns = BATTERY.decode(data)
        stamps = np.nan_to_num(columns["timestamp"], nan=0.0, posinf=0.0, neginf=0.0)
        values = np.column_stack([stamps, *(columns[name] for name in DATA.fields)])
        sound = np.isfinite(values).all(axis=1)
        if not sound.all():
            self.losses.add(int((~sound).sum()), "not a finite number")
            values = values[sound]
        if len(values):
            try:
                self._ingest.accept_block(Block(source, KEYS, self._times(len(values)), values), self)
            except MooringError as error:
                self.losses.add(len(values), error.message)

    def _times(self, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return a time for each of `count` frames received now; no two frames ever share one."""
        now_us = self._clock.now_us()
        first = now_us if now_us > self._last_us or self._last_us - now_us > BACK_US else self._last_us + 1
        self._last_us = first + count - 1
        return np.arange(first, first + count, dtype=np.int64)


class ObjectIntake:
    """Where the predictor's JSON objects go: performance or prediction, else counted."""

    def __init__(self, records: Records, pack_of: PackOf, *, clock: Clock) -> None:
        self.losses = Losses("battery objects", clock)
        self.records = 0
        self._records = records
        self._pack_of = pack_of
        self._clock = clock
        self._waiting: deque[Part] = deque()
        self._waiting_bytes = 0
        self._work = asyncio.Event()
        self._done = asyncio.Event()

    @property
    def full(self) -> bool:
        """True while no more should be read."""
        return self._waiting_bytes >= MAX_WAITING_BYTES or len(self._waiting) >= MAX_OBJECTS

    async def room(self, timeout_s: float) -> None:
        """Wait until there is room."""
        await _below(lambda: not self.full, self._done, timeout_s)

    def opened(self, address: str) -> None:
        """Take no note: a predictor is not the pack."""

    def closed(self, address: str) -> None:
        """Take no note."""

    def take(self, parts: list[Part]) -> None:
        """Queue objects."""
        self._waiting += parts
        self._waiting_bytes += sum(len(data) for _, data in parts)
        self._work.set()

    async def run(self) -> None:
        """Keep objects as records, in order, until cancelled; while the store fails they wait."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                parts = [self._waiting[index] for index in range(min(AT_ONCE, len(self._waiting)))]
                await self._keep(parts)
                for _, data in parts:
                    self._waiting.popleft()
                    self._waiting_bytes -= len(data)
                self._done.set()

    async def _keep(self, parts: list[Part]) -> None:
        """Keep some objects together; if they are refused, each for itself, so that one bad one spoils no other."""
        said = [one for part in parts if (one := await self._said(part)) is not None]
        try:
            await self._insist(said)
        except MooringError:
            for one in said:
                try:
                    await self._insist([one])
                except MooringError as error:
                    self.losses.add(1, error.message)

    async def _insist(self, said: list[Said]) -> None:
        while said:
            try:
                self.records += len(await self._records.keep(said))
                return
            except MooringError as error:
                if isinstance(error, Invalid | Missing):
                    raise
                log.warning("battery objects wait for the store: %s", error.message)
                await self._clock.sleep(RETRY_S)

    async def _said(self, part: Part) -> Said | None:
        address, data = part
        try:
            given = json.decode_object(data)
            kind = kind_of(given)
            if kind is None:
                raise Invalid("neither performance nor prediction")
            return Said(await self._pack_of(address), kind, given)
        except MooringError as error:
            self.losses.add(1, error.message)
            return None


async def _below(there_is: Callable[[], bool], done: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while not there_is():
                done.clear()
                await done.wait()
    except TimeoutError:
        raise QueueFull("the server cannot store as fast as this", retry_after_s=1.0) from None
