"""The routes of devices over HTTP with the real guard: shapes, refusals, both names of a field."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from tests.devices.conftest import ANNA, BERT, Room

from mooring.access.guard import Guard
from mooring.access.service import AccessService
from mooring.devices.model import Device, NewEvent
from mooring.devices.routes import routes
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Conflict, Denied, Exhausted, Invalid, Missing, MooringError, Unauthenticated

_STATUS: dict[type[MooringError], int] = {
    Invalid: 422,
    Unauthenticated: 401,
    Denied: 403,
    Missing: 404,
    Conflict: 409,
    Exhausted: 429,
}


async def _refuse(_: Request, error: Exception) -> Response:
    """Stand in for the people door, which renders problem+json."""
    assert isinstance(error, MooringError)
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    return JSONResponse({"code": error.code, "message": error.message}, status)


async def _unfit(_: Request, __: Exception) -> Response:
    return JSONResponse({"code": "invalid"}, 422)


async def _details(actor: Actor, device: Device) -> dict[str, Any]:
    return {"recent_data": [{"asked_by": actor.name}], "metrics": {"name": device.name}}


class Person:
    """A caller with a key of his own."""

    def __init__(self, app: FastAPI, key: str) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://t", headers={"x-api-key": key}
        )

    async def ask(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """Return status and decoded answer."""
        answer = await self._client.request(method, f"/api{path}", json=body, params=params)
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
async def app(room: Room) -> AsyncIterator[FastAPI]:
    access = await AccessService.open(room.database, room.clock, bus=room.bus, registration_open=True)
    app = FastAPI()
    app.state.access = access
    app.add_exception_handler(MooringError, _refuse)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.include_router(routes(room.registry, room.journal, Guard(access), details=_details))
    yield app


async def _person(app: FastAPI, actor: Actor, *scopes: str) -> Person:
    _, key = await app.state.access.keys.create(actor.id, "test", scopes=scopes or ("*",))
    return Person(app, key)


async def test_device_lives_and_dies_over_http(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    told = {"name": "rover", "type": "robot", "settings": {"speed": 2}, "id": "mine", "user_id": "u-bert"}
    status, made = await anna.ask("POST", "/devices", told)
    assert status == 201
    assert (made["device_type"], made["configuration"], made["user_id"]) == ("robot", {"speed": 2}, "u-anna")
    assert made["id"] != "mine"
    token = made.pop("auth_token")
    status, page = await anna.ask("GET", "/devices")
    assert (status, page) == (200, {"items": [made], "total": 1, "next": None})
    status, one = await anna.ask("GET", f"/devices/{made['id']}")
    assert status == 200
    assert one == {**made, "recent_data": [{"asked_by": "anna"}], "command_history": [], "metrics": {"name": "rover"}}
    status, changed = await anna.ask("PUT", f"/devices/{made['id']}", {"description": "d", "ip_address": None})
    assert (status, changed) == (200, {**made, "description": "d"})
    status, fresh = await anna.ask("POST", f"/devices/{made['id']}/token")
    assert status == 200
    assert fresh["auth_token"] != token
    assert await anna.ask("DELETE", f"/devices/{made['id']}") == (204, None)
    assert (await anna.ask("GET", f"/devices/{made['id']}"))[0] == 404


async def test_answer_bears_every_field_of_the_contract(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    _, made = await anna.ask("POST", "/devices", {"name": "rover"})
    contract = (
        "id user_id name device_type description ip_address mac_address auth_token status last_seen firmware_version "
        "group_id configuration created_at type settings device_status"
    )
    assert set(contract.split()) <= set(made)
    assert (made["status"], made["last_seen"], made["created_at"]) == ("never", None, "2026-11-21T12:00:00.000Z")


async def test_foreign_and_unknown_device_answer_alike(app: FastAPI) -> None:
    anna, bert = await _person(app, ANNA), await _person(app, BERT)
    _, made = await anna.ask("POST", "/devices", {"name": "rover"})
    for method, tail, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/token", None),
        ("GET", "/events", None),
        ("GET", "/logs", None),
    ):
        answers = [
            await bert.ask(method, f"/devices/{device_id}{tail}", body)
            for device_id in (made["id"], "nowhere", "x" * 500, "a%00b", "%ED%A0%80")
        ]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers)
    assert (await bert.ask("GET", "/events"))[1]["total"] == 0


async def test_strangers_and_narrow_keys_are_refused(app: FastAPI) -> None:
    reader = await _person(app, ANNA, "devices:read")
    assert (await reader.ask("GET", "/devices"))[0] == 200
    assert (await reader.ask("POST", "/devices", {"name": "x"}))[0] == 403
    assert (await reader.ask("DELETE", "/devices/nowhere"))[0] == 403
    data_only = await _person(app, ANNA, "data:write")
    for path in ("/devices", "/devices/nowhere", "/events", "/devices/nowhere/logs"):
        assert (await data_only.ask("GET", path))[0] == 403
        assert (await Person(app, "mk_nobody").ask("GET", path))[0] == 401


async def test_body_that_is_no_device_is_422(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    for body in (
        None,
        [],
        {},
        {"name": None},
        {"name": 5},
        {"name": ""},
        {"name": "x" * 300},
        {"name": "a", "type": "robot", "device_type": "sensor"},
        {"name": "a", "configuration": []},
        {"name": "a", "configuration": {"n": 2**70}},
        {"name": "a\u0000"},
        {"name": "a", "auth_token": "short"},
        {"name": "a", "group_id": "unknown"},
    ):
        assert (await anna.ask("POST", "/devices", body))[0] == 422
    assert (await anna.ask("GET", "/devices"))[1]["total"] == 0


async def test_body_that_is_no_json_is_refused(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    for raw in (
        b'{"name":"\\ud800"}',
        b'{"name":"a","configuration":{"n":NaN}}',
        b'{"name":"a","configuration":{"n":' + b"9" * 5000 + b"}}",
        b'{"name":"a","configuration":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{",
        b"",
    ):
        answer = await anna._client.post("/api/devices", content=raw, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422)


async def test_query_that_makes_no_sense_is_422(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    for name, value in (
        ("limit", "0"),
        ("limit", "5000"),
        ("sort", "x"),
        ("cursor", "x"),
        ("status", "x"),
        ("q", "\0"),
    ):
        assert (await anna.ask("GET", "/devices", **{name: value}))[0] == 422


async def test_names_and_tokens_conflict(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    told = {"name": "a", "auth_token": "token-from-the-factory"}
    assert (await anna.ask("POST", "/devices", told))[1]["auth_token"] == "token-from-the-factory"
    assert (await anna.ask("POST", "/devices", {"name": "a"}))[1]["code"] == "device_name_taken"
    assert (await anna.ask("POST", "/devices", {**told, "name": "b"}))[1]["code"] == "device_token_taken"


async def test_list_filters_sorts_and_pages(app: FastAPI) -> None:
    anna = await _person(app, ANNA)
    for name, kind in (("a", "robot"), ("b", "robot"), ("c", "pc")):
        await anna.ask("POST", "/devices", {"name": name, "type": kind})
    _, page = await anna.ask("GET", "/devices", type="robot", sort="-name", limit=1)
    assert ([item["name"] for item in page["items"]], page["total"]) == (["b"], 2)
    _, rest = await anna.ask("GET", "/devices", type="robot", sort="-name", limit=1, cursor=page["next"])
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["a"], None)


async def test_events_and_logs_are_shown(app: FastAPI, room: Room) -> None:
    anna = await _person(app, ANNA)
    _, made = await anna.ask("POST", "/devices", {"name": "rover"})
    await room.journal.record_events([NewEvent(made["id"], "alarm", room.clock.now(), message="hot")])
    _, page = await anna.ask("GET", f"/devices/{made['id']}/events")
    (event,) = page["items"]
    assert {**event, "id": 0} == {
        "id": 0,
        "device_id": made["id"],
        "device_name": "rover",
        "event_type": "alarm",
        "severity": "info",
        "message": "hot",
        "timestamp": "2026-11-21T12:00:00.000Z",
    }
    assert (await anna.ask("GET", "/events"))[1] == page
    _, logs = await anna.ask("GET", f"/devices/{made['id']}/logs")
    assert [line["event_type"] for line in logs["items"]] == ["registered"]
