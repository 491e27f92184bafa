"""The rhythm of a replay: real gaps, faster; history that ends now; round and round."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from tests.simulator.toys import JumpingClock

from mooring.simulator.recording import Column, Recording, Row
from mooring.simulator.replay import Pace, Replay, ReplayOptions


def recording(*minutes: float) -> Recording:
    rows = [Row(round(minute * 60e6), {"value": float(place)}) for place, minute in enumerate(minutes)]
    return Recording(Path("x.csv"), "X", [Column("value")], rows)


def first(replay: Replay, count: int) -> list[tuple[float, float]]:
    return [(wait_s, row.values["value"]) for wait_s, row in itertools.islice(replay.live(), count)]


def test_gaps_are_kept_at_the_given_speed_and_the_end_leads_to_the_start() -> None:
    replay = Replay(recording(0, 5, 15, 20), ReplayOptions(speed=60.0, longest_wait_s=60))
    assert first(replay, 6) == [(0, 0), (5, 1), (10, 2), (5, 3), (5, 0), (5, 1)]


def test_without_a_speed_the_usual_gap_takes_a_second() -> None:
    assert first(Replay(recording(0, 5, 10, 20, 25)), 5) == [(0, 0), (1, 1), (1, 2), (2, 3), (1, 4)]


def test_long_holes_are_cut() -> None:
    replay = Replay(recording(0, 5, 10, 10_000, 10_005))
    assert first(replay, 4)[3] == (30.0, 3)


def test_time_that_stalls_or_runs_back_counts_as_the_usual_gap() -> None:
    assert [wait_s for wait_s, _ in first(Replay(recording(0, 5, 5, 1, 6)), 5)] == [0, 1, 1, 1, 1]


def test_a_single_row_repeats() -> None:
    assert first(Replay(recording(7)), 3) == [(0, 0), (1, 0), (1, 0)]


def test_history_keeps_its_spacing_and_ends_one_gap_before_now() -> None:
    replay = Replay(recording(0, 5, 15, 20), ReplayOptions(backfill_rows=3))
    now_us = 1_000_000_000_000
    past = list(replay.history(now_us))
    assert [row.values["value"] for row in past] == [0, 1, 2]
    assert [(now_us - row.at_us) / 60e6 for row in past] == [20, 15, 5]
    assert first(replay, 2) == [(0, 3), (1, 0)]


def test_history_never_takes_all_rows() -> None:
    replay = Replay(recording(0, 5), ReplayOptions(backfill_rows=500))
    assert replay.history_rows == 1
    assert first(replay, 1) == [(0, 1)]


def test_an_offset_starts_elsewhere_and_history_wraps_round() -> None:
    replay = Replay(recording(0, 5, 10, 15), ReplayOptions(backfill_rows=2, offset_share=0.75))
    assert [row.values["value"] for row in replay.history(10**12)] == [3, 0]
    assert first(replay, 2) == [(0, 1), (1, 2)]


async def test_pace_adds_up_without_drift() -> None:
    clock = JumpingClock()
    beats: list[float] = []

    async def beat() -> None:
        pace = Pace(clock)
        for wait_s in (0.0, 2.0, 1.0, 4.0):
            await pace.wait(wait_s)
            beats.append(clock.monotonic())

    task = asyncio.create_task(beat())
    await clock.run(20.0)
    await task
    assert beats == [0.0, 2.0, 3.0, 7.0]


async def test_lost_time_is_not_made_up_in_a_burst() -> None:
    clock = JumpingClock()
    pace = Pace(clock)
    clock.elapsed = 100.0
    task = asyncio.create_task(pace.wait(1.0))
    await clock.run(0.0)
    await task
    second = asyncio.create_task(pace.wait(1.0))
    await clock.run(0.5)
    assert not second.done()
    await clock.run(0.6)
    await second


@pytest.mark.parametrize("speed", [1.0, 300.0, 3600.0])
async def test_a_replay_takes_as_long_as_its_recording_divided_by_speed(speed: float) -> None:
    replay = Replay(recording(*range(0, 500, 5)), ReplayOptions(speed=speed, longest_wait_s=1e9))
    waits = [wait_s for wait_s, _ in first(replay, 100)]
    assert sum(waits) == pytest.approx(495 * 60 / speed)
