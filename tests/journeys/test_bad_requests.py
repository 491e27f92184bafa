"""Bad input on the routes people call: a problem document, never a fault of ours, and nothing changed by it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from tests.journeys.server import ADMIN_PASSWORD, Device, Person, Server

MALFORMED = {
    "nothing": b"",
    "not JSON": b"{",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1",
    "NaN": b'{"name":NaN,"username":NaN,"password":NaN,"refresh_token":NaN}',
    "bad UTF-8": b'{"name":"\xff","username":"\xff","password":"\xff","refresh_token":"\xff"}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "half a surrogate": b'{"name":"\\ud800","username":"\\ud800","password":"\\udfffabcd","refresh_token":"\\ud8"}',
    "NUL": b'{"name":"\\u0000","username":"\\u0000","email":"\\u0000","password":"\\u0000","refresh_token":"\\u0000"}',
    "deep": b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "very deep": b"[" * 200_000,
    "a huge field": json.dumps({field: "x" * 500_000 for field in ("name", "username", "password", "email")}).encode(),
    "a long number": b'{"name":"x","username":' + b"9" * 6000 + b',"password":1,"refresh_token":1}',
    "wrong kinds": b'{"name":{"a":1},"username":[1],"password":{},"email":7,"refresh_token":[]}',
    "many fields": json.dumps({f"f{i}": i for i in range(20_000)}).encode(),
}
ROUTES = {
    "register": ("POST", "/api/auth/register"),
    "login": ("POST", "/api/auth/login"),
    "refresh": ("POST", "/api/auth/refresh"),
    "new device": ("POST", "/api/devices"),
    "change device": ("PUT", "/api/devices/{device}"),
    "new token": ("POST", "/api/devices/{device}/token"),
    "new key": ("POST", "/api/keys"),
    "data of many": ("POST", "/api/data"),
}
# An empty or null body wishes for nothing there, which is fine; unknown fields are ignored.
HARMLESS = {("new token", name) for name in MALFORMED} | {
    ("change device", "many fields"),
}


@pytest.fixture(scope="module")
def target(person: Person) -> Device:
    return person.device()


def assert_problem(answer: Any) -> None:
    """Assert a refusal as RFC 9457 wants it, small and telling nothing of our insides."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 1500
    body = answer.json()
    assert {"type", "title", "status", "detail", "code", "error", "message", "request_id"} <= set(body)
    assert body["status"] == answer.status_code
    for inside in ("Traceback", "sqlalchemy", "sqlite", "pydantic", "/src/", "site-packages"):
        assert inside not in answer.text


@pytest.mark.parametrize("malformed", MALFORMED)
@pytest.mark.parametrize("route", ROUTES)
def test_a_malformed_body_is_a_problem(target: Device, route: str, malformed: str) -> None:
    method, path = ROUTES[route]
    path = path.format(device=target.id)
    answer = target.owner.ask(method, path, content=MALFORMED[malformed], headers={"content-type": "application/json"})
    if (route, malformed) in HARMLESS and answer.status_code == 200:
        return
    assert_problem(answer)


GARBAGE = ["x", "!!", "AAAA", "%00", "W10", "bnVsbA", "e30", "WzEsMiwzXQ" * 10, "-1", "=" * 30, "ü", "x" * 5000]
LISTS = [
    "/api/devices",
    "/api/devices/{device}/data",
    "/api/devices/{device}/events",
    "/api/devices/{device}/logs",
    "/api/events",
]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_of_somebody_elses_making_is_refused(target: Device, path: str) -> None:
    for cursor in GARBAGE:
        assert_problem(target.owner.ask("GET", path.format(device=target.id), params={"cursor": cursor}))


PARAMETERS = {
    "/api/devices": [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "1e9"},
        {"limit": "99999999999999999999999"},
        {"sort": "password_hash"},
        {"sort": "name; DROP TABLE devices"},
        {"sort": "-"},
        {"status": "asleep"},
        {"q": "x" * 5000},
        {"q": "\0"},
        {"type": "x" * 300},
    ],
    "/api/devices/{device}/data": [
        {"limit": "0"},
        {"limit": "100001"},
        {"start_date": "yesterday"},
        {"start_date": "nan"},
        {"start_date": "inf"},
        {"start_date": "1e300"},
        {"end_date": "9" * 400},
        {"end_date": "10000-01-01"},
        {"interval": "0s"},
        {"interval": "1y"},
        {"interval": "-1m"},
        {"interval": "999999w", "aggregate": "median"},
        {"interval": "1ms", "start_date": "2020-01-01"},
        {"interval": "1m", "aggregate": "avg); DROP TABLE numbers"},
        {"interval": "1m", "aggregate": "p101"},
        {"order": "sideways"},
        {"format": "xlsx"},
        {"quality_min": "2"},
        {"quality_min": "nan"},
        {"sensor_type": "k" * 200},
    ],
    "/api/sparklines": [
        {},
        {"device_id": "x", "minutes": "0"},
        {"device_id": "x", "points": "1"},
        {"device_id": "x", "points": "1000000"},
        {"device_id": ["x"] * 201},
        {"device_id": "y" * 100},
    ],
    "/api/latest": [{"device_id": ["x"] * 201}],
    "/api/events": [{"limit": "0"}, {"limit": "many"}],
}


@pytest.mark.parametrize("path", PARAMETERS)
def test_a_parameter_out_of_bounds_is_a_problem(target: Device, path: str) -> None:
    for parameters in PARAMETERS[path]:
        answer = target.owner.ask("GET", path.format(device=target.id), params=parameters)
        assert answer.status_code == 422, f"{parameters}: {answer.status_code} {answer.text[:200]}"
        assert_problem(answer)


IDS = ["nobody", "00000000-0000-4000-8000-000000000000", "x" * 3000, "%00", "%2e%2e%2fdata", "';--", "\U0001f916"]


def test_an_id_nobody_has_is_missing_on_every_route(target: Device) -> None:
    for device_id, (method, ending) in itertools.product(
        IDS,
        [
            ("GET", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("GET", "/data"),
            ("POST", "/data"),
            ("GET", "/status"),
            ("GET", "/series"),
            ("GET", "/events"),
            ("GET", "/logs"),
            ("POST", "/token"),
        ],
    ):
        options = {"json": {"name": "x"}} if method == "PUT" else {}
        answer = target.owner.ask(method, f"/api/devices/{device_id}{ending}", **options)
        assert answer.status_code in (404, 405, 422), f"{method} {device_id} {ending}: {answer.status_code}"
        assert_problem(answer)


DEVICES = [
    {},
    {"name": ""},
    {"name": "   "},
    {"name": "x" * 201},
    {"name": "a\u0000b"},
    {"name": "x", "type": "a", "device_type": "b"},
    {"name": "x", "configuration": []},
    {"name": "x", "configuration": {"a": "b" * 70_000}},
    {"name": "x", "configuration": {"a": 2**70}},
    {"name": "x", "auth_token": "short"},
    {"name": "x", "auth_token": "white space in a token"},
    {"name": "x", "group_id": "00000000-0000-4000-8000-000000000000"},
]


def test_a_device_out_of_bounds_is_a_problem(target: Device) -> None:
    before = target.owner.get("/api/devices")["total"]
    for body in DEVICES:
        answer = target.owner.ask("POST", "/api/devices", json=body)
        assert answer.status_code == 422, f"{str(body)[:80]}: {answer.status_code} {answer.text[:200]}"
        assert_problem(answer)
    deep: Any = 1
    for _ in range(30):
        deep = {"a": deep}
    assert_problem(target.owner.ask("POST", "/api/devices", json={"name": "x", "configuration": deep}))
    assert target.owner.get("/api/devices")["total"] == before


def test_names_in_any_script_come_back_as_they_were(person: Person) -> None:
    for name in ("рулевой", "\u05e1\u05e4\u05d9\u05e0\u05d4", "\U0001f6a2 \U0001f916", "a\u202eb", 'O\'Hara "x" <b>'):
        made = person.ask("POST", "/api/devices", json={"name": name, "configuration": {name: [name]}})
        assert made.status_code == 201, made.text
        shown = person.get(f"/api/devices/{made.json()['id']}")
        assert (shown["name"], shown["configuration"]) == (name, {name: [name]})
        assert name in [item["name"] for item in person.get("/api/devices", q=name)["items"]]


def test_fields_that_are_not_ours_to_set_are_left_alone(person: Person) -> None:
    bad = {"id": "x", "user_id": "x", "owner_id": "x", "status": "online", "last_seen": "2020", "created_at": "2020"}
    made = person.ask("POST", "/api/devices", json={"name": "fenced", **bad}).json()
    person.ask("PUT", f"/api/devices/{made['id']}", json={"description": "new", **bad})
    shown = person.get(f"/api/devices/{made['id']}")
    assert shown["description"] == "new"
    assert shown["user_id"] == person.account["user"]["id"]
    assert (shown["status"], shown["last_seen"], shown["id"]) == ("never", None, made["id"])


def test_a_registration_cannot_make_an_administrator(server: Server) -> None:
    account = {"username": "climber", "email": "climber@example.org", "password": ADMIN_PASSWORD}
    made = server.ask("POST", "/api/auth/register", json={**account, "role": "admin", "device_quota": 10**6, "id": "x"})
    assert made.status_code == 201
    assert (made.json()["user"]["role"], made.json()["user"]["device_quota"]) == ("user", 50)
