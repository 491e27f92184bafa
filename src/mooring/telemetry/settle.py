"""The general way: frames that need a look-up first — a new key, a new boot, an event, a seq seen before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mooring.kernel.errors import MooringError
from mooring.kernel.events import StoredFrame
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.batch import Batch, Sink
from mooring.telemetry.check import Checked
from mooring.telemetry.errors import SeqConflict, TooManyKeys
from mooring.telemetry.series import KIND_TEXT, NewSeries, Series
from mooring.telemetry.sources import Boot, Source
from mooring.telemetry.values import value_from

MAX_KEYS = 10_000


class SpokenEvent(NamedTuple):
    """An event or a change of status that came in a frame; kept once per (device, boot_id, seq)."""

    device_id: str
    event_type: str | None
    device_status: str | None
    at_us: int
    boot_id: str
    seq: int | None
    message: str
    severity: str
    body: dict[str, Any]


EventRecorder = Callable[[Sequence[SpokenEvent]], Awaitable[None]]


@dataclass(slots=True)
class Pending:
    """A frame that waits for a look-up."""

    source: Source
    frame: Frame
    sink: Sink | None
    at_us: int
    now_us: int
    body: dict[str, Any] | None
    rows: list[Checked] = field(default_factory=list)
    maybe_known: bool = False
    boot: Boot | None = None

    @property
    def stamped(self) -> bool:
        """True if the device told the time."""
        return self.frame.timestamp is not None

    @property
    def status_changed(self) -> bool:
        """True if the frame tells a status other than the last one."""
        status = self.frame.device_status
        return status is not None and status != self.source.status


class Settlement:
    """Resolves pending frames against the store and turns the new ones into a batch."""

    def __init__(self, series: Series, record_events: EventRecorder) -> None:
        self._series = series
        self._record_events = record_events

    def is_settled(self, pending: Pending, boot: Boot | None) -> bool:
        """Tell whether nothing needs looking up, so the frame may join the batch at once."""
        frame, source = pending.frame, pending.source
        if frame.event_type is not None or pending.status_changed or pending.maybe_known:
            return False
        if frame.seq is not None and boot is None:
            return False
        return all(row.key in source.series and _unit_known(source, row) for row in pending.rows)

    async def boot(self, source: Source, boot_id: str) -> Boot:
        """Return a boot of a device, enrolled if it is new."""
        if boot_id not in source.boots:
            mark = (await self._series.boots([(source.device_id, boot_id)]))[0]
            if boot_id not in source.boots:
                source.remember(boot_id, Boot(*mark))
        return source.boots[boot_id]

    async def prepare(self, pending: list[Pending]) -> Batch:
        """Enroll what is new, answer duplicates and conflicts, record events; return the rest as a batch."""
        pending = await self._enroll_series(pending)
        await self._enroll_boots(pending)
        batch = _batch_of(pending)
        pending = await self._drop_known(pending, batch)
        if len(pending) < len(batch):
            echoes, batch = batch.echoes, _batch_of(pending)
            batch.echoes = echoes
        await self._record(pending)
        return batch

    async def _enroll_series(self, pending: list[Pending]) -> list[Pending]:
        kept = []
        wanted: dict[tuple[str, str], tuple[Source, NewSeries]] = {}
        for item in pending:
            source = item.source
            unknown = [row for row in item.rows if row.key not in source.series or not _unit_known(source, row)]
            if unknown and len(source.series) + len(unknown) > MAX_KEYS:
                _answer(item, TooManyKeys(f"device has more than {MAX_KEYS} keys"))
                continue
            kept.append(item)
            for row in unknown:
                wanted[source.device_id, row.key] = (source, NewSeries(source.device_id, row.key, row.unit))
        if wanted:
            numbers = await self._series.enroll([new for _, new in wanted.values()])
            for no, (source, new) in zip(numbers, wanted.values(), strict=True):
                source.learn(new.key, no, new.unit)
        return kept

    async def _enroll_boots(self, pending: list[Pending]) -> None:
        wanted = {
            (item.source.device_id, item.frame.boot_id): item.source
            for item in pending
            if item.frame.seq is not None and item.frame.boot_id not in item.source.boots
        }
        marks = await self._series.boots(list(wanted)) if wanted else []
        for mark, ((_, boot_id), source) in zip(marks, wanted.items(), strict=True):
            if boot_id not in source.boots:
                source.remember(boot_id, Boot(*mark))
        for item in pending:
            if item.frame.seq is not None:
                item.boot = await self.boot(item.source, item.frame.boot_id)
                item.boot.last = max(item.boot.last, item.frame.seq)

    async def _drop_known(self, pending: list[Pending], batch: Batch) -> list[Pending]:
        ids = [(boot, seq) for boot, seq in zip(batch.boots, batch.seqs, strict=True)]
        doubtful = [pair for pair, high in zip(ids, batch.committed, strict=True) if 0 <= pair[1] <= high]
        known = await self._series.known(doubtful) if doubtful else {}
        digests = batch.digests()
        fresh: dict[tuple[int, int], int] = {}
        new = []
        for item, pair, digest in zip(pending, ids, digests.tolist(), strict=True):
            before = known.get(pair, fresh.get(pair))
            if pair[1] < 0 or before is None:
                fresh[pair] = digest
                new.append(item)
            elif before != digest:
                _answer(item, SeqConflict(f"seq was stored with another content: {pair[1]}"))
            elif pair in known:
                _settle(item, Receipt(pair[1], "duplicate"))
            elif item.sink is not None:
                # Not on disk yet: "duplicate" is an ack too, and waits for the commit.
                batch.echoes.append((item.sink, *pair))
        return new

    async def _record(self, pending: list[Pending]) -> None:
        spoken = [_spoken(item) for item in pending if item.frame.event_type is not None or item.status_changed]
        if spoken:
            await self._record_events(spoken)
            for item in pending:
                if item.frame.device_status is not None:
                    item.source.status = item.frame.device_status

    async def withdraw(self, batch: Batch, refused: frozenset[tuple[int, int]]) -> None:
        """Answer the frames another node had stored: they may be announced twice, but are stored once."""
        known = await self._series.known(list(refused))
        digests = batch.digests().tolist()
        gone = []
        verdicts: dict[tuple[int, int], Receipt] = {}
        for index, pair in enumerate(zip(batch.boots, batch.seqs, strict=True)):
            if pair not in refused:
                continue
            gone.append(index)
            same = known.get(pair) == digests[index]
            verdicts[pair] = (
                Receipt(pair[1], "duplicate") if same else Receipt(pair[1], "rejected", f"seq_conflict: {pair[1]}")
            )
            _tell(batch.sinks[index], verdicts[pair])
        for sink, boot, seq in batch.echoes:
            if (boot, seq) in verdicts:
                _tell(sink, verdicts[boot, seq])
        batch.echoes = [echo for echo in batch.echoes if echo[1:] not in verdicts]
        batch.silence(gone)


def _unit_known(source: Source, row: Checked) -> bool:
    return row.unit is None or source.units.get(row.key) == row.unit


def spoken_values(pending: Pending) -> list[StoredFrame]:
    """Return a frame's readings as values, one entry per distinct time."""
    by_time: dict[int, dict[str, Any]] = {}
    for row in pending.rows:
        moment = pending.at_us if row.at_us is None else row.at_us
        stored = row.text if row.kind >= KIND_TEXT else row.number
        by_time.setdefault(moment, {})[row.key] = value_from(row.kind, stored)
    return [StoredFrame(pending.source.device_id, moment, values) for moment, values in by_time.items()] or [
        StoredFrame(pending.source.device_id, pending.at_us, {})
    ]


def say(batch: Batch, frame: Frame, at_us: int) -> None:
    """Take an event or a status into the digest of the frame last opened."""
    if frame.event_type is not None or frame.device_status is not None:
        stamp = None if frame.timestamp is None else at_us
        batch.say(frame.event_type, frame.device_status, frame.message, frame.severity, stamp)


def _batch_of(pending: list[Pending]) -> Batch:
    batch = Batch()
    for item in pending:
        source, seq, boot = item.source, item.frame.seq, item.boot
        batch.owe(item.sink, None if boot is None else boot.no, seq)
        say(batch, item.frame, item.at_us)
        batch.committed.append(-1 if boot is None else boot.committed)
        batch.add_rows([(source.series[row.key], row) for row in item.rows], item.at_us, item.stamped)
        batch.frames += spoken_values(item)
        if boot is not None and seq is not None:
            batch.high[boot] = max(batch.high.get(boot, -1), seq)
    return batch


def _spoken(item: Pending) -> SpokenEvent:
    frame = item.frame
    return SpokenEvent(
        device_id=item.source.device_id,
        event_type=frame.event_type,
        device_status=frame.device_status if item.status_changed else None,
        at_us=item.at_us,
        boot_id=frame.boot_id,
        seq=frame.seq,
        message=frame.message or "",
        severity=frame.severity or "info",
        body=item.body or {},
    )


def _tell(sink: Sink | None, receipt: Receipt) -> None:
    if sink is not None:
        sink.settled([receipt])


def _settle(item: Pending, receipt: Receipt) -> None:
    """Answer an item, once: whatever fails afterwards is none of its business."""
    sink, item.sink = item.sink, None
    _tell(sink, receipt)


def _answer(item: Pending, error: MooringError) -> None:
    _settle(item, Receipt(item.frame.seq, "rejected", reason=f"{error.code}: {error.message}"))
