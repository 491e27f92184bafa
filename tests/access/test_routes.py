"""HTTP of the access room on a small application: cookies, tokens, keys, and what nobody may set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from tests.access.conftest import PASSWORD, WoundClock

from mooring.access.guard import COOKIE, Guard
from mooring.access.routes import Caller, admitted, routes
from mooring.access.service import AccessService
from mooring.doors.problems import problem_of
from mooring.kernel.errors import MooringError

ADA = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}


async def refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, MooringError)
    status, headers, body = problem_of(error)
    return Response(body, status, headers)


async def three_devices(_user_id: str) -> int:
    return 3


@pytest.fixture
def application(access: AccessService, guard: Guard) -> FastAPI:
    """Give an application with this room's routes and another room's beside them."""
    app = FastAPI()
    app.add_exception_handler(MooringError, refuse)
    app.include_router(routes(access, guard, devices_used=three_devices))
    other = APIRouter(prefix="/api/other", dependencies=[admitted(guard)])

    @other.get("")
    async def show(actor: Caller) -> dict[str, str]:
        return {"name": actor.name}

    app.include_router(other)
    return app


@pytest.fixture
async def client(application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with stranger(application) as fresh:
        yield fresh


def stranger(application: FastAPI, base: str = "http://mooring.test") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=base)


async def post(client: httpx.AsyncClient, path: str, body: Any, status: int = 200, **more: Any) -> Any:
    answer = await client.post(path, json=body, **more)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_registering_answers_user_key_and_session(client: httpx.AsyncClient, application: FastAPI) -> None:
    made = await post(client, "/api/auth/register", ADA, 201)
    assert made["user"]["username"] == "Ada"
    assert made["user"]["role"] == "user"
    assert made["user"]["device_quota"] == 50
    assert made["user"]["created_at"] == "2026-01-31T12:00:00.000Z"
    assert "password" not in str(made).replace("password_", "")
    assert (await client.get("/api/auth/user")).json()["user"] == made["user"]
    async with stranger(application) as machine:
        for headers in ({"X-API-Key": made["api_key"]}, {"Authorization": f"Bearer {made['access_token']}"}):
            assert (await machine.get("/api/other", headers=headers)).json() == {"name": "Ada"}


async def test_who_am_i_tells_quota_and_permissions(client: httpx.AsyncClient) -> None:
    made = await post(client, "/api/auth/register", ADA, 201)
    told = (await client.get("/api/auth/user")).json()
    assert told["quota"] == {"devices": {"limit": 50, "used": 3}}
    assert told["permissions"] == made["permissions"]
    assert "devices:write" in told["permissions"]
    assert "users:manage" not in told["permissions"]
    assert made["api_key"].startswith(told["user"]["api_key"].rstrip("…"))
    assert len(told["user"]["api_key"]) <= 10


@pytest.mark.parametrize("body", [{"username": "ADA"}, {"email": "ada@example.org"}, {"username": "ada@example.org"}])
async def test_logging_in_sets_a_cookie_scripts_cannot_read(
    client: httpx.AsyncClient, application: FastAPI, body: dict[str, str]
) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    async with stranger(application) as browser:
        answer = await browser.post("/api/auth/login", json={**body, "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=ms_")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["expires_in"] == 600
        assert (await browser.get("/api/other")).status_code == 200


async def test_over_tls_the_cookie_is_secure(client: httpx.AsyncClient, application: FastAPI) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    async with stranger(application, "https://mooring.test") as browser:
        answer = await browser.post("/api/auth/login", json={"username": "ada", "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]


async def test_logging_out_ends_the_session_and_takes_the_cookie_back(client: httpx.AsyncClient) -> None:
    made = await post(client, "/api/auth/register", ADA, 201)
    assert (await client.get("/api/other")).status_code == 200
    assert (await client.post("/api/auth/logout")).status_code == 204
    assert COOKIE not in client.cookies
    for headers in ({}, {"Authorization": f"Bearer {made['access_token']}"}):
        answer = await client.get("/api/other", headers=headers)
        assert answer.status_code == 401
    await post(client, "/api/auth/refresh", {"refresh_token": made["refresh_token"]}, 401)


async def test_logging_out_with_a_key_leaves_the_key(client: httpx.AsyncClient, application: FastAPI) -> None:
    made = await post(client, "/api/auth/register", ADA, 201)
    headers = {"X-API-Key": made["api_key"]}
    async with stranger(application) as machine:
        assert (await machine.post("/api/auth/logout", headers=headers)).status_code == 204
        assert (await machine.get("/api/other", headers=headers)).status_code == 200


async def test_a_refresh_answers_fresh_tokens(client: httpx.AsyncClient) -> None:
    made = await post(client, "/api/auth/register", ADA, 201)
    fresh = await post(client, "/api/auth/refresh", {"refresh_token": made["refresh_token"]})
    assert fresh["refresh_token"] != made["refresh_token"]
    assert fresh["user"] == made["user"]
    await post(client, "/api/auth/refresh", {"refresh_token": made["refresh_token"]}, 401)


async def test_no_field_of_a_body_makes_anybody_more_than_he_is(client: httpx.AsyncClient) -> None:
    wished = {
        "role": "admin",
        "id": "1",
        "device_quota": 10**6,
        "is_active": False,
        "user_id": "1",
        "permissions": ["*"],
    }
    made = await post(client, "/api/auth/register", {**ADA, **wished}, 201)
    assert (made["user"]["role"], made["user"]["device_quota"], made["user"]["is_active"]) == ("user", 50, True)
    assert made["user"]["id"] != "1"
    key = await post(client, "/api/keys", {"name": "k", "id": "1", "user_id": "1", "prefix": "x"}, 201)
    assert key["id"] != "1"


@pytest.mark.parametrize(
    "changed",
    [
        {"username": ""},
        {"username": "a\0b"},
        {"username": "x" * 2000},
        {"username": 7},
        {"username": None},
        {"email": "nothing"},
        {"password": "short"},
        {"password": ["long enough"]},
        {"password": "x" * 2000},
    ],
)
async def test_a_bad_registration_is_a_422(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    await post(client, "/api/auth/register", {**ADA, **changed}, 422)


async def test_a_taken_name_is_a_409(client: httpx.AsyncClient) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    refused = await post(client, "/api/auth/register", {**ADA, "email": "b@example.org"}, 409)
    assert refused["code"] == "name_taken"


async def test_registration_can_be_closed(application: FastAPI, access: AccessService) -> None:
    access.registration_open = False
    async with stranger(application) as client:
        refused = await post(client, "/api/auth/register", ADA, 403)
        assert refused["code"] == "registration_closed"


async def test_a_wrong_password_and_an_unknown_name_are_the_same_401(client: httpx.AsyncClient) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    said = []
    for name in ("ada", "nobody"):
        refused = await post(client, "/api/auth/login", {"username": name, "password": "wrong"}, 401)
        said.append({field: value for field, value in refused.items() if field != "request_id"})
    assert said[0] == said[1]
    assert said[0]["code"] == "log_in_failed"


async def test_too_many_guesses_are_a_429_that_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    body = {"username": "ada", "password": "wrong"}
    for _ in range(10):
        await post(client, "/api/auth/login", body, 401)
    answer = await client.post("/api/auth/login", json=body)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"


async def test_a_log_in_without_a_name_is_a_422(client: httpx.AsyncClient) -> None:
    await post(client, "/api/auth/login", {"password": "x"}, 422)


async def test_strangers_get_401_everywhere_but_at_the_log_in(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/api/auth/user"),
        ("POST", "/api/auth/logout"),
        ("GET", "/api/keys"),
        ("POST", "/api/keys"),
        ("DELETE", "/api/keys/x"),
        ("GET", "/api/other"),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_a_key_is_shown_once_listed_and_revoked(
    client: httpx.AsyncClient, application: FastAPI, clock: WoundClock
) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    clock.wind(seconds=1)
    made = await post(client, "/api/keys", {"name": "script", "scopes": ["data:read"]}, 201)
    listed = (await client.get("/api/keys")).json()
    assert (listed["total"], listed["next"]) == (2, None)
    assert made["key"] not in str(listed)
    assert {field: value for field, value in made.items() if field != "key"} == listed["items"][1]
    async with stranger(application) as machine:
        headers = {"X-API-Key": made["key"]}
        assert (await machine.get("/api/other", headers=headers)).status_code == 200
        assert (await client.delete(f"/api/keys/{made['id']}")).status_code == 204
        assert (await machine.get("/api/other", headers=headers)).status_code == 401
    assert (await client.delete(f"/api/keys/{made['id']}")).status_code == 404


async def test_a_narrow_key_cannot_make_itself_a_wide_one(client: httpx.AsyncClient, application: FastAPI) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    narrow = await post(client, "/api/keys", {"name": "narrow", "scopes": ["data:read"]}, 201)
    async with stranger(application) as machine:
        machine.headers["X-API-Key"] = narrow["key"]
        await post(machine, "/api/keys", {"name": "wide"}, 403)
        assert (await machine.get("/api/keys")).status_code == 403
        assert (await machine.delete(f"/api/keys/{narrow['id']}")).status_code == 403
        assert (await machine.get("/api/auth/user")).json()["permissions"] == ["data:read"]


async def test_somebody_elses_key_is_a_404_like_an_unknown_one(client: httpx.AsyncClient, application: FastAPI) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    made = await post(client, "/api/keys", {"name": "script"}, 201)
    async with stranger(application) as other:
        await post(other, "/api/auth/register", {**ADA, "username": "eve", "email": "eve@example.org"}, 201)
        said = []
        for key_id in (made["id"], "00000000-0000-4000-8000-000000000000", "%00", "x"):
            answer = await other.delete(f"/api/keys/{key_id}")
            assert answer.status_code == 404
            said.append({field: value for field, value in answer.json().items() if field != "request_id"})
    assert said[0] == said[1] == said[2] == said[3]


async def test_a_keys_end_may_be_given_in_any_zone(client: httpx.AsyncClient, clock: WoundClock) -> None:
    await post(client, "/api/auth/register", ADA, 201)
    body = {"name": "k", "expires_at": "2026-03-01T01:00:00+01:00"}
    made = await post(client, "/api/keys", body, 201)
    assert made["expires_at"] == "2026-03-01T00:00:00.000Z"
    await post(client, "/api/keys", {"name": "k", "expires_at": "2020-01-01T00:00:00Z"}, 422)
    await post(client, "/api/keys", {"name": "k", "scopes": ["users:manage"]}, 422)
