"""Registering: new, known by name, refused, and while the server is not quite there."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from tests.simulator.toys import JumpingClock, RealClock, Reply, Route, http_open

from mooring.simulator.errors import KeyRefused, RegistrationRefused, RunStopped, ServerUnreachable
from mooring.simulator.http_client import Address, HttpClient
from mooring.simulator.registration import Application, Credential, Registrar
from mooring.simulator.waiting import Patience

ROBOT = Application("Antwerp 01", "robot", group="Antwerp")


class InstantClock(JumpingClock):
    """A clock on which every wait is over at once."""

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


async def admit(route: Route, clock: InstantClock | None = None, group_id: str | None = None) -> Credential:
    async with http_open(route) as url:
        return await registrar(url, clock).admit(ROBOT, group_id)


def registrar(url: str, clock: InstantClock | None = None) -> Registrar:
    return Registrar(HttpClient(Address.of(url), "k"), Patience(clock or InstantClock(), random.Random(1)))


async def test_new_device_gets_its_credential() -> None:
    bodies = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        bodies.append(body)
        return 201, {"id": "d1", "auth_token": "t1"}

    assert await admit(route, group_id="g1") == Credential("d1", "t1")
    assert bodies[0]["name"] == "Antwerp 01"
    assert bodies[0]["device_type"] == "robot"
    assert bodies[0]["group_id"] == "g1"


async def test_known_name_gets_a_fresh_token_even_from_the_second_page() -> None:
    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        if method == "POST" and path == "/api/devices":
            return 409, {"code": "name_taken"}
        if path == "/api/devices/d9/token":
            return 200, {"auth_token": "t2"}
        if "cursor=c2" in path:
            return 200, {"items": [{"id": "d9", "name": "Antwerp 01"}], "next": None}
        assert "q=Antwerp%2001" in path
        return 200, {"items": [{"id": "d8", "name": "Antwerp 01 b"}], "next": "c2"}

    assert await admit(route) == Credential("d9", "t2")


async def test_name_of_somebody_else_is_a_refusal() -> None:
    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        return (409, {}) if method == "POST" else (200, {"items": [], "next": None})

    with pytest.raises(RegistrationRefused, match="taken"):
        await admit(route)


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_key_is_told_apart(status: int) -> None:
    with pytest.raises(KeyRefused, match="no such key"):
        await admit(lambda method, path, headers, body: (status, {"detail": "no such key"}))


@pytest.mark.parametrize("status", [403, 429])
async def test_used_up_quota_is_not_asked_again(status: int) -> None:
    asked = 0

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        nonlocal asked
        asked += 1
        return status, {"code": "quota_exceeded", "message": "50 devices are all you may have"}

    with pytest.raises(RegistrationRefused, match="50 devices"):
        await admit(route)
    assert asked == 1


async def test_passing_trouble_is_waited_out_as_told() -> None:
    clock, replies = InstantClock(), [(503, {}), (429, {"retry_after_s": 20}), (201, {"id": "d", "auth_token": "t"})]
    assert await admit(lambda method, path, headers, body: replies.pop(0), clock) == Credential("d", "t")
    assert 20.0 < clock.elapsed < 21.0


async def test_run_that_stops_ends_the_trying() -> None:
    stop = asyncio.Event()
    async with http_open(lambda method, path, headers, body: (503, {"retry_after_s": 50})) as url:
        patience = Patience(RealClock(), random.Random(1), stop)
        asking = asyncio.create_task(Registrar(HttpClient(Address.of(url), "k"), patience).admit(ROBOT))
        await asyncio.sleep(0.1)
        stop.set()
        with pytest.raises(RunStopped):
            async with asyncio.timeout(2):
                await asking


async def test_fault_of_the_server_is_told_and_not_hammered() -> None:
    with pytest.raises(RegistrationRefused, match="went wrong"):
        await admit(lambda method, path, headers, body: (500, {"detail": "something went wrong"}))


async def test_server_that_never_comes_is_given_up() -> None:
    clock = InstantClock()
    with pytest.raises(ServerUnreachable):
        await registrar("http://127.0.0.1:9", clock).admit(ROBOT)
    assert 3.0 < clock.elapsed < 10.0


@pytest.mark.parametrize("body", [{}, [], "x", {"id": "d"}])
async def test_some_other_server_is_recognised(body: Any) -> None:
    with pytest.raises(ServerUnreachable, match="not a server of ours"):
        await admit(lambda method, path, headers, _: (200, body))


async def test_missing_groups_are_made_and_known_ones_used() -> None:
    made = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        if method == "POST":
            made.append(body["name"])
            return 201, {"id": f"new {body['name']}"}
        return 200, {"items": [{"id": "g1", "name": "Antwerp"}]}

    async with http_open(route) as url:
        assert await registrar(url).groups(["Antwerp", "Trieste"]) == {"Antwerp": "g1", "Trieste": "new Trieste"}
    assert made == ["Trieste"]


async def test_server_without_groups_is_no_trouble() -> None:
    async with http_open(lambda method, path, headers, body: (404, {})) as url:
        assert await registrar(url).groups(["Antwerp"]) == {}
