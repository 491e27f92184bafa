"""Taking single readings out again, on every store behind the Series port."""

from __future__ import annotations

from tests.contracts.batches import ALL, START_US, Said, Told, batch

from mooring.telemetry.series import NewSeries, RangeQuery, Series


async def two_series(store: Series) -> list[int]:
    return await store.enroll([NewSeries("d1", "a", None), NewSeries("d1", "b", None)])


async def test_readings_of_one_time_are_erased_and_no_others(store: Series) -> None:
    a, b = await two_series(store)
    await store.append(batch(Said(a, START_US, 1.0), Said(b, START_US, "text"), Said(a, START_US + 1, 2.0)))
    assert await store.erase([a, b], START_US) == 2
    assert [row.value for row in await store.read(RangeQuery([a, b], *ALL))] == [2.0]
    assert await store.erase([a, b], START_US) == 0
    assert (await store.stats()).readings == 1


async def test_a_series_not_named_keeps_its_reading_of_that_time(store: Series) -> None:
    a, b = await two_series(store)
    await store.append(batch(Said(a, START_US, 1.0), Said(b, START_US, 2.0)))
    assert await store.erase([a], START_US) == 1
    assert [row.series for row in await store.read(RangeQuery([a, b], *ALL))] == [b]
    assert await store.erase([], START_US) == 0


async def test_readings_expire_by_receipt_and_not_by_their_own_time(store: Series) -> None:
    a, b = await two_series(store)
    await store.append(batch(Said(a, START_US + 9, 1.0), Said(b, START_US, 1.5), received_us=START_US))
    await store.append(batch(Said(a, START_US - 9, 2.0), received_us=START_US + 100))
    assert await store.expire([a], START_US + 100) == 1
    assert [(row.series, row.value) for row in await store.read(RangeQuery([a, b], *ALL))] == [(a, 2.0), (b, 1.5)]


async def test_frames_whose_readings_expired_stay_known(store: Series) -> None:
    a, _ = await two_series(store)
    [boot] = await store.boots([("d1", "boot")])
    told = Told(boot.no, 1, 7)
    await store.append(batch(Said(a, START_US, 1.0, frame=0), frames=[told], received_us=START_US))
    await store.expire([a], START_US + 1)
    assert await store.known([(boot.no, 1)]) == {(boot.no, 1): 7}
