"""PostgreSQL under several nodes and under fire: shared frames, lost connections, full disks, unsafe settings."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import numpy as np
import pytest
from tests.contracts.batches import ALL, DAY_US, HOUR_US, START_US, Said, Told, batch
from tests.postgres import PostgresServer

from mooring.adapters.postgres_series import PostgresSeries
from mooring.adapters.postgres_series.days import DAY_US as DAY
from mooring.adapters.postgres_series.days import Days, floor_day
from mooring.kernel.errors import StorageFull, Unavailable
from mooring.telemetry.series import BucketQuery, Columns, Committed, NewSeries, RangeQuery

Nodes = tuple[PostgresSeries, PostgresSeries]


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[Nodes]:
    """Give two programs on one database, opened at the same moment."""
    pair = PostgresSeries(postgres_url), PostgresSeries(postgres_url)
    await asyncio.gather(*(node.open() for node in pair))
    yield pair
    for node in pair:
        await node.close()


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresSeries]:
    """Give one open, empty store."""
    made = PostgresSeries(postgres_url, deadline_s=2)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator[Any]:
    """Give a connection beside the store, as an administrator would have."""
    made = await asyncpg.connect(postgres_url)
    yield made
    await made.close()


async def numbers_of(store: PostgresSeries) -> tuple[int, int, int]:
    """Return the numbers of a number, a text and a boot."""
    number, text = await store.enroll([NewSeries("d", "number", None), NewSeries("d", "text", None)])
    [mark] = await store.boots([("d", "b")])
    return number, text, mark.no


class TestSeveralNodes:
    async def test_the_same_frame_at_two_nodes_is_stored_once(self, nodes: Nodes) -> None:
        number, text, boot = await numbers_of(nodes[0])

        def said(seqs: list[int]) -> Columns:
            rows = [Said(number, START_US + seq, seq, frame=at) for at, seq in enumerate(seqs)]
            texts = [Said(text, START_US + seq, f"seq {seq}", frame=at) for at, seq in enumerate(seqs)]
            loose = Said(number, START_US + DAY_US, 0.5)
            return batch(*rows, *texts, loose, frames=[Told(boot, seq, seq) for seq in seqs])

        seqs = list(range(40))
        for start in range(0, 40, 10):
            mine = seqs[start : start + 10]
            # The same frames the other way round: two nodes must not wait for each other in a ring.
            done = await asyncio.gather(nodes[0].append(said(mine)), nodes[1].append(said(mine[::-1])))
            stored = [{(boot, seq) for seq in mine} - one.refused for one in done]
            assert stored[0] | stored[1] == {(boot, seq) for seq in mine}
            assert not stored[0] & stored[1]
        rows = await nodes[0].read(RangeQuery([number, text], START_US, START_US + HOUR_US))
        assert sorted(row.value for row in rows if row.series == number) == seqs
        assert sorted(row.value for row in rows if row.series == text) == sorted(f"seq {seq}" for seq in seqs)
        assert await nodes[1].count(RangeQuery([number], START_US + DAY_US, START_US + 2 * DAY_US)) == 8
        assert (await nodes[1].stats()).readings == 88

    async def test_a_refused_frame_keeps_the_first_digest_and_readings(self, nodes: Nodes) -> None:
        number, text, boot = await numbers_of(nodes[0])
        await nodes[0].append(batch(Said(number, START_US, 1, frame=0), frames=[Told(boot, 1, 11)]))
        second = batch(
            Said(number, START_US, 2, frame=1),
            Said(number, START_US + 1, 3, frame=0),
            Said(text, START_US, "late", frame=1),
            Said(text, START_US + 1, "new", frame=0),
            frames=[Told(boot, 2, 22), Told(boot, 1, 99)],
        )
        done = await nodes[1].append(second)
        assert done.refused == {(boot, 1)}
        assert await nodes[0].known([(boot, 1), (boot, 2)]) == {(boot, 1): 11, (boot, 2): 22}
        assert [row.value for row in await nodes[0].read(RangeQuery([number, text], *ALL))] == [1, 3, "new"]

    async def test_commits_of_all_nodes_have_one_order_without_gaps(self, nodes: Nodes) -> None:
        number, _, boot = await numbers_of(nodes[0])

        async def append(node: PostgresSeries, seq: int) -> Committed:
            return await node.append(batch(Said(number, START_US + seq, seq, frame=0), frames=[Told(boot, seq)]))

        done = await asyncio.gather(*(append(nodes[seq % 2], seq) for seq in range(40)))
        assert sorted(one.commit_seq for one in done) == list(range(1, 41))

    async def test_whoever_sees_a_commit_sees_all_before_it(self, nodes: Nodes, connection: Any) -> None:
        number, _, _ = await numbers_of(nodes[0])
        seen: list[int] = []

        async def watch() -> None:
            while len(seen) < 1 or seen[-1] < 40:
                row = await connection.fetchrow("SELECT max(commit_seq), count(*) FROM mooring_series.batches")
                assert (row[0] or 0) == row[1], "a later commit was seen before an earlier one"
                seen.append(row[1])

        async def write(node: PostgresSeries) -> None:
            for step in range(20):
                await node.append(batch(Said(number, START_US + step, step)))

        await asyncio.wait_for(asyncio.gather(watch(), write(nodes[0]), write(nodes[1])), 30)

    async def test_two_nodes_enrol_the_same_things_at_once(self, nodes: Nodes) -> None:
        wanted = [NewSeries(f"d{no % 7}", f"k{no}", f"u{no}") for no in range(60)]
        found = await asyncio.gather(*(node.enroll(some) for node in nodes for some in (wanted, wanted[::-1])))
        assert found[0] == found[2] == found[1][::-1] == found[3][::-1]
        pairs = [(f"d{no}", "b") for no in range(30)]
        marks = await asyncio.gather(*(node.boots(some) for node in nodes for some in (pairs, pairs[::-1])))
        assert marks[0] == marks[2] == marks[1][::-1] == marks[3][::-1]

    async def test_two_nodes_make_the_same_days_at_once(self, nodes: Nodes) -> None:
        number, _, _ = await numbers_of(nodes[0])
        said = batch(*(Said(number, START_US - day * DAY_US, day) for day in range(40)))
        await asyncio.gather(*(node.append(said) for node in nodes for _ in range(2)))
        assert await nodes[0].count(RangeQuery([number], *ALL)) == 160


class TestDays:
    async def test_absurd_clocks_do_not_make_partitions_without_bound(
        self, store: PostgresSeries, connection: Any
    ) -> None:
        number, _, _ = await numbers_of(store)
        early = [Said(number, year * 365 * DAY_US, 1.0) for year in range(1, 50)]
        late = [Said(number, year * 365 * DAY_US, 1.0) for year in range(140, 200)]
        await store.append(batch(*early, *late, Said(number, START_US, 1.0), Said(number, START_US - 30 * DAY_US, 1.0)))
        names = await connection.fetch(
            "SELECT relid::text FROM pg_partition_tree('mooring_series.readings') WHERE isleaf"
        )
        assert len(names) == 4
        assert await store.count(RangeQuery([number], *ALL)) == 111

    def test_a_store_made_under_an_unset_clock_still_has_a_bound(self) -> None:
        days = Days(floor_day(0) * DAY)
        assert len(days.missing(np.arange(0, 200 * 365, dtype=np.int64) * DAY)) < 30_000
        assert floor_day(10**18) * DAY <= 4_102_444_800_000_000

    async def test_a_day_that_was_dropped_is_made_again(self, nodes: Nodes, connection: Any) -> None:
        number, _, _ = await numbers_of(nodes[0])
        for node in nodes:
            await node.append(batch(Said(number, START_US, 1)))
        await connection.execute("DROP TABLE mooring_series.readings_20261121")
        assert await nodes[0].read(RangeQuery([number], *ALL)) == []
        for node in nodes:
            await node.append(batch(Said(number, START_US, 2)))
        assert await nodes[1].count(RangeQuery([number], *ALL)) == 2

    async def test_a_question_about_one_day_looks_into_one_partition(
        self, store: PostgresSeries, connection: Any
    ) -> None:
        number, _, _ = await numbers_of(store)
        await store.append(batch(*(Said(number, START_US - day * DAY_US, day) for day in range(20))))
        await connection.execute("SET plan_cache_mode = force_custom_plan")
        statement = await connection.prepare(
            "SELECT * FROM mooring_series.readings WHERE series = ANY($1::int[]) AND at_us >= $2 AND at_us < $3"
        )
        plan = str(await statement.explain([number], START_US, START_US + HOUR_US))
        assert "readings_20261121" in plan
        assert "readings_20261120" not in plan


class TestSafety:
    @pytest.mark.parametrize("setting", ["synchronous_commit"])
    async def test_a_database_that_confirms_too_early_is_refused(
        self, postgres_url: str, connection: Any, setting: str
    ) -> None:
        name = urlsplit(postgres_url).path[1:]
        await connection.execute(f"ALTER DATABASE {name} SET {setting} = off")
        store = PostgresSeries(postgres_url)
        with pytest.raises(Unavailable, match=f"{setting}=off") as refusal:
            await store.open()
        assert refusal.value.code == "store_unsafe"
        assert f"set {setting}=on" in str(refusal.value.hint)

    async def test_a_setting_made_unsafe_later_stops_the_next_append(
        self, postgres_server: PostgresServer, store: PostgresSeries
    ) -> None:
        number, _, _ = await numbers_of(store)
        await store.append(batch(Said(number, START_US, 1)))
        postgres_server.sql("ALTER SYSTEM SET synchronous_commit = off")
        try:
            postgres_server.sql("SELECT pg_reload_conf()")
            await asyncio.sleep(0.3)
            with pytest.raises(Unavailable, match="synchronous_commit=off"):
                await store.append(batch(Said(number, START_US, 2)))
            with pytest.raises(Unavailable, match="synchronous_commit=off"):
                await store.probe()
        finally:
            postgres_server.sql("ALTER SYSTEM RESET synchronous_commit")
            postgres_server.sql("SELECT pg_reload_conf()")
        await asyncio.sleep(0.3)
        await store.append(batch(Said(number, START_US, 3)))
        assert [row.value for row in await store.read(RangeQuery([number], *ALL))] == [1, 3]

    async def test_without_the_driver_the_way_to_get_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "asyncpg", None)
        with pytest.raises(Unavailable, match="driver is not installed") as refusal:
            await PostgresSeries("postgresql://localhost/none").open()
        assert refusal.value.hint == "pip install 'mooring[postgres]'"

    @pytest.mark.parametrize(
        "url", ["postgresql://localhost:1/none", "postgresql+asyncpg://u:secret@localhost:1/none", "postgresql://[bad"]
    )
    async def test_an_address_that_leads_nowhere_is_refused_without_its_password(self, url: str) -> None:
        with pytest.raises(Unavailable, match="cannot be reached") as refusal:
            await PostgresSeries(url).open()
        assert "secret" not in refusal.value.message + str(refusal.value.hint)


async def stored_in_the_end(store: PostgresSeries, columns: Columns) -> None:
    """Append once each connection of the pool has found out that it was cut."""
    for _ in range(9):
        try:
            await store.append(columns)
        except Unavailable:
            await asyncio.sleep(0.02)
        else:
            return
    pytest.fail("the pool did not mend")


class TestTrouble:
    async def test_lost_connections_are_refusals_and_mend_by_themselves(
        self, store: PostgresSeries, connection: Any
    ) -> None:
        number, _, _ = await numbers_of(store)
        for step in range(3):
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await stored_in_the_end(store, batch(Said(number, START_US + step, step)))
        assert await store.count(RangeQuery([number], *ALL)) == 3

    async def test_a_server_that_crashes_is_unavailable_until_it_is_back_and_has_lost_nothing(
        self, postgres_server: PostgresServer, store: PostgresSeries
    ) -> None:
        number, _, boot = await numbers_of(store)
        await store.append(batch(Said(number, START_US, 1, frame=0), frames=[Told(boot, 1, 5)]))
        postgres_server.stop("immediate")
        try:
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await store.append(batch(Said(number, START_US, 2)))
            with pytest.raises(Unavailable):
                await store.read(RangeQuery([number], *ALL))
            with pytest.raises(Unavailable):
                await store.probe()
        finally:
            postgres_server.start()
        await store.append(batch(Said(number, START_US + 1, 3)))
        assert [row.value for row in await store.read(RangeQuery([number], *ALL))] == [1, 3]
        assert await store.known([(boot, 1)]) == {(boot, 1): 5}

    async def test_a_question_that_takes_too_long_is_ended(self, postgres_url: str, connection: Any) -> None:
        store = PostgresSeries(postgres_url, deadline_s=0.3)
        await store.open()
        number, _, _ = await numbers_of(store)
        async with connection.transaction():
            await connection.execute("LOCK TABLE mooring_series.readings IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match=r"longer than 0\.3 s"):
                await store.bucket(BucketQuery([number], *ALL, HOUR_US, ["avg"]))
            with pytest.raises(Unavailable, match=r"longer than 0\.3 s"):
                await store.append(batch(Said(number, START_US, 1)))
        await store.append(batch(Said(number, START_US, 2)))
        assert [row.value for row in await store.read(RangeQuery([number], *ALL))] == [2]
        await store.close()

    async def test_a_batch_that_fails_half_way_leaves_nothing(self, store: PostgresSeries) -> None:
        number, text, boot = await numbers_of(store)
        bad = batch(
            Said(number, START_US, 1, frame=0), Said(text, START_US, "nul \0 byte", frame=0), frames=[Told(boot, 1)]
        )
        with pytest.raises(Unavailable):
            await store.append(bad)
        assert await store.known([(boot, 1)]) == {}
        assert (await store.stats()).readings == 0
        done = await store.append(batch(Said(number, START_US, 2, frame=0), frames=[Told(boot, 1)]))
        assert done == Committed(1)

    async def test_an_append_nobody_waits_for_is_whole_or_absent(self, store: PostgresSeries) -> None:
        number, _, boot = await numbers_of(store)
        for seq in range(12):
            said = batch(*(Said(number, START_US + seq, at, frame=0) for at in range(5)), frames=[Told(boot, seq)])
            task = asyncio.create_task(store.append(said))
            await asyncio.sleep(0.0007 * seq)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        known = await store.known([(boot, seq) for seq in range(12)])
        assert await store.count(RangeQuery([number], *ALL)) == 5 * len(known)
        assert (await store.stats()).readings == 5 * len(known)


@pytest.fixture
def small_tablespace(small_disk: Path, postgres_server: PostgresServer) -> Iterator[str]:
    """Give a tablespace on the small disk."""
    if postgres_server.user is not None:
        shutil.chown(small_disk, postgres_server.user)
    postgres_server.sql(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    yield "small"
    postgres_server.sql("DROP TABLESPACE small")


async def test_a_full_disk_refuses_and_writing_resumes_when_there_is_space(
    small_tablespace: str, small_disk: Path, postgres_url: str, connection: Any
) -> None:
    await connection.execute(
        f"ALTER DATABASE {urlsplit(postgres_url).path[1:]} SET default_tablespace = {small_tablespace}"
    )
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(8 << 20))
    store = PostgresSeries(postgres_url)
    await store.open()
    number, _, _ = await numbers_of(store)
    rows, acked = 20_000, 0
    columns = batch()
    columns.series, columns.at_us = np.full(rows, number, np.int32), START_US + np.arange(rows, dtype=np.int64)
    columns.value, columns.kind = np.ones(rows), np.zeros(rows, np.uint8)
    columns.quality = np.ones(rows, np.float32)
    with pytest.raises(StorageFull):
        while acked < 60:
            await store.append(columns)
            acked += 1
    with pytest.raises(StorageFull):
        await store.append(columns)
    assert await store.count(RangeQuery([number], *ALL)) == acked * rows
    ballast.unlink()
    await store.append(columns)
    assert await store.count(RangeQuery([number], *ALL)) == (acked + 1) * rows
    await store.close()
