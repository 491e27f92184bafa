"""Sessions: logging in and out, refresh tokens that change at each use, guessing that is slowed down."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text
from tests.access.conftest import HOME, PASSWORD, WoundClock

from mooring.access.errors import LogInFailed, LogInThrottled, NotAuthenticated, RefreshRefused
from mooring.access.guard import Guard
from mooring.access.model import Origin, User
from mooring.access.service import AccessService
from mooring.adapters.local_bus import LocalBus
from mooring.kernel.events import SessionEnded
from mooring.storage.database import Database


async def refused(access: AccessService, name: str, password: str, origin: Origin = HOME) -> str:
    with pytest.raises(LogInFailed) as caught:
        await access.sessions.log_in(name, password, origin)
    return str(caught.value)


async def test_a_person_logs_in_by_name_or_address(access: AccessService, guard: Guard, ada: User) -> None:
    for name in ("ADA", "ada@example.org"):
        opened = await access.sessions.log_in(name, PASSWORD, HOME)
        actor = await guard.actor_of_token(opened.access_token)
        assert (actor.kind, actor.id, actor.name, actor.role) == ("user", ada.id, "Ada", "user")
        assert await guard.actor_of_cookie(opened.session_token or "") == actor


async def test_nobody_can_tell_an_unknown_name_from_a_wrong_password(access: AccessService, ada: User) -> None:
    await access.people.set_active((await access.people.add("gone", PASSWORD)).id, False)
    said = {
        await refused(access, "ada", "wrong"),
        await refused(access, "nobody", "wrong"),
        await refused(access, "gone", PASSWORD),
        await refused(access, "", ""),
        await refused(access, "a\0b", "x"),
        await refused(access, "\ud800", "\ud800"),
        await refused(access, "x" * 10_000, "x" * 10_000),
    }
    assert len(said) == 1


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(access: AccessService, ada: User) -> None:
    async def took_s(name: str) -> float:
        begun = time.perf_counter()
        await refused(access, name, "wrong")
        return time.perf_counter() - begun

    known = min([await took_s("ada") for _ in range(5)])
    unknown = min([await took_s("nobody") for _ in range(5)])
    assert 0.3 < unknown / known < 3


async def test_logging_out_refuses_cookie_access_token_and_refresh_token_at_once(
    access: AccessService, guard: Guard, bus: LocalBus, ada: User
) -> None:
    ended = bus.subscribe(SessionEnded)
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    other = await access.sessions.log_in("ada", PASSWORD, HOME)
    actor = await guard.actor_of_token(opened.access_token)
    await guard.actor_of_cookie(opened.session_token or "")
    await access.sessions.end(ada.id, opened.session_id)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(opened.access_token)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_cookie(opened.session_token or "")
    with pytest.raises(RefreshRefused):
        await access.sessions.refresh(opened.refresh_token)
    assert await guard.stands(actor) is False
    assert (await guard.actor_of_token(other.access_token)).session_id == other.session_id
    assert await anext(aiter(ended)) == SessionEnded(ada.id, opened.session_id)


async def test_ending_a_session_twice_is_told_once(access: AccessService, bus: LocalBus, ada: User) -> None:
    ended = bus.subscribe(SessionEnded)
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    await access.sessions.end(ada.id, opened.session_id)
    await access.sessions.end(ada.id, opened.session_id)
    ended_by_all = SessionEnded(ada.id)
    await access.sessions.end_all(ada.id)
    listener = aiter(ended)
    assert await anext(listener) == SessionEnded(ada.id, opened.session_id)
    assert await anext(listener) == ended_by_all


async def test_nobody_ends_a_session_of_somebody_else(access: AccessService, guard: Guard, ada: User) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    await access.sessions.end("somebody else", opened.session_id)
    await guard.actor_of_token(opened.access_token)


async def test_a_session_is_over_after_its_time(
    access: AccessService, guard: Guard, clock: WoundClock, ada: User
) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    clock.wind(days=13.9)
    await guard.actor_of_cookie(opened.session_token or "")
    clock.wind(days=0.2)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_cookie(opened.session_token or "")
    with pytest.raises(RefreshRefused):
        await access.sessions.refresh(opened.refresh_token)


async def test_a_refresh_token_changes_at_each_use_and_carries_the_session_on(
    access: AccessService, guard: Guard, clock: WoundClock, ada: User
) -> None:
    carried = await access.sessions.log_in("ada", PASSWORD, HOME)
    for _ in range(3):
        clock.wind(minutes=11)
        with pytest.raises(NotAuthenticated):
            await guard.actor_of_token(carried.access_token)
        fresh = await access.sessions.refresh(carried.refresh_token)
        assert fresh.refresh_token != carried.refresh_token
        assert fresh.session_id == carried.session_id
        await guard.actor_of_token(fresh.access_token)
        carried = fresh


async def test_a_refresh_token_used_twice_ends_the_session_for_thief_and_owner(
    access: AccessService, guard: Guard, bus: LocalBus, ada: User
) -> None:
    ended = bus.subscribe(SessionEnded)
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    fresh = await access.sessions.refresh(opened.refresh_token)
    with pytest.raises(RefreshRefused):
        await access.sessions.refresh(opened.refresh_token)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(fresh.access_token)
    with pytest.raises(RefreshRefused):
        await access.sessions.refresh(fresh.refresh_token)
    assert await anext(aiter(ended)) == SessionEnded(ada.id, opened.session_id)


async def test_a_refresh_token_raced_for_is_won_once(access: AccessService, ada: User) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    results = await asyncio.gather(
        *(access.sessions.refresh(opened.refresh_token) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, RefreshRefused) for result in results) == 4


@pytest.mark.parametrize("token", ["", "mr_unknown", "\ud800", "a\0b", "x" * 5000])
async def test_a_refresh_token_that_is_none_is_refused(access: AccessService, token: str) -> None:
    with pytest.raises(RefreshRefused):
        await access.sessions.refresh(token)


async def test_guessing_one_account_is_slowed_down_and_forgiven_with_time(
    access: AccessService, clock: WoundClock, ada: User
) -> None:
    for _ in range(10):
        await refused(access, "ada", "wrong")
    with pytest.raises(LogInThrottled) as caught:
        await access.sessions.log_in("ADA", PASSWORD, HOME)
    assert caught.value.retry_after_s == 60
    clock.wind(seconds=61)
    await access.sessions.log_in("ada", PASSWORD, HOME)


async def test_an_account_that_does_not_exist_is_slowed_down_alike(access: AccessService) -> None:
    for _ in range(10):
        await refused(access, "nobody", "wrong")
    with pytest.raises(LogInThrottled):
        await access.sessions.log_in("nobody", "wrong", HOME)


async def test_a_strangers_guesses_do_not_lock_the_owner_out_at_home(access: AccessService, ada: User) -> None:
    await access.sessions.log_in("ada", PASSWORD, HOME)
    for _ in range(10):
        await refused(access, "ada", "wrong", Origin(address="203.0.113.9"))
    with pytest.raises(LogInThrottled):
        await access.sessions.log_in("ada", PASSWORD, Origin(address="203.0.113.9"))
    await access.sessions.log_in("ada", PASSWORD, HOME)


async def test_parallel_guesses_are_counted_before_the_next_one_is_tried(access: AccessService, ada: User) -> None:
    results = await asyncio.gather(
        *(access.sessions.log_in("ada", f"wrong {number}", HOME) for number in range(30)), return_exceptions=True
    )
    tried = sum(isinstance(result, LogInFailed) for result in results)
    assert 10 <= tried <= 12
    assert tried + sum(isinstance(result, LogInThrottled) for result in results) == 30


async def test_no_secret_is_stored_as_it_is(access: AccessService, database: Database, ada: User) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    _, key = await access.keys.create(ada.id, "script")
    secrets = [PASSWORD, opened.access_token, opened.refresh_token, opened.session_token or "-", key]
    async with database.reading() as connection:
        for table in ("users", "sessions", "refresh_tokens", "api_keys", "signing_keys"):
            rows = str((await connection.execute(text(f"SELECT * FROM {table}"))).all())
            assert not [secret for secret in secrets if secret in rows]


async def test_a_log_in_does_not_show_its_secrets_in_its_own_text(access: AccessService, ada: User) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    shown = repr(opened)
    assert opened.session_id in shown
    for secret in (opened.access_token, opened.refresh_token, opened.session_token or "-"):
        assert secret not in shown


async def test_use_of_a_session_is_noted_every_few_minutes(
    access: AccessService, guard: Guard, database: Database, clock: WoundClock, ada: User
) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    clock.wind(minutes=6)
    await guard.actor_of_token(opened.access_token)
    async with database.reading() as connection:
        seen = await connection.execute(text("SELECT count(*) FROM sessions WHERE last_seen_at > created_at"))
        assert seen.scalar_one() == 1


async def test_sessions_long_over_are_swept_with_their_tokens(
    access: AccessService, database: Database, clock: WoundClock, ada: User
) -> None:
    await access.sessions.log_in("ada", PASSWORD, HOME)
    assert await access.sweep() == 0
    clock.wind(days=50)
    await access.sessions.log_in("ada", PASSWORD, HOME)
    assert await access.sweep() == 1
    async with database.reading() as connection:
        left = (await connection.execute(text("SELECT count(*) FROM refresh_tokens"))).scalar_one()
    assert left == 1


async def test_tokens_outlive_a_restart(
    access: AccessService, database: Database, clock: WoundClock, ada: User
) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    again = await AccessService.open(database, clock)
    assert (await Guard(again).actor_of_token(opened.access_token)).id == ada.id


async def test_a_session_ended_by_another_process_is_over_within_a_second(
    access: AccessService, guard: Guard, database: Database, clock: WoundClock, ada: User
) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    actor = await guard.actor_of_token(opened.access_token)
    command_line = await AccessService.open(database, clock)
    await command_line.people.set_active(ada.id, False)
    clock.wind(seconds=1)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(opened.access_token)
    assert await guard.stands(actor) is False
