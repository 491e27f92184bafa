"""Ingest over the real store of readings: a gate before its commits, a clock that stands, a bus that is heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.devices.conftest import Ear, HandClock

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.kernel.errors import MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.series import Columns, Committed
from mooring.telemetry.settle import SpokenEvent

PATIENCE_S = 20.0


class GatedSeries(DuckDBSeries):
    """The store, whose commits wait for the gate and fail when told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, reserve_bytes=0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures: list[MooringError] = []
        self.refuse: frozenset[tuple[int, int]] = frozenset()
        self.appends = 0

    async def append(self, columns: Columns) -> Committed:
        self.appends += 1
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        committed = await super().append(columns)
        refused, self.refuse = self.refuse, frozenset()
        return Committed(committed.commit_seq, refused)


class Ears:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Receipt] = []
        self._more = asyncio.Event()

    def settled(self, receipts: list[Receipt]) -> None:
        self.told += receipts
        self._more.set()

    async def hear(self, count: int = 1) -> list[Receipt]:
        """Wait until so many receipts have come in all, and return them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.told) < count:
                self._more.clear()
                await self._more.wait()
        return self.told


class Harbour:
    """Ingest and what it leans on."""

    def __init__(self, series: GatedSeries) -> None:
        self.series = series
        self.clock = HandClock()
        self.bus = Ear()
        self.spoken: list[SpokenEvent] = []
        self.recorder_fails: MooringError | None = None
        self.seen: list[tuple[set[str], int]] = []
        self.ears = Ears()
        self.ingest = self.made()

    def made(self) -> Ingest:
        """Return an ingest over the same store, as after a restart."""
        options: dict[str, Any] = {"record_events": self._record, "seen": self._see, "max_waiting": 1000}
        return Ingest(self.series, self.clock, self.bus, **options)

    async def _record(self, spoken: Sequence[SpokenEvent]) -> None:
        if self.recorder_fails is not None:
            raise self.recorder_fails
        self.spoken += spoken

    def _see(self, device_ids: Iterable[str], at_us: int) -> None:
        self.seen.append((set(device_ids), at_us))

    def send(self, readings: Any = None, *, device: str = "d", **more: Any) -> None:
        """Hand over a frame; its receipt comes to ``ears``."""
        self.ingest.accept(self.ingest.sources.get(device), Frame(sensor_readings=readings, **more), self.ears)

    async def stored(self, readings: Any = None, **more: Any) -> Receipt:
        """Hand over a frame and wait for its receipt."""
        before = len(self.ears.told)
        self.send(readings, **more)
        return (await self.ears.hear(before + 1))[-1]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit for the length of a block, and finish what was accepted."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.ingest.run())
            try:
                yield
            finally:
                self.series.gate.set()
                self.ingest.close()


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[GatedSeries]:
    """Give an empty store."""
    opened = GatedSeries(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def harbour(series: GatedSeries) -> AsyncIterator[Harbour]:
    """Give a running ingest."""
    made = Harbour(series)
    async with made.running():
        yield made
