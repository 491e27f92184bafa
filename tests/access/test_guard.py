"""The guard: which credential counts, and that a wrong one is never passed over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.access.conftest import HOME, PASSWORD, WoundClock

from mooring.access.admissions import Admissions
from mooring.access.errors import NotAuthenticated
from mooring.access.guard import COOKIE, Guard
from mooring.access.model import LogIn, User
from mooring.access.service import AccessService
from mooring.kernel.actor import SYSTEM, Actor


@pytest.fixture
async def opened(access: AccessService, ada: User) -> LogIn:
    return await access.sessions.log_in("ada", PASSWORD, HOME)


@pytest.fixture
async def key(access: AccessService, ada: User) -> str:
    return (await access.keys.create(ada.id, "script"))[1]


async def test_every_way_to_show_a_credential_works(guard: Guard, opened: LogIn, key: str, ada: User) -> None:
    shown: list[tuple[dict[str, str], dict[str, str], dict[str, str] | None]] = [
        ({"authorization": f"Bearer {opened.access_token}"}, {}, None),
        ({"authorization": f"bearer   {key} "}, {}, None),
        ({"x-api-key": key}, {}, None),
        ({"x-api-key": opened.access_token}, {}, None),
        ({}, {COOKIE: opened.session_token or ""}, None),
        ({}, {}, {"token": opened.access_token}),
        ({}, {}, {"token": key}),
    ]
    for headers, cookies, query in shown:
        assert (await guard.actor_of(headers, cookies, query)).id == ada.id


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer mk_wrong"},
        {"authorization": "Bearer"},
        {"authorization": ""},
        {"authorization": "Basic YTpi"},
        {"x-api-key": "wrong"},
        {"x-api-key": ""},
    ],
)
async def test_a_wrong_credential_is_refused_even_with_a_right_cookie_behind_it(
    guard: Guard, opened: LogIn, headers: Mapping[str, str]
) -> None:
    with pytest.raises(NotAuthenticated):
        await guard.actor_of(headers, {COOKIE: opened.session_token or ""})


async def test_a_credential_does_not_work_in_the_place_of_another(guard: Guard, opened: LogIn, key: str) -> None:
    for token in (opened.refresh_token, opened.session_token or "", ""):
        with pytest.raises(NotAuthenticated):
            await guard.actor_of_token(token)
    for cookie in (opened.access_token, opened.refresh_token, key, "", "ms_", "ms_\ud800", "ms_" + "x" * 5000):
        with pytest.raises(NotAuthenticated):
            await guard.actor_of_cookie(cookie)


async def test_nothing_is_nobody(guard: Guard) -> None:
    with pytest.raises(NotAuthenticated):
        await guard.actor_of({}, {})


async def test_the_server_itself_stands_and_a_device_is_not_ours_to_judge(guard: Guard) -> None:
    assert await guard.stands(SYSTEM) is True
    assert await guard.stands(Actor(kind="device", id="d", name="d")) is False


def test_an_answer_from_before_somebody_was_put_out_is_not_remembered(clock: WoundClock) -> None:
    admissions = Admissions(clock)
    actor = Actor(kind="user", id="u", name="u", session_id="s")
    asked_at = admissions.generation
    admissions.put_out("u", "s")
    admissions.remember("cookie:x", actor, asked_at)
    assert admissions.recall("cookie:x") is None


def test_putting_one_session_out_leaves_the_others_known(clock: WoundClock) -> None:
    admissions = Admissions(clock)
    for session in ("s1", "s2"):
        actor = Actor(kind="user", id="u", name="u", session_id=session)
        admissions.remember(f"cookie:{session}", actor, admissions.generation)
    admissions.put_out("u", "s1")
    assert admissions.recall("cookie:s1") is None
    assert admissions.recall("cookie:s2") is not None
    clock.wind(seconds=1)
    assert admissions.recall("cookie:s2") is None


def test_admissions_do_not_grow_without_end(clock: WoundClock) -> None:
    admissions = Admissions(clock)
    actor = Actor(kind="user", id="u", name="u", session_id="s")
    for number in range(10_050):
        admissions.remember(f"key:{number}", actor, admissions.generation)
    assert admissions.recall("key:0") is None
    assert admissions.recall("key:10049") is actor
