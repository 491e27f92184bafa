"""What was stored comes back: every parameter of history, every form, newest values, sparklines, overview."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.journeys.server import Device, Person

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def iso(minutes: float) -> str:
    """Return a time so many minutes after the recording began."""
    return (BEGAN + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def recorded(person: Person) -> Device:
    """Give a device with two hours of a temperature and a state, one a minute."""
    device = person.device("recorder", type="probe")
    frames = [
        {
            "seq": minute,
            "timestamp": iso(minute),
            "sensor_readings": [
                {"sensor_type": "t", "value": float(minute), "unit": "°C", "quality_score": 1 if minute % 2 else 0.4},
                {"sensor_type": "state", "value": "odd" if minute % 2 else "even"},
            ],
        }
        for minute in range(120)
    ]
    assert device.post({"frames": frames}).json()["stored"] == 240
    return device


def ask(device: Device, **params: Any) -> dict[str, Any]:
    return dict(device.owner.get(device.path, **params))


def values(answer: dict[str, Any]) -> list[Any]:
    return [row["value"] for row in answer["items"]]


def test_a_row_has_its_five_names(recorded: Device) -> None:
    answer = ask(recorded, sensor_type="t", limit=1)
    assert answer["items"] == [
        {
            "timestamp": iso(119).replace("Z", ".000Z"),
            "sensor_type": "t",
            "value": 119,
            "unit": "°C",
            "quality_score": 1,
        }
    ]
    assert answer["total"] == 120
    assert answer["next"]


def test_newest_first_unless_asked_otherwise(recorded: Device) -> None:
    assert values(ask(recorded, sensor_type="t", limit=3)) == [119, 118, 117]
    assert values(ask(recorded, sensor_type="t", limit=3, order="desc")) == [119, 118, 117]
    assert values(ask(recorded, sensor_type="t", limit=3, order="asc")) == [0, 1, 2]


def test_a_range_holds_its_start_and_not_its_end(recorded: Device) -> None:
    epoch = BEGAN.timestamp()
    for start, end in (
        (iso(10), iso(13)),
        (iso(10).replace("Z", "+00:00"), iso(13).replace("Z", "")),
        (str(epoch + 600), str(epoch + 780)),
        (str(int(epoch + 600) * 1000), str(int(epoch + 780) * 1000)),
    ):
        answer = ask(recorded, sensor_type="t", order="asc", start_date=start, end_date=end)
        assert (values(answer), answer["total"]) == ([10, 11, 12], 3)
    assert ask(recorded, start_date=iso(1000))["items"] == []
    assert ask(recorded, start_date=iso(10), end_date=iso(5))["items"] == []


def test_keys_may_be_named(recorded: Device) -> None:
    assert ask(recorded)["total"] == 240
    assert ask(recorded, sensor_type=["t", "state"])["total"] == 240
    assert ask(recorded, sensor_type="state", limit=2)["items"][0]["value"] == "odd"
    assert ask(recorded, sensor_type="nobody")["total"] == 0


def test_poor_quality_may_be_left_out(recorded: Device) -> None:
    answer = ask(recorded, sensor_type="t", quality_min=0.5)
    assert answer["total"] == 60
    assert {row["quality_score"] for row in answer["items"]} == {1}
    assert ask(recorded, sensor_type="t", quality_min=0.4)["total"] == 120


def test_pages_join_to_the_whole_while_more_arrives(person: Person) -> None:
    device = person.device()
    for start in (0, 50):
        device.post({"frames": [{"timestamp": iso(m), "sensor_readings": {"n": m}} for m in range(start, start + 50)]})
    for order, expected in (("asc", list(range(100))), ("desc", list(range(99, -1, -1)))):
        got, cursor, pages = [], None, 0
        while True:
            params = {"limit": 30, "order": order, "end_date": iso(100)} | ({"cursor": cursor} if cursor else {})
            page = ask(device, **params)
            assert page["total"] == 100
            got += values(page)
            pages += 1
            device.post({"timestamp": iso(200 + pages), "sensor_readings": {"n": -1}})
            cursor = page["next"]
            if cursor is None:
                break
        assert (got, pages) == (expected, 4)


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [
        ("avg", 4.5),
        ("min", 0),
        ("max", 9),
        ("sum", 45),
        ("count", 10),
        ("first", 0),
        ("last", 9),
        ("p50", 4.5),
        ("p0", 0),
        ("p100", 9),
        ("stddev", pytest.approx(3.02765, abs=1e-4)),
    ],
)
def test_every_aggregate(recorded: Device, aggregate: str, value: Any) -> None:
    span = {"start_date": iso(0), "end_date": iso(120), "order": "asc"}
    answer = ask(recorded, sensor_type="t", interval="10m", aggregate=aggregate, **span)
    assert answer["total"] == len(answer["items"]) == 12
    row = answer["items"][0]
    assert set(row) == {"timestamp", "sensor_type", "unit", aggregate}
    assert (row["timestamp"], row["sensor_type"], row["unit"]) == (iso(0).replace("Z", ".000Z"), "t", "°C")
    assert row[aggregate] == value


def test_several_aggregates_and_the_usual_ones(recorded: Device) -> None:
    span = {"start_date": iso(0), "end_date": iso(60)}
    row = ask(recorded, sensor_type="t", interval="1h", aggregate=["max", "p95", "count"], **span)["items"][0]
    assert (row["max"], row["count"]) == (59, 60)
    assert row["p95"] == pytest.approx(56.05)
    usual = ask(recorded, sensor_type="t", interval="3600", **span)["items"][0]
    assert {"avg", "min", "max", "count"} <= set(usual)
    texts = ask(recorded, sensor_type="state", interval="1h", aggregate=["count", "avg"], **span)["items"][0]
    assert (texts["count"], texts["avg"]) == (60, None)


def test_as_csv(recorded: Device) -> None:
    answer = recorded.owner.ask("GET", recorded.path, params={"format": "csv", "limit": 4, "order": "asc"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["timestamp", "sensor_type", "value", "unit", "quality_score"]
    assert len(rows) == 4
    buckets = recorded.owner.ask(
        "GET",
        recorded.path,
        params={
            "format": "csv",
            "interval": "1h",
            "aggregate": ["avg", "max"],
            "start_date": iso(0),
            "end_date": iso(60),
        },
    )
    assert buckets.text.splitlines()[0] == "timestamp,sensor_type,unit,avg,max"


def test_as_a_line_each(recorded: Device) -> None:
    answer = recorded.owner.ask("GET", recorded.path, params={"format": "ndjson", "limit": 4, "order": "asc"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == ask(recorded, limit=4, order="asc")["items"]


def test_no_cell_is_a_formula_to_a_spreadsheet(person: Person) -> None:
    device = person.device()
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil")', " =1"]
    for number, text in enumerate(evil):
        device.post({"sensor_readings": {f"={number}": {"value": text, "unit": "=cmd"}, "minus": -number - 1}})
    answer = person.ask("GET", device.path, params={"format": "csv"})
    for row in csv.DictReader(io.StringIO(answer.text)):
        for name, cell in row.items():
            if name == "value" and row["sensor_type"] == "minus":
                assert float(cell) < 0
                continue
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell


def test_what_a_receipt_confirmed_can_be_read_at_once(person: Person) -> None:
    device = person.device()
    for number in range(20):
        assert device.post({"sensor_readings": {"n": number}}).status_code == 201
        assert ask(device, limit=1)["items"][0]["value"] == number
        newest = person.get("/api/latest", device_id=device.id)["items"][0]["values"]["n"]["value"]
        assert newest == number


def test_the_newest_value_is_the_newest_by_the_devices_clock(person: Person) -> None:
    device = person.device()
    for minute in (10, 30, 20):
        device.post(
            {"timestamp": iso(minute), "sensor_readings": {"n": {"value": minute, "unit": "m"}, "s": f"at {minute}"}}
        )
    newest = person.get("/api/latest", device_id=device.id)["items"][0]["values"]
    assert newest["n"] == {"value": 30, "unit": "m", "timestamp": iso(30).replace("Z", ".000Z"), "quality_score": 1}
    assert newest["s"]["value"] == "at 30"
    assert values(ask(device, sensor_type="n", order="asc")) == [10, 20, 30]


def test_a_key_may_change_its_kind(person: Person) -> None:
    device = person.device()
    mixed: list[Any] = [1, 2.5, True, "three", {"x": 4}, [5], 2**60]
    for minute, value in enumerate(mixed):
        device.post({"timestamp": iso(minute), "sensor_readings": {"n": value}})
    assert values(ask(device, order="asc")) == mixed
    assert person.get("/api/latest", device_id=device.id)["items"][0]["values"]["n"]["value"] == 2**60


def test_series_are_listed_with_what_they_hold(recorded: Device) -> None:
    listed = recorded.owner.get(f"/api/devices/{recorded.id}/series")
    series = {item["sensor_type"]: item for item in listed["items"]}
    assert listed["total"] == 2
    assert (series["t"]["unit"], series["t"]["kind"], series["t"]["value"]) == ("°C", "number", 119)
    assert (series["state"]["unit"], series["state"]["kind"], series["state"]["value"]) == (None, "text", "odd")


def test_newest_values_of_many(person: Person, recorded: Device) -> None:
    other = person.device()
    other.post({"sensor_readings": {"n": 1}})
    both = person.get("/api/latest", device_id=[recorded.id, other.id, "nobody"])
    assert {item["device_id"] for item in both["items"]} == {recorded.id, other.id}
    everything = person.get("/api/latest")
    assert {recorded.id, other.id} <= {item["device_id"] for item in everything["items"]}


def test_sparklines_are_short_lines_up_to_now(person: Person) -> None:
    one, two, mute = person.device(), person.device(), person.device()
    one.post({"sensor_readings": {"zeta": 5, "temperature": 21.5}})
    two.post({"sensor_readings": {"state": "on", "zeta": 7}})
    asked = {"device_id": [one.id, two.id, mute.id, "nobody"]}
    lines = {line["device_id"]: line for line in person.get("/api/sparklines", **asked)["items"]}
    assert (lines[one.id]["key"], lines[two.id]["key"]) == ("temperature", "zeta")
    assert set(lines) == {one.id, two.id}
    assert len(lines[one.id]["points"]) == 40
    assert [point for point in lines[one.id]["points"] if point is not None] == [21.5]
    named = person.get("/api/sparklines", key="zeta", minutes=10, points=5, **asked)["items"]
    assert [(line["key"], len(line["points"])) for line in named] == [("zeta", 5)] * 2


def test_a_device_shows_its_recent_data(recorded: Device) -> None:
    shown = recorded.owner.get(f"/api/devices/{recorded.id}")
    assert shown["type"] == shown["device_type"] == "probe"
    assert len(shown["recent_data"]) == 20
    assert shown["command_history"] == []
    assert shown["metrics"]["readings"] == 240


def test_the_overview_counts_what_one_may_see(person: Person, recorded: Device) -> None:
    overview = person.get("/api/overview")
    assert overview["devices"]["total"] == person.get("/api/devices")["total"]
    assert overview["setup"]["first_device"] is True
    assert overview["readings"]["total"] >= 240
    assert overview["storage"]["bytes"] > 0
    assert overview["server"]["name"] == "mooring"
    recorded.post({"frames": [{"sensor_readings": {"rate": n}} for n in range(500)]})
    deadline = time.monotonic() + 10
    while person.get("/api/overview")["readings"]["per_second"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_lists_of_devices_filter_sort_and_page(server: Any) -> None:
    person = server.person()
    names = [f"unit-{number:02}" for number in range(12)]
    for number, name in enumerate(names):
        made = person.ask("POST", "/api/devices", json={"name": name, "type": "even" if number % 2 == 0 else "odd"})
        assert made.status_code == 201
    assert [item["name"] for item in person.get("/api/devices", sort="-name")["items"]] == names[::-1]
    assert person.get("/api/devices", type="odd")["total"] == 6
    assert [item["name"] for item in person.get("/api/devices", q="UNIT-07")["items"]] == ["unit-07"]
    assert person.get("/api/devices", status="never")["total"] == 12
    got, cursor = [], None
    while True:
        page = person.get("/api/devices", limit=5, **({"cursor": cursor} if cursor else {}))
        got += [item["name"] for item in page["items"]]
        assert page["total"] == 12
        cursor = page["next"]
        if cursor is None:
            break
    assert got == names


def test_the_quota_is_kept(server: Any) -> None:
    person = server.person()
    for number in range(50):
        assert person.ask("POST", "/api/devices", json={"name": f"q{number}"}).status_code == 201
    over = person.ask("POST", "/api/devices", json={"name": "one too many"})
    assert (over.status_code, over.json()["code"]) == (429, "device_quota_exceeded")
    assert person.get("/api/auth/user")["quota"]["devices"] == {"limit": 50, "used": 50}
