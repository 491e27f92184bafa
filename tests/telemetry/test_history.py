"""Questions about history: intervals, cursors, bounds, and which line a device is shown by."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.telemetry.conftest import Harbour

from mooring.kernel.errors import Invalid
from mooring.telemetry.history import ALL_TIME_US, History, Question, SparklineQuestion, interval_us, kind_of

MINUTE_US = 60_000_000


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("30", 30_000_000),
        ("30s", 30_000_000),
        ("250ms", 250_000),
        ("1m", MINUTE_US),
        ("6h", 360 * MINUTE_US),
        ("1d", 1440 * MINUTE_US),
        ("2w", 20160 * MINUTE_US),
    ],
)
def test_intervals_are_read(text: str, us: int) -> None:
    assert interval_us(text) == us


@pytest.mark.parametrize("text", ["", "0", "0m", "m", "-1m", "1.5h", "1 m", "1y", "9999999s", "\u0661m"])
def test_what_is_no_interval_is_refused_with_examples(text: str) -> None:
    if text == "\u0661m":
        # Digits of every script are digits.
        assert interval_us(text) == MINUTE_US
        return
    with pytest.raises(Invalid) as refused:
        interval_us(text)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (1, "integer"), (1.0, "number"), ("x", "text"), ([], "json"), ({}, "json")]
)
def test_values_are_named_by_kind(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


@pytest.fixture
async def history(harbour: Harbour) -> History:
    """Give the history of one device: a number a minute for an hour, up to now."""
    now = harbour.clock.now_us()
    for minute in range(60):
        at_ms = (now - (59 - minute) * MINUTE_US) // 1000
        harbour.send({"n": minute, "state": "on"}, seq=minute, timestamp=at_ms)
    await harbour.ears.hear(60)
    return History(harbour.series, harbour.ingest.latest, harbour.clock)


async def test_pages_follow_each_other(history: History) -> None:
    got: list[int] = []
    question = Question(keys=["n"], limit=25, order="asc")
    while True:
        answer = await history.ask("d", question)
        assert answer.total == 60
        got += [row["value"] for row in answer.rows]
        if answer.next is None:
            break
        question = Question(keys=["n"], limit=25, order="asc", cursor=answer.next)
    assert got == list(range(60))


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "[]",
        "e30",
        cursor(),
        cursor(1),
        cursor(1, 2),
        cursor(-1, 0, 1),
        cursor("a", 0, 1),
        cursor(None, 0, 1),
        cursor(2**40, 0, 1),
        cursor(0, 0, 2**63),
        cursor(0, ALL_TIME_US[0] - 1, 1),
        cursor([1], 2, 3),
        "é",
        "A" * 199,
    ],
)
async def test_a_cursor_we_did_not_make_is_refused(history: History, given: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        await history.ask("d", Question(cursor=given))


@pytest.mark.parametrize("limit", [0, -1, 100_001])
async def test_a_limit_out_of_bounds_is_refused(history: History, limit: int) -> None:
    with pytest.raises(Invalid, match="limit"):
        await history.ask("d", Question(limit=limit))


async def test_more_buckets_than_anyone_can_look_at_are_refused(history: History) -> None:
    with pytest.raises(Invalid) as refused:
        await history.ask("d", Question(start_us=0, interval_us=1_000_000))
    assert refused.value.hint


async def test_buckets_end_now_and_begin_a_day_before_unless_told(history: History) -> None:
    answer = await history.ask("d", Question(keys=["n"], interval_us=60 * MINUTE_US, aggregates=["count"]))
    assert sum(row["count"] for row in answer.rows) in (59, 60)


async def test_a_device_is_shown_by_its_first_number(history: History) -> None:
    lines = await history.sparklines(SparklineQuestion(["d", "nobody"], minutes=60, points=6))
    assert [(line["device_id"], line["key"]) for line in lines] == [("d", "n")]
    points = lines[0]["points"]
    assert len(points) == 6
    numbers = [point for point in points if point is not None]
    assert numbers == sorted(numbers)
    assert await history.sparklines(SparklineQuestion(["d"], key="unknown")) == []


async def test_unknown_devices_have_no_history(history: History) -> None:
    assert await history.ask("nobody", Question()) == ([], 0, None)
    assert await history.series_of("nobody") == []
    assert await history.latest_of(["nobody"]) == {}
    assert await history.numbers_of("nobody") == []


async def test_series_tell_their_newest(history: History, harbour: Harbour) -> None:
    shown = {item["sensor_type"]: item for item in await history.series_of("d")}
    assert (shown["n"]["kind"], shown["n"]["value"]) == ("integer", 59)
    assert (shown["state"]["kind"], shown["state"]["value"]) == ("text", "on")
    newest = await history.latest_of(None)
    assert newest["d"]["n"]["value"] == 59
