"""Accounts: names that are the same, the first administrator, passwords, shutting people out."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from tests.access.conftest import HOME, PASSWORD

from mooring.access.errors import FieldInvalid, LogInFailed, NameTaken, NotAuthenticated, PersonUnknown
from mooring.access.guard import Guard
from mooring.access.model import User
from mooring.access.service import AccessService
from mooring.storage.database import Database


async def test_an_account_is_found_by_name_and_address_in_any_case(access: AccessService, ada: User) -> None:
    for name in ("Ada", "ada", " ADA ", "ada@example.org", "Ada@Example.ORG"):
        assert await access.people.by_name(name) == ada


@pytest.mark.parametrize(
    ("username", "email"),
    [("ada", None), ("ADA", "new@example.org"), ("ＡＤＡ", None), ("other", "ADA@example.org")],
)
async def test_a_name_that_only_looks_different_is_taken(
    access: AccessService, ada: User, username: str, email: str | None
) -> None:
    with pytest.raises(NameTaken):
        await access.people.add(username, PASSWORD, email=email)


async def test_a_name_wanted_twice_at_once_goes_to_one(access: AccessService) -> None:
    results = await asyncio.gather(*(access.people.add("grace", PASSWORD) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, NameTaken) for result in results) == 3


async def test_accounts_without_an_address_do_not_stand_in_each_others_way(access: AccessService) -> None:
    await access.people.add("one", PASSWORD)
    await access.people.add("two", PASSWORD)
    users, total = await access.people.list()
    assert ([user.username for user in users], total) == (["one", "two"], 2)


async def test_accounts_are_listed_in_pages(access: AccessService) -> None:
    for name in ("cc", "aa", "bb"):
        await access.people.add(name, PASSWORD)
    users, total = await access.people.list(limit=2, offset=1)
    assert ([user.username for user in users], total) == (["bb", "cc"], 3)


async def test_the_first_administrator_is_made_once_with_a_password_made_up(access: AccessService) -> None:
    password = await access.ensure_admin("admin")
    assert password is not None
    assert len(password) >= 20
    assert await access.ensure_admin("admin") is None
    opened = await access.sessions.log_in("admin", password, HOME)
    assert opened.user.role == "admin"
    assert await access.people.first_admin() == await access.people.by_name("admin")


async def test_the_first_administrators_password_may_be_given(access: AccessService) -> None:
    assert await access.ensure_admin("root", PASSWORD) is None
    assert (await access.sessions.log_in("root", PASSWORD, HOME)).user.username == "root"


async def test_two_nodes_make_one_administrator(access: AccessService) -> None:
    made = await asyncio.gather(*(access.ensure_admin("admin") for _ in range(3)))
    assert sum(password is not None for password in made) == 1


async def test_an_ordinary_account_is_not_promoted_by_its_name(access: AccessService) -> None:
    await access.people.add("admin", PASSWORD)
    with pytest.raises(NameTaken) as caught:
        await access.ensure_admin("admin")
    assert "MOORING_ADMIN_USERNAME" in (caught.value.hint or "")


async def test_a_bad_administrators_password_is_refused_at_the_start(access: AccessService) -> None:
    with pytest.raises(FieldInvalid):
        await access.ensure_admin("admin", "short")


async def test_passwords_are_stored_as_argon2id_with_the_stated_cost(access: AccessService, ada: User) -> None:
    database: Database = access.people._database
    async with database.reading() as connection:
        stored = (await connection.execute(text("SELECT password_hash FROM users"))).scalar_one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_new_password_ends_sessions_but_the_one_that_asked(
    access: AccessService, guard: Guard, ada: User
) -> None:
    mine = await access.sessions.log_in("ada", PASSWORD, HOME)
    other = await access.sessions.log_in("ada", PASSWORD, HOME)
    await access.people.set_password(ada.id, "another password", keep_session=mine.session_id)
    assert (await guard.actor_of_token(mine.access_token)).id == ada.id
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(other.access_token)
    with pytest.raises(LogInFailed):
        await access.sessions.log_in("ada", PASSWORD, HOME)
    await access.sessions.log_in("ada", "another password", HOME)


async def test_who_is_shut_out_cannot_log_in_nor_use_a_key_until_let_in_again(
    access: AccessService, guard: Guard, ada: User
) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    _, key = await access.keys.create(ada.id, "script")
    await guard.actor_of_token(key)
    await access.people.set_active(ada.id, False)
    for token in (opened.access_token, key):
        with pytest.raises(NotAuthenticated):
            await guard.actor_of_token(token)
    with pytest.raises(LogInFailed):
        await access.sessions.log_in("ada", PASSWORD, HOME)
    await access.people.set_active(ada.id, True)
    await guard.actor_of_token(key)
    with pytest.raises(NotAuthenticated):
        await guard.actor_of_token(opened.access_token)


async def test_a_new_role_counts_from_the_next_request(access: AccessService, guard: Guard, ada: User) -> None:
    opened = await access.sessions.log_in("ada", PASSWORD, HOME)
    before = await guard.actor_of_token(opened.access_token)
    await access.people.set_role(ada.id, "auditor")
    assert (await guard.actor_of_token(opened.access_token)).role == "auditor"
    assert await guard.stands(before) is False


async def test_the_device_quota_is_fifty_until_somebody_says_otherwise(access: AccessService, ada: User) -> None:
    assert await access.people.device_quota(ada.id) == 50
    await access.people.set_device_quota(ada.id, 3)
    assert await access.people.device_quota(ada.id) == 3
    with pytest.raises(FieldInvalid):
        await access.people.set_device_quota(ada.id, -1)


async def test_an_unknown_account_is_missing_whatever_is_asked_of_it(access: AccessService) -> None:
    for call in (
        access.people.by_id("nobody"),
        access.people.by_name("nobody"),
        access.people.set_active("nobody", False),
        access.people.set_password("nobody", PASSWORD),
    ):
        with pytest.raises(PersonUnknown):
            await call
