"""The main path: ``accept`` a frame (admit, check, stamp), commit batches, give receipts, announce.

The next batch leaves when the last commit returns; there is no timer. A frame in plain form of a known device and boot
goes straight into the batch; anything that needs a look-up waits in ``settle`` behind the commit under way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError, StorageFull, Unavailable
from mooring.kernel.events import FramesStored, StoredFrame
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.batch import Batch, Sink
from mooring.telemetry.block import Block
from mooring.telemetry.check import EXACT_INT, MAX_SEQ, rows_of, seq_of, time_us
from mooring.telemetry.errors import DeviceGone, FrameEmpty, QueueFull
from mooring.telemetry.latest import Latest
from mooring.telemetry.series import KIND_BOOL, KIND_INT, Columns, Committed, NewSeries, Series
from mooring.telemetry.settle import EventRecorder, Pending, Settlement, say, spoken_values
from mooring.telemetry.sources import Boot, Source, Sources

GATHER_S = 0.004
GATHER_PASSES = 20
_FLOATS = {float}
_NUMBERS = {float, int, bool}


class Ingest:
    """Takes frames from doors on the event loop; one task, ``run``, commits them."""

    def __init__(
        self,
        series: Series,
        clock: Clock,
        bus: Bus,
        *,
        record_events: EventRecorder,
        seen: Callable[[Iterable[str], int], None],
        max_waiting: int = 200_000,
    ) -> None:
        self.sources = Sources()
        self.latest = Latest()
        self.frames_stored = 0
        self.readings_stored = 0
        self.trouble: str | None = None
        self._series = series
        self._clock = clock
        self._bus = bus
        self._seen = seen
        self._settlement = Settlement(series, record_events)
        self._max_waiting = max_waiting
        self._batch = Batch()
        self._pending: list[Pending] = []
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._closing = False
        self._expected = 0
        self._barriers: list[asyncio.Future[None]] = []

    @property
    def full(self) -> bool:
        """True while more readings wait than may; doors then stop reading."""
        return self.waiting >= self._max_waiting

    @property
    def waiting(self) -> int:
        """Return how many readings are accepted and not yet on their way to disk."""
        return self._batch.rows + len(self._pending)

    async def room(self, timeout_s: float) -> None:
        """Wait until there is room; raises ``QueueFull`` after `timeout_s` seconds."""
        if not self.full:
            return
        self._room.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._room.wait()
        except TimeoutError:
            raise QueueFull("the server cannot store as fast as this", retry_after_s=1.0) from None

    def accept(self, source: Source, frame: Frame, sink: Sink | None, body: dict[str, Any] | None = None) -> None:
        """Take a frame; its receipt reaches `sink` once it is on disk. Raises ``Invalid`` if it can never be."""
        now_us = self._clock.now_us()
        at_us = now_us if frame.timestamp is None else time_us(frame.timestamp, now_us)
        boot = source.boots.get(frame.boot_id)
        if source.held or not self._accept_plain(source, boot, frame, at_us, sink):
            self._accept_general(source, boot, Pending(source, frame, sink, at_us, now_us, body))
        self._work.set()

    def _accept_plain(self, source: Source, boot: Boot | None, frame: Frame, at_us: int, sink: Sink | None) -> bool:
        """Put a map of finite numbers of known keys into the batch; False if the frame is not that simple."""
        readings, seq = frame.sensor_readings, frame.seq
        if type(readings) is not dict or frame.event_type is not None:
            return False
        if frame.device_status is not None and frame.device_status != source.status:
            return False
        if seq is not None and (boot is None or not boot.last < seq <= MAX_SEQ):
            return False
        known = source.series
        try:
            numbers = [known[key] for key in readings]
        except KeyError:
            return False
        values = list(readings.values())
        kinds = set(map(type, values))
        if (kinds != _FLOATS and not _plain(kinds, values)) or not math.isfinite(sum(values)):
            return False
        if source.bounds and not _in_bounds(source, readings):
            return False
        batch = self._batch
        if kinds != _FLOATS:
            base = len(batch.values)
            batch.kinds += [(base + i, _KIND[type(v)]) for i, v in enumerate(values) if type(v) is not float]
        batch.owe(sink, boot.no if boot is not None and seq is not None else None, seq)
        if frame.device_status is not None:
            say(batch, frame, at_us)
        batch.frames.append(StoredFrame(source.device_id, at_us, readings))
        count = len(values)
        batch.series += numbers
        batch.values += values
        batch.run_at.append(at_us)
        batch.run_stamp.append(0 if frame.timestamp is None else at_us)
        batch.run_counts.append(count)
        batch.counts.append(count)
        batch.stored.append(count)
        if boot is not None and seq is not None:
            boot.last = seq
            batch.high[boot] = seq
        return True

    def _accept_general(self, source: Source, boot: Boot | None, pending: Pending) -> None:
        frame = pending.frame
        if source.gone:
            raise DeviceGone("no such device")
        seq_of(frame)
        pending.rows = rows_of(frame, pending.now_us)
        says_something = frame.event_type or frame.device_status or frame.type == "heartbeat"
        if not says_something and frame.sensor_readings is None:
            raise FrameEmpty("frame holds nothing to store", hint="put readings under sensor_readings")
        if not source.held:
            pending.number(boot)
            if self._settlement.is_settled(pending, boot):
                self._add_known(self._batch, boot, pending)
                return
        # A frame sent again holds nothing up: all before it was settled the first time.
        pending.holds = not pending.maybe_known
        source.held += pending.holds
        self._pending.append(pending)

    def _ripe(self, batch: Batch, pending: list[Pending]) -> list[Pending]:
        """Move to `batch` what needs no look-up any more; return the rest, each with its device's later frames behind.

        Frames of a device are committed in the order they came: all up to the highest seq on disk are settled.
        """
        waiting: list[Pending] = []
        behind: set[Source] = set()
        for item in pending:
            boot = item.source.boots.get(item.frame.boot_id)
            item.number(boot)
            if item.source not in behind and self._settlement.is_settled(item, boot):
                item.source.held -= item.holds
                self._add_known(batch, boot, item)
                continue
            waiting.append(item)
            if item.holds:
                behind.add(item.source)
        return waiting

    def _add_known(self, batch: Batch, boot: Boot | None, pending: Pending) -> None:
        source, seq = pending.source, pending.frame.seq
        batch.owe(pending.sink, boot.no if boot is not None and seq is not None else None, seq)
        say(batch, pending.frame, pending.at_us)
        batch.add_rows([(source.series[row.key], row) for row in pending.rows], pending.at_us, pending.stamped)
        batch.frames += spoken_values(pending)
        if boot is not None and seq is not None:
            batch.high[boot] = seq

    def accept_block(self, block: Block, sink: Sink | None) -> None:
        """Take many frames of one device at once; `sink` is told once. The keys must be known: see ``learn``.

        Raises ``Invalid`` if a number in it can never be stored, ``DeviceGone`` if the device was deleted.
        """
        if block.source.gone:
            raise DeviceGone("no such device")
        block.check()
        self._batch.add_block(block, sink)
        self._work.set()

    async def learn(self, source: Source, units: Mapping[str, str | None]) -> None:
        """Give keys of a device their series before its first block, with their units."""
        wanted = [NewSeries(source.device_id, key, unit) for key, unit in units.items() if key not in source.series]
        if wanted:
            for no, new in zip(await self._series.enroll(wanted), wanted, strict=True):
                source.learn(new.key, no, new.unit)

    async def last_seq(self, source: Source, boot_id: str) -> int | None:
        """Return the highest seq stored of a boot, None if there is none: what a device asks on return."""
        boot = source.boots.get(boot_id)
        if boot is None:
            boot = await self._settlement.boot(source, boot_id)
        return None if boot.committed < 0 else boot.committed

    async def forget(self, device_id: str) -> None:
        """Take nothing more from a deleted device, and return once what it had sent is settled."""
        self.sources.forget(device_id)
        barrier = asyncio.get_running_loop().create_future()
        self._barriers.append(barrier)
        self._work.set()
        await barrier

    async def run(self) -> None:
        """Commit what is accepted until ``close``; owned by the task group of the program."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self._gather()
            batch, self._batch = self._batch, Batch()
            pending, self._pending = self._ripe(batch, self._pending), []
            barriers, self._barriers = self._barriers, []
            self._room.set()
            if len(batch):
                await self._commit(batch)
            if pending:
                await self._settle(pending)
            for barrier in barriers:
                if not barrier.done():
                    barrier.set_result(None)
            if self._closing and not (len(self._batch) or self._pending):
                return

    async def _gather(self) -> None:
        """Wait for about as many frames as the last commit answered: those devices are sending their next ones now.

        No timer: it ends when the loop has passed some times without a new frame, and after a few milliseconds anyway.
        One large commit costs half of two small ones.
        """
        until = self._clock.monotonic() + GATHER_S
        passes = seen = 0
        while (waiting := len(self._batch)) < self._expected and passes < GATHER_PASSES:
            passes = passes + 1 if waiting == seen else 0
            seen = waiting
            if self._clock.monotonic() > until:
                return
            await asyncio.sleep(0)

    def close(self) -> None:
        """Let ``run`` finish what is accepted and end."""
        self._closing = True
        self._work.set()

    async def _settle(self, pending: list[Pending]) -> None:
        try:
            batch = await self._settlement.prepare(pending)
        except MooringError as error:
            self._refuse([(item.sink, item.frame.seq) for item in pending], error)
        else:
            if len(batch):
                await self._commit(batch)
        for item in pending:
            item.source.held -= item.holds

    async def _commit(self, batch: Batch) -> None:
        received_us = self._clock.now_us()
        columns = batch.columns(received_us)
        try:
            committed = await self._series.append(columns)
        except MooringError as error:
            self._refuse(batch.owed(), error)
            return
        self.trouble = None
        if committed.refused:
            await self._settlement.withdraw(batch, committed.refused)
        self._announce(batch, columns, committed)

    def _announce(self, batch: Batch, columns: Columns, committed: Committed) -> None:
        for boot, seq in batch.high.items():
            boot.committed = max(boot.committed, seq)
        self.frames_stored += len(batch)
        self._expected = len(batch)
        self.readings_stored += columns.rows
        for sink, receipts in batch.receipts().items():
            sink.settled(receipts)
        self.latest.update(columns)
        frames, device_ids = batch.spoken()
        if device_ids:
            self._seen(device_ids, columns.received_us)
            self._bus.publish(FramesStored(committed.commit_seq, columns.received_us, frames))

    def _refuse(self, owed: list[tuple[Sink | None, int | None]], error: MooringError) -> None:
        """Answer every waiting frame with the reason nothing was stored; never an ack."""
        reason = f"{error.code}: {error.message}"
        if isinstance(error, Unavailable):
            self.trouble = error.message
            # Devices know two words for a store that cannot be written to, whichever store it is and whatever failed.
            reason = "storage_full" if isinstance(error, StorageFull) else f"{Unavailable.code}: {error.message}"
        for sink, seq in owed:
            if sink is not None:
                sink.settled([Receipt(seq, "rejected", reason=reason)])


_KIND = {int: KIND_INT, bool: KIND_BOOL}


def _in_bounds(source: Source, readings: dict[str, Any]) -> bool:
    return all(low <= readings[key] <= high for key, low, high in source.bounds if key in readings)


def _plain(kinds: set[type], values: list[Any]) -> bool:
    """Tell whether values are numbers and booleans that a double holds exactly."""
    return kinds <= _NUMBERS and all(type(v) is not int or -EXACT_INT <= v <= EXACT_INT for v in values)
