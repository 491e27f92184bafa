"""What every store of readings keeps, whatever machine stands behind the Series port."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.batches import ALL, DAY_US, HOUR_US, START_US, Said, Told, batch, buckets, within
from tests.contracts.conftest import Opener
from tests.postgres import PostgresServer

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.adapters.postgres_series import PostgresSeries
from mooring.kernel.errors import Unavailable
from mooring.telemetry.series import (
    BootMark,
    Bucket,
    BucketQuery,
    Newest,
    NewSeries,
    RangeQuery,
    Row,
    Series,
    SeriesInfo,
)

MINUTE_US = 60_000_000
EVERY = ("avg", "min", "max", "sum", "count", "first", "last", "stddev", "p0", "p50", "p95", "p99.9", "p100")


async def one_series(store: Series, key: str = "temperature", device_id: str = "d1") -> int:
    [no] = await store.enroll([NewSeries(device_id, key, None)])
    return no


async def values_of(store: Series, no: int) -> list[Any]:
    return [row.value for row in await store.read(RangeQuery([no], *ALL))]


class TestAppendAndRead:
    async def test_what_is_appended_is_read_back_at_once(self, store: Series) -> None:
        no = await one_series(store)
        for step in range(20):
            await store.append(batch(Said(no, START_US + step, 0.5 + step, 0.75)))
            rows = await store.read(RangeQuery([no], START_US + step, START_US + step + 1))
            assert rows == [Row(no, START_US + step, 0.5 + step, 0.75)]

    @pytest.mark.parametrize(
        "value",
        [
            21.5,
            -0.0,
            5e-324,
            1.7976931348623157e308,
            0.1 + 0.2,
            0,
            -17,
            2**53,
            2**53 + 1,
            2**63 - 1,
            -(2**63),
            True,
            False,
            "",
            "on",
            "Ω żółw 🐢 \u202ertl",
            "O'Brien\"; \\ %s $1 {x}\n\t",
            "x" * 16_384,
            {"a": [1, 2.5, None, True, {"b": "ü"}]},
            [],
            {},
            {"big": 2**63 - 1},
        ],
        ids=lambda value: repr(value)[:24],
    )
    async def test_a_value_comes_back_as_it_was_said(self, store: Series, value: Any) -> None:
        no = await one_series(store)
        await store.append(batch(Said(no, START_US, value)))
        [found] = await values_of(store, no)
        assert (type(found), repr(found)) == (type(value), repr(value))
        [newest] = await store.newest([no])
        assert (type(newest.value), newest.value) == (type(value), value)

    async def test_kinds_may_change_within_a_series_and_stay_in_time_order(self, store: Series) -> None:
        no = await one_series(store)
        said = [1.5, "warm", 3, True, {"a": 1}, 2**60, "cold", 0.0]
        await store.append(batch(*(Said(no, START_US + at, value) for at, value in enumerate(said))))
        assert await values_of(store, no) == said

    async def test_late_and_out_of_order_data_is_read_in_time_order(self, store: Series) -> None:
        no = await one_series(store)
        days = [0, -3, -1, -400, 1, -2, -20_000, -19_999]
        for day in days:
            await store.append(
                batch(Said(no, START_US + day * DAY_US + 2, day), Said(no, START_US + day * DAY_US, day))
            )
        rows = await store.read(RangeQuery([no], *ALL))
        assert [row.at_us for row in rows] == sorted(START_US + day * DAY_US + at for day in days for at in (0, 2))
        assert [row.value for row in rows] == [day for day in sorted(days) for _ in range(2)]

    async def test_far_away_days_are_stored_too(self, store: Series) -> None:
        no = await one_series(store)
        times = [31_536_000_000_000, 253_402_300_799_000_000, 4_102_444_799_999_999, 4_102_444_800_000_000]
        for at_us in times:
            await store.append(batch(Said(no, at_us, 1.0), Said(no, at_us, "far")))
        rows = await store.read(RangeQuery([no], *ALL))
        assert sorted({row.at_us for row in rows}) == sorted(times)
        assert await store.count(RangeQuery([no], *ALL)) == 8

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_ties_stand_in_stored_order(self, store: Series, order: Any) -> None:
        no = await one_series(store)
        for start in (0, 3, 6):
            await store.append(batch(*(Said(no, START_US, start + step) for step in range(3))))
        rows = await store.read(RangeQuery([no], *ALL, order=order))
        expected = list(range(9))
        assert [row.value for row in rows] == (expected if order == "asc" else expected[::-1])

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_pages_meet_without_gap_or_overlap(self, store: Series, order: Any) -> None:
        numbers = await store.enroll([NewSeries("d1", key, None) for key in "abc"])
        said = [
            Said(no, START_US + step // 3, f"t{step}" if step % 4 == 0 else step)
            for step in range(40)
            for no in numbers
        ]
        for start in range(0, len(said), 25):
            await store.append(batch(*said[start : start + 25]))
        whole = await store.read(RangeQuery(numbers, *ALL, limit=1000, order=order))
        pages = [
            await store.read(RangeQuery(numbers, *ALL, limit=7, offset=at, order=order)) for at in range(0, 126, 7)
        ]
        assert [row for page in pages for row in page] == whole
        assert len(whole) == 120
        backwards = await store.read(RangeQuery(numbers, *ALL, order="asc" if order == "desc" else "desc"))
        assert backwards == whole[::-1]

    async def test_a_range_takes_its_start_and_leaves_its_end(self, store: Series) -> None:
        no = await one_series(store)
        await store.append(batch(*(Said(no, START_US + at, at) for at in range(5))))
        query = RangeQuery([no], START_US + 1, START_US + 3, limit=1)
        assert [row.value for row in await store.read(query)] == [1]
        assert await store.count(query) == 2
        assert await store.count(RangeQuery([], *ALL)) == 0
        assert await store.read(RangeQuery([no + 1000], *ALL)) == []

    async def test_only_good_enough_readings_are_read(self, store: Series) -> None:
        no = await one_series(store)
        scores = [0.0, 0.1, 0.3, 0.7, 0.9, 1.0]
        await store.append(batch(*(Said(no, START_US + at, score, score) for at, score in enumerate(scores))))
        await store.append(batch(Said(no, START_US + 9, "text", 0.7)))
        for least in scores:
            query = RangeQuery([no], *ALL, quality_min=least)
            rows = await store.read(query)
            assert [row.quality for row in rows if row.value != "text"] == [s for s in scores if s >= least]
            assert await store.count(query) == len(rows) == sum(s >= least for s in [*scores, 0.7])
        aggregated = await store.bucket(BucketQuery([no], *ALL, DAY_US, ["count", "min"], quality_min=0.7))
        assert [bucket.values for bucket in aggregated] == [(4, 0.7)]

    async def test_a_batch_may_hold_frames_without_readings(self, store: Series) -> None:
        [boot] = await store.boots([("d1", "b")])
        await store.append(batch(frames=[Told(boot.no, 5, 99)]))
        assert await store.known([(boot.no, 5)]) == {(boot.no, 5): 99}

    async def test_a_large_batch_arrives_whole(self, store: Series) -> None:
        no = await one_series(store)
        count = 50_000
        columns = batch(frames=())
        columns.series = np.full(count, no, np.int32)
        columns.at_us = START_US + np.arange(count, dtype=np.int64)[::-1]
        columns.value = np.arange(count, dtype=np.float64)
        columns.kind, columns.quality = np.ones(count, np.uint8), np.ones(count, np.float32)
        await store.append(columns)
        [bucket] = await store.bucket(BucketQuery([no], *ALL, DAY_US, ["count", "sum", "first", "last"]))
        assert bucket.values == (count, count * (count - 1) / 2, count - 1, 0)
        assert len(await store.read(RangeQuery([no], *ALL, limit=100_000))) == count

    async def test_commits_are_counted_one_by_one(self, store: Series) -> None:
        no = await one_series(store)
        seen = [(await store.append(batch(Said(no, START_US + at, at)))).commit_seq for at in range(5)]
        assert seen == [1, 2, 3, 4, 5]

    async def test_reading_goes_on_while_batches_are_stored(self, store: Series) -> None:
        no = await one_series(store)

        async def write() -> None:
            for step in range(30):
                await store.append(batch(*(Said(no, START_US + step * 10 + at, step) for at in range(10))))

        async def watch() -> None:
            while not writing.done():
                rows = await store.read(RangeQuery([no], *ALL))
                assert len(rows) % 10 == 0, "half a batch was seen"

        writing = asyncio.create_task(write())
        await asyncio.gather(writing, watch(), watch(), watch())
        assert await store.count(RangeQuery([no], *ALL)) == 300

    async def test_a_reader_who_gives_up_leaves_the_store_working(self, store: Series) -> None:
        no = await one_series(store)
        await store.append(batch(Said(no, START_US, 1)))
        for _ in range(10):
            task = asyncio.create_task(store.read(RangeQuery([no], *ALL)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await values_of(store, no) == [1]


class TestBuckets:
    async def test_every_aggregate_of_a_bucket(self, store: Series) -> None:
        no = await one_series(store)
        await store.append(batch(*(Said(no, START_US + at, value) for at, value in enumerate([4.0, 1, 3.5, True, 2]))))
        [found] = await store.bucket(BucketQuery([no], *ALL, HOUR_US, EVERY))
        assert (found.series, found.at_us) == (no, START_US)
        expected = (2.3, 1.0, 4.0, 11.5, 5, 4.0, 2.0, 1.396424004376894, 1.0, 2.0, 3.9, 3.998, 4.0)
        assert found.values == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("interval_us", [1_000, MINUTE_US, 7 * MINUTE_US, DAY_US, 7 * DAY_US])
    async def test_buckets_are_aligned_to_1970_and_empty_ones_left_out(self, store: Series, interval_us: int) -> None:
        no = await one_series(store)
        times = [START_US + step * 37 * MINUTE_US + 123_456 for step in (0, 1, 2, 50, 400)]
        await store.append(batch(*(Said(no, at, 1.0) for at in times)))
        found = await store.bucket(BucketQuery([no], *ALL, interval_us, ["count"]))
        starts = sorted({at // interval_us * interval_us for at in times})
        assert [bucket.at_us for bucket in found] == starts
        assert sum(bucket.values[0] or 0 for bucket in found) == 5

    async def test_text_is_counted_and_nothing_else(self, store: Series) -> None:
        no = await one_series(store)
        await store.append(batch(Said(no, START_US, "a"), Said(no, START_US + 1, {"b": 1})))
        names = ["count", "avg", "min", "sum", "first", "last", "stddev", "p50"]
        only_text = await store.bucket(BucketQuery([no], *ALL, HOUR_US, names))
        assert only_text == [Bucket(no, START_US, (2, None, None, None, None, None, None, None))]
        await store.append(batch(Said(no, START_US + 2, 8.0), Said(no, START_US + 3, "c")))
        both = await store.bucket(BucketQuery([no], *ALL, HOUR_US, names))
        assert both == [Bucket(no, START_US, (4, 8.0, 8.0, 8.0, 8.0, 8.0, None, 8.0))]

    async def test_integers_beyond_floats_are_numbers_in_aggregates(self, store: Series) -> None:
        no = await one_series(store)
        await store.append(batch(Said(no, START_US, 2**60), Said(no, START_US + 1, 2**62), Said(no, START_US + 2, "x")))
        [found] = await store.bucket(BucketQuery([no], *ALL, HOUR_US, ["min", "max", "last", "count"]))
        assert found.values == (2.0**60, 2.0**62, 2.0**62, 3)

    async def test_first_and_last_of_a_tie_are_those_stored_first_and_last(self, store: Series) -> None:
        no = await one_series(store)
        for start in (0, 10, 20):
            await store.append(batch(*(Said(no, START_US, start + step) for step in range(4))))
        [found] = await store.bucket(BucketQuery([no], *ALL, HOUR_US, ["first", "last"]))
        assert found.values == (0, 23)

    async def test_an_aggregate_too_large_for_a_float_has_no_value(self, store: Series) -> None:
        no = await one_series(store)
        top = 1.7e308
        await store.append(batch(Said(no, START_US, top), Said(no, START_US + 1, top), Said(no, START_US + 2, -top)))
        await store.append(batch(Said(no, START_US + DAY_US, top), Said(no, START_US + DAY_US + 1, top)))
        names = ["max", "avg", "sum", "stddev", "count", "p50"]
        first, second = await store.bucket(BucketQuery([no], *ALL, DAY_US, names))
        assert first.values == pytest.approx((top, top / 3, top, None, 3, top))
        assert second.values == pytest.approx((top, top, None, None, 2, top))

    async def test_buckets_come_in_the_order_and_number_asked_for(self, store: Series) -> None:
        numbers = await store.enroll([NewSeries("d1", key, None) for key in "ab"])
        said = [Said(no, START_US + hour * HOUR_US, hour) for hour in range(4) for no in numbers]
        await store.append(batch(*said))
        up = await store.bucket(BucketQuery(numbers, *ALL, HOUR_US, ["avg"]))
        down = await store.bucket(BucketQuery(numbers, *ALL, HOUR_US, ["avg"], limit=3, order="desc"))
        assert [(found.at_us, found.series) for found in up] == [(one.at_us, one.series) for one in said]
        assert down == up[::-1][:3]
        part = await store.bucket(BucketQuery(numbers, START_US + HOUR_US, START_US + 2 * HOUR_US, HOUR_US, ["count"]))
        assert [found.values for found in part] == [(1,), (1,)]


class TestNumbersAndBoots:
    async def test_enrolling_is_idempotent_and_keeps_the_order_asked(self, store: Series) -> None:
        wanted = [NewSeries("d2", "b", None), NewSeries("d1", "a", "°C"), NewSeries("d1", "b", None)]
        numbers = await store.enroll(wanted)
        assert len(set(numbers)) == 3
        assert await store.enroll(wanted[::-1]) == numbers[::-1]
        more = await store.enroll([*wanted, wanted[0], NewSeries("d3", "a", None)])
        assert more[:4] == [*numbers, numbers[0]]
        assert await store.enroll([]) == []

    async def test_the_same_new_pair_twice_in_one_call_gets_one_number(self, store: Series) -> None:
        first, second = await store.enroll([NewSeries("d", "k", "V"), NewSeries("d", "k", None)])
        assert first == second
        assert await store.catalogue() == [SeriesInfo(first, "d", "k", "V")]

    async def test_a_unit_changes_when_a_new_one_is_said_and_stays_otherwise(self, store: Series) -> None:
        seen = []
        for unit in (None, "C", None, "F", "F"):
            await store.enroll([NewSeries("d", "k", unit)])
            seen += [info.unit for info in await store.catalogue()]
        assert seen == [None, "C", "C", "F", "F"]

    async def test_concurrent_enrolment_gives_one_number_each(self, store: Series) -> None:
        wanted = [NewSeries("d", f"k{no}", None) for no in range(20)]
        found = await asyncio.gather(*(store.enroll(wanted) for _ in range(6)))
        assert all(numbers == found[0] for numbers in found)
        assert len(await store.catalogue()) == 20

    async def test_a_boot_knows_its_highest_seq(self, store: Series) -> None:
        first, other = await store.boots([("d1", "b1"), ("d1", "b2")])
        assert (first.last_seq, other.last_seq) == (-1, -1)
        assert first.no != other.no
        await store.append(batch(frames=[Told(first.no, 7), Told(first.no, 3), Told(other.no, 2**63 - 1)]))
        await store.append(batch(frames=[Told(first.no, 5)]))
        asked = [("d1", "b2"), ("d2", "b1"), ("d1", "b1"), ("d1", "b1")]
        marks = await store.boots(asked)
        assert [mark.last_seq for mark in marks] == [2**63 - 1, -1, 7, 7]
        assert marks[0].no == other.no
        assert marks[2] == marks[3] == BootMark(first.no, 7)

    async def test_stored_frames_are_known_by_their_digest(self, store: Series) -> None:
        one, two = await store.boots([("d1", "b"), ("d2", "b")])
        await store.append(batch(frames=[Told(one.no, 1, 11), Told(two.no, 1, 2**32 - 1)]))
        asked = [(one.no, 1), (two.no, 1), (one.no, 2), (two.no, 0), (one.no + two.no + 9, 1)]
        assert await store.known(asked) == {(one.no, 1): 11, (two.no, 1): 2**32 - 1}
        assert await store.known([]) == {}


class TestKeeping:
    async def test_reopening_keeps_everything_and_goes_on_counting(self, opener: Opener) -> None:
        store = opener()
        await store.open()
        numbers = await store.enroll([NewSeries("d", "number", "V"), NewSeries("d", "text", None)])
        [boot] = await store.boots([("d", "b")])
        said = batch(
            Said(numbers[0], START_US, 1.5, frame=0), Said(numbers[1], START_US, "on"), frames=[Told(boot.no, 4, 9)]
        )
        await store.append(said)
        before = [await store.catalogue(), await store.newest(), await store.read(RangeQuery(numbers, *ALL))]
        await store.close()
        again = opener()
        await again.open()
        assert [await again.catalogue(), await again.newest(), await again.read(RangeQuery(numbers, *ALL))] == before
        assert await again.boots([("d", "b")]) == [BootMark(boot.no, 4)]
        assert await again.known([(boot.no, 4)]) == {(boot.no, 4): 9}
        assert await again.enroll([NewSeries("d", "number", None)]) == numbers[:1]
        assert (await again.append(batch(Said(numbers[0], START_US + 1, 2)))).commit_seq == 2
        assert (await again.stats()).commit_seq == 2
        await again.close()

    async def test_forgetting_a_device_takes_all_of_it_and_nothing_else(self, store: Series) -> None:
        wanted = [NewSeries("gone", "n", None), NewSeries("gone", "t", None), NewSeries("stays", "n", None)]
        number, text, other = await store.enroll(wanted)
        gone, stays = await store.boots([("gone", "b"), ("stays", "b")])
        said = [Said(number, START_US, 1), Said(number, START_US - 5 * DAY_US, 2), Said(text, START_US, "x")]
        await store.append(batch(*said, Said(other, START_US, 3), frames=[Told(gone.no, 1, 1), Told(stays.no, 1, 1)]))
        assert await store.forget("gone") == 3
        assert await store.forget("gone") == 0
        assert await store.forget("never seen") == 0
        assert [info.device_id for info in await store.catalogue()] == ["stays"]
        assert [found.series for found in await store.newest()] == [other]
        assert await store.read(RangeQuery([number, text], *ALL)) == []
        assert await store.known([(gone.no, 1), (stays.no, 1)]) == {(stays.no, 1): 1}
        assert await values_of(store, other) == [3]
        assert (await store.stats()).readings == 1
        assert (await store.boots([("gone", "b")]))[0].last_seq == -1

    async def test_numbers_of_a_forgotten_device_are_never_given_again(self, opener: Opener) -> None:
        store = opener()
        await store.open()
        [no] = await store.enroll([NewSeries("gone", "k", None)])
        [boot] = await store.boots([("gone", "b")])
        await store.forget("gone")
        await store.close()
        again = opener()
        await again.open()
        assert await one_series(again, "k", "new") > no
        assert (await again.boots([("new", "b")]))[0].no > boot.no
        await again.close()

    async def test_a_newer_store_is_refused_in_clear_words(
        self, opener: Opener, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        store = opener()
        await store.open()
        await store.close()
        if isinstance(store, DuckDBSeries):
            with duckdb.connect(str(tmp_path / "data" / "readings.duckdb")) as connection:
                connection.execute("UPDATE store SET version = 99")
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url: str = request.getfixturevalue("postgres_url")
            server.sql("UPDATE mooring_series.store SET version = 99", urlsplit(url).path[1:])
        newer = opener()
        with pytest.raises(Unavailable, match="newer mooring: store version 99, this program knows 1") as refusal:
            await newer.open()
        assert refusal.value.hint
        with pytest.raises(Unavailable):
            await newer.catalogue()
        await newer.close()

    async def test_stats_count_what_is_there(self, store: Series) -> None:
        empty = await store.stats()
        assert (empty.readings, empty.series, empty.commit_seq) == (0, 0, 0)
        numbers = await store.enroll([NewSeries("d", key, None) for key in "ab"])
        await store.append(batch(Said(numbers[0], START_US, 1), Said(numbers[1], START_US, "x")))
        full = await store.stats()
        assert (full.readings, full.series, full.commit_seq) == (2, 2, 1)
        assert full.bytes > 0

    async def test_a_closed_store_answers_unavailable(self, opener: Opener) -> None:
        store = opener()
        for state in ("never opened", "closed"):
            if state == "closed":
                await store.open()
                await store.close()
            query = RangeQuery([1], *ALL)
            for asked in (
                store.probe,
                lambda: store.append(batch(Said(1, START_US, 1))),
                lambda: store.enroll([NewSeries("d", "k", None)]),
                lambda: store.boots([("d", "b")]),
                lambda: store.known([(1, 1)]),
                lambda: store.forget("d"),
                store.catalogue,
                store.newest,
                lambda: store.count(query),  # noqa: B023
                lambda: store.read(query),  # noqa: B023
                lambda: store.bucket(BucketQuery([1], *ALL, HOUR_US, ["avg"])),
                store.stats,
            ):
                with pytest.raises(Unavailable, match="closed"):
                    await asked()
        await store.close()

    async def test_a_working_store_passes_its_probe(self, store: Series) -> None:
        await store.probe()


class TestCatalogueAndNewest:
    async def test_the_catalogue_is_ordered_and_may_be_narrowed(self, store: Series) -> None:
        pairs = [("b", "z"), ("B", "z"), ("a", "é"), ("a", "z"), ("a", "A"), ("ä", "a")]
        await store.enroll([NewSeries(device, key, "u") for device, key in pairs])
        everything = await store.catalogue()
        assert [(info.device_id, info.key) for info in everything] == sorted(pairs)
        assert await store.catalogue(["a"]) == [info for info in everything if info.device_id == "a"]
        assert await store.catalogue([]) == []
        assert await store.catalogue(["nobody"]) == []

    async def test_the_newest_is_by_device_time_whatever_the_kind(self, store: Series) -> None:
        keys = ("number last", "text last", "late", "tie", "silent", "big")
        numbers = await store.enroll([NewSeries("d", key, None) for key in keys])
        number, text, late, tie, _, big = numbers
        await store.append(batch(Said(number, START_US, "old"), Said(text, START_US, 1), Said(late, START_US, 2, 0.9)))
        await store.append(batch(Said(number, START_US + 1, 5), Said(text, START_US + 1, {"a": 1}), Said(late, 1, 3)))
        await store.append(batch(Said(tie, START_US, "first"), Said(big, START_US, 2**62)))
        await store.append(batch(Said(tie, START_US, 1), Said(tie, START_US, True)))
        found = {newest.series: newest for newest in await store.newest()}
        assert found == {
            number: Newest(number, START_US + 1, 5, 1.0),
            text: Newest(text, START_US + 1, {"a": 1}, 1.0),
            late: Newest(late, START_US, 2, 0.9),
            tie: Newest(tie, START_US, True, 1.0),
            big: Newest(big, START_US, 2**62, 1.0),
        }
        assert await store.newest([late, 10_000]) == [found[late]]
        assert await store.newest([]) == []

    @pytest.mark.parametrize(
        "name",
        [
            "'; DROP TABLE series; --",
            '"); DELETE FROM readings; --',
            "$1",
            "?",
            "{where}",
            "%s",
            "../../etc",
            "a\\b",
            "👾",
        ],
    )
    async def test_names_that_look_like_commands_are_just_names(self, store: Series, name: str) -> None:
        [no] = await store.enroll([NewSeries(name, name, name)])
        [boot] = await store.boots([(name, name)])
        await store.append(batch(Said(no, START_US, name), frames=[Told(boot.no, 1)]))
        assert await store.catalogue([name]) == [SeriesInfo(no, name, name, name)]
        assert await store.boots([(name, name)]) == [BootMark(boot.no, 1)]
        assert await values_of(store, no) == [name]
        assert await store.forget(name) == 1


SAID = st.builds(
    Said,
    series=st.integers(0, 2),
    at_us=st.one_of(
        st.integers(START_US, START_US + 5),
        st.integers(START_US - 3 * HOUR_US, START_US + 3 * HOUR_US),
        st.integers(40_000_000_000_000, START_US),
    ),
    value=st.one_of(
        st.floats(-1e9, 1e9, allow_nan=False),
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2),
    ),
    quality=st.sampled_from([1.0, 0.9, 0.5, 0.1]),
    frame=st.just(-1),
)


@pytest.fixture
async def both(tmp_path: Path, postgres_url: str) -> Any:
    """Give a store of each kind, to be asked the same."""
    pair = DuckDBSeries(tmp_path / "data", reserve_bytes=0), PostgresSeries(postgres_url)
    for store in pair:
        await store.open()
    yield pair
    for store in pair:
        await store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(st.lists(SAID, max_size=12), min_size=1, max_size=4),
    window=st.sampled_from([ALL, (START_US, START_US + 3), (START_US - HOUR_US, START_US + HOUR_US)]),
    interval_us=st.sampled_from([1, 3, MINUTE_US, HOUR_US, 36_500 * DAY_US]),
    quality_min=st.sampled_from([0.0, 0.1, 0.9]),
    page=st.tuples(st.integers(0, 5), st.integers(1, 20)),
)
async def test_both_stores_answer_as_the_obvious_way_does(
    both: tuple[Series, Series],
    batches: list[list[Said]],
    window: tuple[int, int],
    interval_us: int,
    quality_min: float,
    page: tuple[int, int],
) -> None:
    for store in both:
        fresh = len(await store.catalogue())
        numbers = await store.enroll([NewSeries("d", f"{fresh}-{no}", None) for no in range(3)])
        kept: list[Said] = []
        for said in batches:
            mine = [one._replace(series=numbers[one.series]) for one in said]
            await store.append(batch(*mine))
            # In a batch numbers stand before texts, and series by their number.
            mine.sort(key=lambda one: (one.series, batch(one).rows == len(batch(one).text_series)))
            kept += mine
        query = RangeQuery(numbers, *window, limit=page[1], offset=page[0], quality_min=quality_min)
        expected = [(one.series, one.at_us, one.value, one.quality) for one in within(kept, query)]
        assert await store.count(query) == len(expected)
        assert [tuple(row) for row in await store.read(query)] == expected[page[0] : page[0] + page[1]]
        grouped = BucketQuery(numbers, *window, interval_us, EVERY, quality_min=quality_min)
        reference = buckets(kept, grouped)
        found = await store.bucket(grouped)
        assert [(bucket.at_us, bucket.series) for bucket in found] == sorted(reference)
        for bucket in found:
            same_scale = max((abs(v) for v in reference[bucket.at_us, bucket.series] if v is not None), default=1.0)
            for name, got, want in zip(EVERY, bucket.values, reference[bucket.at_us, bucket.series], strict=True):
                assert (got is None) == (want is None), name
                if got is not None and want is not None:
                    assert math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9 * same_scale), name
