"""Posting the past: in batches, again when an answer is lost, frame by frame where the server says so."""

from __future__ import annotations

import random
from typing import Any

from tests.simulator.test_registration import InstantClock
from tests.simulator.toys import Reply, Route, http_open

from mooring.simulator.history import BATCH, HistoryPoster, dressed
from mooring.simulator.http_client import Address, HttpClient
from mooring.simulator.recording import Row
from mooring.simulator.tally import Tally
from mooring.simulator.waiting import Patience

ROWS = [Row(1_788_220_800_000_000 + number * 300_000_000, {"level": float(number)}) for number in range(BATCH + 20)]


async def post(route: Route, rows: list[Row]) -> tuple[int, Tally]:
    tally = Tally()
    async with http_open(route) as url:
        poster = HistoryPoster(HttpClient(Address.of(url), "k"), Patience(InstantClock(), random.Random(1)), tally)
        return await poster.post("d1", rows, {"level": "m"}), tally


async def test_past_goes_in_batches_with_its_own_times() -> None:
    batches: list[list[dict[str, Any]]] = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        assert (method, path) == ("POST", "/api/devices/d1/data")
        batches.append(body["frames"])
        return 201, {"receipts": [{"seq": frame["seq"], "status": "stored"} for frame in body["frames"]]}

    taken, tally = await post(route, ROWS)
    assert taken == tally.history == BATCH + 20
    assert [len(batch) for batch in batches] == [BATCH, 20]
    assert batches[0][0]["timestamp"] == "2026-09-01T00:00:00.000Z"
    assert batches[0][0]["sensor_readings"] == {"level": {"value": 0.0, "unit": "m"}}
    assert batches[0][1]["sensor_readings"] == {"level": 1.0}
    assert [frame["seq"] for batch in batches for frame in batch] == list(range(1, BATCH + 21))
    assert len({frame["boot_id"] for batch in batches for frame in batch}) == 1


async def test_lost_answer_means_the_same_frames_again() -> None:
    seen: list[list[tuple[str, int]]] = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply | bytes:
        seen.append([(frame["boot_id"], frame["seq"]) for frame in body["frames"]])
        return b"" if len(seen) == 1 else (200, {"receipts": [{"seq": s, "status": "duplicate"} for _, s in seen[0]]})

    taken, tally = await post(route, ROWS[:30])
    assert seen[0] == seen[1]
    assert (taken, tally.duplicates) == (30, 30)


async def test_only_what_was_not_taken_is_posted_again() -> None:
    sizes = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        sizes.append(len(body["frames"]))
        return 201, {"receipts": [judge(frame["seq"], len(sizes)) for frame in body["frames"]]}

    def judge(seq: int, attempt: int) -> dict[str, Any]:
        if seq == 3:
            return {"seq": seq, "status": "rejected", "reason": "invalid: no"}
        if seq > 5 and attempt == 1:
            return {"seq": seq, "status": "rejected", "reason": "unavailable: later"}
        return {"seq": seq, "status": "stored"}

    taken, tally = await post(route, ROWS[:10])
    assert sizes == [10, 5]
    assert (taken, tally.rejected, tally.last_reason) == (9, 1, "invalid: no")


async def test_refused_batch_is_counted_and_left() -> None:
    taken, tally = await post(lambda method, path, headers, body: (413, {"detail": "too large"}), ROWS[:10])
    assert (taken, tally.rejected, tally.last_reason) == (0, 10, "too large")


async def test_server_that_stays_full_is_given_up() -> None:
    taken, tally = await post(lambda method, path, headers, body: (507, {}), ROWS[:10])
    assert (taken, tally.rejected) == (0, 10)


def test_objects_are_wrapped_so_that_they_are_not_taken_for_value_and_unit() -> None:
    assert dressed({"pose": {"x": 1}, "n": 2, "t": 3}, {"t": "°C"}) == {
        "pose": {"value": {"x": 1}},
        "n": 2,
        "t": {"value": 3, "unit": "°C"},
    }
