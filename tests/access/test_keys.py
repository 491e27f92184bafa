"""API keys: shown once, bounded by scopes and time, gone at once when revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.access.conftest import PASSWORD, WoundClock

from mooring.access.errors import FieldInvalid, KeysExhausted, KeyUnknown, NotAuthenticated
from mooring.access.guard import Guard
from mooring.access.model import User, may, require
from mooring.access.service import AccessService
from mooring.adapters.local_bus import LocalBus
from mooring.kernel.errors import Denied
from mooring.kernel.events import SessionEnded
from mooring.storage.database import Database


async def test_a_key_stands_for_its_owner(access: AccessService, guard: Guard, ada: User) -> None:
    key, secret = await access.keys.create(ada.id, "script")
    actor = await guard.actor_of_token(secret)
    assert (actor.id, actor.name, actor.session_id) == (ada.id, "Ada", key.id)
    assert secret.startswith(key.prefix)
    assert len(secret) > len(key.prefix) + 20
    assert await guard.stands(actor) is True


async def test_a_key_may_do_no_more_than_its_scopes(access: AccessService, guard: Guard, ada: User) -> None:
    _, secret = await access.keys.create(ada.id, "reader", scopes=["data:read", "devices:read"])
    actor = await guard.actor_of_token(secret)
    assert may(actor, "data:read")
    with pytest.raises(Denied, match="data:write"):
        require(actor, "data:write")
    assert not may(actor, "keys:manage")


async def test_a_key_may_do_no_more_than_its_owner(access: AccessService, guard: Guard, ada: User) -> None:
    _, secret = await access.keys.create(ada.id, "all")
    await access.people.set_role(ada.id, "auditor")
    actor = await guard.actor_of_token(secret)
    assert may(actor, "data:read")
    assert not may(actor, "data:write")


async def test_a_revoked_key_is_refused_at_once_and_its_sockets_are_told(
    access: AccessService, guard: Guard, bus: LocalBus, ada: User
) -> None:
    ended = bus.subscribe(SessionEnded)
    key, secret = await access.keys.create(ada.id, "script")
    actor = await guard.actor_of_token(secret)
    await access.keys.revoke(ada.id, key.id)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(secret)
    assert await guard.stands(actor) is False
    assert await anext(aiter(ended)) == SessionEnded(ada.id, key.id)


async def test_somebody_elses_key_looks_like_an_unknown_one(access: AccessService, ada: User) -> None:
    grace = await access.people.add("grace", PASSWORD)
    key, _ = await access.keys.create(ada.id, "script")
    said = []
    for key_id in (key.id, "00000000-0000-4000-8000-000000000000", "a\0b", ""):
        with pytest.raises(KeyUnknown) as caught:
            await access.keys.revoke(grace.id, key_id)
        said.append(str(caught.value))
    assert len(set(said)) == 1
    assert (await access.keys.by_id(key.id))[1] == ada


async def test_a_key_ends_when_it_was_said_to(
    access: AccessService, guard: Guard, clock: WoundClock, ada: User
) -> None:
    _, secret = await access.keys.create(ada.id, "short", expires_at=clock.now() + timedelta(hours=1))
    await guard.actor_of_token(secret)
    clock.wind(hours=1)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(secret)
    with pytest.raises(FieldInvalid, match="future"):
        await access.keys.create(ada.id, "late", expires_at=clock.now())


async def test_last_use_is_noted_once_a_minute(
    access: AccessService, guard: Guard, clock: WoundClock, ada: User
) -> None:
    _, secret = await access.keys.create(ada.id, "script")
    noted = []
    for _ in range(3):
        await guard.actor_of_token(secret)
        noted.append((await access.keys.list(ada.id))[0].last_used_at)
        clock.wind(seconds=40)
    assert noted[0] == noted[1] != noted[2]


async def test_a_store_that_cannot_be_written_does_not_lock_a_key_out(
    access: AccessService, guard: Guard, database: Database, ada: User
) -> None:
    _, secret = await access.keys.create(ada.id, "script")
    if database.dialect != "sqlite":
        pytest.skip("a full disk is made with SQLite's page limit")
    from sqlalchemy import text

    async with database.writing() as connection:
        await connection.execute(text("PRAGMA query_only = ON"))
    assert (await guard.actor_of_token(secret)).id == ada.id


async def test_an_account_has_a_hundred_keys_at_most(access: AccessService, ada: User) -> None:
    for number in range(100):
        await access.keys.create(ada.id, f"key {number}")
    with pytest.raises(KeysExhausted):
        await access.keys.create(ada.id, "one more")


@pytest.mark.parametrize("secret", ["mk_", "mk_unknown", "mk_" + "x" * 5000, "mk_\ud800", "mk_a\0b"])
async def test_what_is_no_key_is_refused(guard: Guard, secret: str) -> None:
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(secret)
