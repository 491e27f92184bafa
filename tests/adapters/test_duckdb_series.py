"""DuckDB under fire: kills, full and failing disks, slow questions, and doors that must stay shut."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pytest
from tests.adapters.appending_program import ROWS
from tests.contracts.batches import ALL, START_US, Said, batch

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.adapters.duckdb_series.question import Question
from mooring.adapters.duckdb_series.schema import connect
from mooring.kernel.errors import StorageFull, Unavailable
from mooring.telemetry.series import Columns, NewSeries, RangeQuery

ROOT = Path(__file__).parents[2]

FAILING_SYNC = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) {
    const char *sign = getenv("FAIL_WHEN_THERE");
    if (!sign || access(sign, F_OK) != 0) return 0;
    FILE *count = fopen(sign, "a");
    if (count) { fputc('x', count); fclose(count); }
    errno = EIO;
    return 1;
}
#define SYNC(name) int name(int fd) { \
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name); return fails() ? -1 : real(fd); }
SYNC(fsync)
SYNC(fdatasync)
"""


def program(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.appending_program", str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment},
        stdout=subprocess.PIPE,
    )


async def steps_in(folder: Path) -> dict[int, int]:
    """Return how many rows of each batch are stored, counting its text and its frame too."""
    store = DuckDBSeries(folder, reserve_bytes=0)
    await store.open()
    try:
        numbers = await store.enroll([NewSeries("d", "number", None), NewSeries("d", "text", None)])
        [mark] = await store.boots([("d", "b")])
        found: dict[int, int] = {}
        for row in await store.read(RangeQuery(numbers, *ALL, limit=10**9)):
            step = row.value if row.series == numbers[0] else int(row.value.removeprefix("batch "))
            found[step] = found.get(step, 0) + 1
        asked = [(mark.no, step) for step in range(max(found, default=0) + 3)]
        for (_, step), digest in (await store.known(asked)).items():
            assert digest == step
            found[step] = found.get(step, 0) + 1
        return found
    finally:
        await store.close()


async def test_a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_no_half_batch(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    acked: set[int] = set()
    for _ in range(5):
        running = program(tmp_path / "data")
        assert running.stdout is not None
        first = running.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.4))
        running.send_signal(signal.SIGKILL)
        rest, _ = running.communicate()
        acked |= {int(line.split()[1]) for line in (first + rest).splitlines() if line.startswith(b"acked")}
        found = await steps_in(tmp_path / "data")
        assert acked <= set(found), "an acknowledged batch is gone"
        assert set(found.values()) == {ROWS + 2}, "half a batch is there"
        assert len(found) - len(acked) <= 5, "more than the batches under way appeared unasked"
    assert len(acked) > 10


@pytest.fixture(scope="module")
def failing_sync(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a library that fails every sync once a file is there."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the failing sync")
    folder = tmp_path_factory.mktemp("sync")
    source, library = folder / "sync.c", folder / "sync.so"
    source.write_text(FAILING_SYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


async def test_a_sync_that_fails_is_never_an_ack_and_never_tried_again(tmp_path: Path, failing_sync: Path) -> None:
    sign = tmp_path / "sign"
    running = program(tmp_path / "data", str(sign), LD_PRELOAD=str(failing_sync), FAIL_WHEN_THERE=str(sign))
    said, _ = running.communicate(timeout=30)
    lines = said.decode().splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["acked", str(step)] for step in range(3)]
    assert len(lines) == 6
    assert all(line.startswith("refused unavailable: storage failed: ") for line in lines[3:])
    assert all("see to the disk, then restart mooring" in line for line in lines[3:])
    assert sign.read_text() == "x", "the sync was tried again"
    found = await steps_in(tmp_path / "data")
    assert set(found) >= {0, 1, 2}
    assert set(found.values()) == {ROWS + 2}


def noise(no: int, step: int) -> Columns:
    """Return a batch that does not compress: about half a megabyte."""
    rows, dice = 20_000, np.random.default_rng(step)
    columns = batch()
    columns.series = np.full(rows, no, np.int32)
    columns.at_us = START_US + dice.integers(0, 2**45, rows)
    columns.value = dice.normal(size=rows)
    columns.kind, columns.quality = np.zeros(rows, np.uint8), np.ones(rows, np.float32)
    return columns


@pytest.mark.parametrize("checkpoint_bytes", [1 << 40, 1 << 20], ids=["the log fills it", "the file fills it"])
async def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_space(
    small_disk: Path, checkpoint_bytes: int
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(8 << 20))
    store = DuckDBSeries(small_disk / "data", reserve_bytes=0, checkpoint_bytes=checkpoint_bytes)
    await store.open()
    [no] = await store.enroll([NewSeries("d", "k", None)])
    everything = RangeQuery([no], *ALL)
    acked = 0
    with pytest.raises(StorageFull):
        for acked in range(100):  # noqa: B007
            await store.append(noise(no, acked))
    for _ in range(3):
        with pytest.raises(StorageFull):
            await store.append(noise(no, 99))
        assert acked * 20_000 <= await count_when_back(store, everything)
    ballast.unlink()
    for step in range(3):
        await store.append(noise(no, acked + step))
    assert await store.count(everything) == (acked + 3) * 20_000
    await store.close()
    again = DuckDBSeries(small_disk / "data", reserve_bytes=0)
    await again.open()
    assert await again.count(everything) == (acked + 3) * 20_000
    await again.close()


async def count_when_back(store: DuckDBSeries, query: RangeQuery) -> int:
    """Count, once a write has reopened the store after it found the disk full."""
    await store.boots([])
    return await store.count(query)


async def test_writing_stops_before_the_disk_is_full_and_reading_goes_on(tmp_path: Path) -> None:
    store = DuckDBSeries(tmp_path / "data", reserve_bytes=0)
    await store.open()
    [no] = await store.enroll([NewSeries("d", "k", None)])
    await store.append(batch(Said(no, START_US, 1)))
    await store.close()
    full = DuckDBSeries(tmp_path / "data", reserve_bytes=2**62)
    await full.open()
    with pytest.raises(StorageFull, match="less than"):
        await full.append(batch(Said(no, START_US, 2)))
    with pytest.raises(StorageFull, match="less than"):
        await full.probe()
    assert await full.enroll([NewSeries("d", "k", None)]) == [no]
    assert [row.value for row in await full.read(RangeQuery([no], *ALL))] == [1]
    await full.close()


async def test_one_bad_batch_does_not_stop_the_others(tmp_path: Path) -> None:
    store = DuckDBSeries(tmp_path / "data", reserve_bytes=0)
    await store.open()
    [no] = await store.enroll([NewSeries("d", "k", None)])
    with pytest.raises(Unavailable, match="cannot be stored"):
        await store.append(batch(Said(no, START_US, 1), Said(no, START_US, "\ud800")))
    await store.append(batch(Said(no, START_US, 2)))
    assert [row.value for row in await store.read(RangeQuery([no], *ALL))] == [2]
    await store.close()


async def test_all_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = DuckDBSeries(tmp_path / "data", reserve_bytes=0, checkpoint_bytes=1)
        await store.open()
        [no] = await store.enroll([NewSeries("d", "k", None)])
        for step in range(3):
            await store.append(batch(Said(no, START_US + step, step)))
            await store.boots([])
        await store.append(batch(Said(no, START_US, 1)))
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").rglob("*")}
        await store.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert found.pop("readings.tmp", 0o700) == 0o700
    assert found["readings.duckdb"] == 0o600
    assert set(found.values()) == {0o600}


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection as the store uses it."""
    connection = connect(tmp_path / "readings.duckdb", memory_mb=64, threads=1)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/escaped.csv'",
        "ATTACH '/tmp/escaped.duckdb'",
        "EXPORT DATABASE '/tmp/escaped'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('https://example.org/a.csv')",
        "SET enable_external_access = true",
        "SET autoload_known_extensions = true",
        "SET temp_directory = '/tmp/elsewhere'",
        "SET lock_configuration = false",
        "RESET enable_external_access",
        "SELECT getenv('HOME')",
    ],
)
def test_the_database_cannot_reach_outside(shut: duckdb.DuckDBPyConnection, statement: str) -> None:
    for connection in (shut, shut.cursor()):
        with pytest.raises(duckdb.Error):
            connection.execute(statement).fetchall()


async def test_a_second_program_on_the_same_folder_is_told_so(tmp_path: Path) -> None:
    store = DuckDBSeries(tmp_path / "data", reserve_bytes=0)
    await store.open()
    said, _ = program(tmp_path / "data").communicate(timeout=30)
    await store.close()
    assert b"refused unavailable: readings cannot be opened" in said
    assert b"is another mooring running on this data folder?" in said


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "readings.duckdb"
    file.write_bytes(b"not a database" * 1000)
    store = DuckDBSeries(tmp_path, reserve_bytes=0)
    with pytest.raises(Unavailable):
        await store.open()
    await store.close()
    assert file.read_bytes() == b"not a database" * 1000


ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"


class TestQuestions:
    @pytest.fixture
    def one_thread(self) -> Iterator[ThreadPoolExecutor]:
        """Give the thread questions are asked on."""
        with ThreadPoolExecutor(1) as executor:
            yield executor

    async def test_a_deadline_ends_the_query_and_frees_its_thread(self, one_thread: ThreadPoolExecutor) -> None:
        with duckdb.connect() as connection:
            begun = time.monotonic()
            waiting = [Question(connection, lambda cursor: cursor.execute(ENDLESS).fetchall()) for _ in range(3)]
            found = await asyncio.gather(*(one.answer(one_thread, 0.2) for one in waiting), return_exceptions=True)
            assert all(isinstance(one, Unavailable) and "longer than 0.2 s" in one.message for one in found)
            assert await Question(connection, lambda cursor: cursor.execute("SELECT 1").fetchall()).answer(
                one_thread, 5
            )
            assert time.monotonic() - begun < 3

    async def test_a_query_nobody_waits_for_is_ended(self, one_thread: ThreadPoolExecutor) -> None:
        with duckdb.connect() as connection:
            asked = Question(connection, lambda cursor: cursor.execute(ENDLESS).fetchall()).answer(one_thread, 600)
            task = asyncio.create_task(asked)
            await asyncio.sleep(0.1)
            task.cancel()
            begun = time.monotonic()
            assert await Question(connection, lambda cursor: cursor.execute("SELECT 1").fetchall()).answer(
                one_thread, 5
            )
            assert time.monotonic() - begun < 3

    async def test_closing_does_not_wait_for_questions(self, tmp_path: Path) -> None:
        store = DuckDBSeries(tmp_path / "data", reserve_bytes=0)
        await store.open()
        [no] = await store.enroll([NewSeries("d", "k", None)])
        for step in range(10):
            await store.append(noise(no, step))
        asked = [asyncio.create_task(store.read(RangeQuery([no], *ALL, limit=10**9))) for _ in range(8)]
        await asyncio.sleep(0.01)
        begun = time.monotonic()
        await store.close()
        assert time.monotonic() - begun < 3
        for found in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(found, list) or (isinstance(found, Unavailable) and "closed" in found.message)
