"""Rows of people, sessions and keys: every statement of this room, on a connection the caller holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Executable, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mooring.access.errors import NameTaken, PersonUnknown
from mooring.access.fields import folded
from mooring.access.model import ApiKey, Session, User
from mooring.access.tables import api_keys, refresh_tokens, sessions, signing_keys, users

_USER: tuple[Column[Any], ...] = (
    users.c.id,
    users.c.username,
    users.c.email,
    users.c.role,
    users.c.is_active,
    users.c.device_quota,
    users.c.created_at,
    users.c.last_login_at,
    users.c.first_name,
    users.c.last_name,
)
_SESSION = tuple(column for column in sessions.c if column.name != "token_hash")
_KEY = tuple(column for column in api_keys.c if column.name != "key_hash")


async def add_user(connection: AsyncConnection, user: User, password_hash: str) -> None:
    """Insert `user`; raises NameTaken when its name or address is somebody's."""
    row = {
        "id": user.id,
        "username": user.username,
        "username_key": folded(user.username),
        "email": user.email,
        "email_key": folded(user.email) if user.email else None,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "password_hash": password_hash,
        "role": user.role,
        "is_active": user.is_active,
        "device_quota": user.device_quota,
        "created_at": user.created_at,
        "password_changed_at": user.created_at,
    }
    try:
        async with connection.begin_nested():
            await connection.execute(insert(users).values(row))
    except IntegrityError:
        raise NameTaken("an account with this username or e-mail address exists already") from None


async def user_by_id(connection: AsyncConnection, user_id: str) -> User | None:
    """Return the account of that id."""
    row = await _first(connection, select(*_USER).where(users.c.id == user_id))
    return _user(row) if row else None


async def user_by_name(connection: AsyncConnection, name: str) -> tuple[User, str] | None:
    """Return the account of that username or e-mail address, with its password's hash."""
    key = folded(name)
    column = users.c.email_key if "@" in key else users.c.username_key
    row = await _first(connection, select(*_USER, users.c.password_hash).where(column == key))
    return (_user(row), row.password_hash) if row else None


async def first_admin(connection: AsyncConnection) -> User | None:
    """Return the oldest active administrator."""
    query = select(*_USER).where(users.c.role == "admin", users.c.is_active.is_(True))
    query = query.order_by(users.c.created_at, users.c.id).limit(1)
    row = await _first(connection, query)
    return _user(row) if row else None


async def list_users(connection: AsyncConnection, *, limit: int, offset: int = 0) -> tuple[list[User], int]:
    """Return accounts by name, and how many there are in all."""
    rows = await connection.execute(select(*_USER).order_by(users.c.username_key).limit(limit).offset(offset))
    total = (await connection.execute(select(func.count()).select_from(users))).scalar_one()
    return [_user(row) for row in rows], total


async def change_user(connection: AsyncConnection, user_id: str, **values: Any) -> None:
    """Set columns of an account; raises PersonUnknown."""
    if not await _changed(connection, update(users).where(users.c.id == user_id).values(**values)):
        raise PersonUnknown("no such account")


async def add_session(connection: AsyncConnection, session: Session, token_hash: str) -> None:
    """Insert a session under the digest of its cookie."""
    await connection.execute(
        insert(sessions).values(
            id=session.id,
            user_id=session.user_id,
            token_hash=token_hash,
            address=session.address,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
        )
    )


async def session_by_id(connection: AsyncConnection, session_id: str) -> tuple[Session, User] | None:
    """Return a session and whose it is."""
    return await _session(connection, sessions.c.id == session_id)


async def session_by_token(connection: AsyncConnection, token_hash: str) -> tuple[Session, User] | None:
    """Return the session of a cookie's digest and whose it is."""
    return await _session(connection, sessions.c.token_hash == token_hash)


async def session_by_refresh(connection: AsyncConnection, token_hash: str) -> tuple[Session, User] | None:
    """Return the session a refresh token's digest belongs to, used or not."""
    inner = select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash)
    return await _session(connection, sessions.c.id == inner.scalar_subquery())


async def end_sessions(
    connection: AsyncConnection, user_id: str, now: datetime, *, only: str | None = None, keep: str | None = None
) -> list[str]:
    """End a person's open sessions (or `only` one, or all but `keep`) and return their ids."""
    statement = update(sessions).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
    if only is not None:
        statement = statement.where(sessions.c.id == only)
    if keep is not None:
        statement = statement.where(sessions.c.id != keep)
    return list((await connection.execute(statement.values(ended_at=now).returning(sessions.c.id))).scalars())


async def seen_session(connection: AsyncConnection, session_id: str, now: datetime) -> None:
    """Note that a session is in use."""
    await connection.execute(update(sessions).where(sessions.c.id == session_id).values(last_seen_at=now))


async def sweep_sessions(connection: AsyncConnection, before: datetime) -> int:
    """Delete sessions that were over before a time, with their refresh tokens; return how many."""
    return int((await connection.execute(delete(sessions).where(sessions.c.expires_at < before))).rowcount)


async def add_refresh(connection: AsyncConnection, token_hash: str, session_id: str, now: datetime) -> None:
    """Insert a refresh token's digest."""
    await connection.execute(
        insert(refresh_tokens).values(token_hash=token_hash, session_id=session_id, created_at=now)
    )


async def use_refresh(connection: AsyncConnection, token_hash: str, now: datetime) -> bool:
    """Use a refresh token up; False when it was used before."""
    unused = (refresh_tokens.c.token_hash == token_hash) & refresh_tokens.c.used_at.is_(None)
    return await _changed(connection, update(refresh_tokens).where(unused).values(used_at=now))


async def add_key(connection: AsyncConnection, key: ApiKey, key_hash: str) -> None:
    """Insert an API key under its digest."""
    await connection.execute(
        insert(api_keys).values(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            prefix=key.prefix,
            key_hash=key_hash,
            scopes=list(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


async def key_by_digest(connection: AsyncConnection, key_hash: str) -> tuple[ApiKey, User] | None:
    """Return the API key of a digest and whose it is."""
    return await _key_and_owner(connection, api_keys.c.key_hash == key_hash)


async def key_by_id(connection: AsyncConnection, key_id: str) -> tuple[ApiKey, User] | None:
    """Return the API key of an id and whose it is."""
    return await _key_and_owner(connection, api_keys.c.id == key_id)


async def list_keys(connection: AsyncConnection, user_id: str) -> list[ApiKey]:
    """Return a person's keys, oldest first."""
    query = select(*_KEY).where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at, api_keys.c.id)
    return [_key(row) for row in await connection.execute(query)]


async def delete_key(connection: AsyncConnection, key_id: str, user_id: str) -> bool:
    """Delete a person's key; False when he has none of that id."""
    mine = (api_keys.c.id == key_id) & (api_keys.c.user_id == user_id)
    return await _changed(connection, delete(api_keys).where(mine))


async def seen_key(connection: AsyncConnection, key_id: str, now: datetime) -> None:
    """Note that a key is in use."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=now))


async def secret_of(connection: AsyncConnection, name: str) -> str | None:
    """Return the signing secret of that name."""
    return (await connection.execute(select(signing_keys.c.secret).where(signing_keys.c.name == name))).scalar()


async def add_secret(connection: AsyncConnection, name: str, secret: str, now: datetime) -> bool:
    """Insert a signing secret; False when another node was first."""
    try:
        async with connection.begin_nested():
            await connection.execute(insert(signing_keys).values(name=name, secret=secret, created_at=now))
    except IntegrityError:
        return False
    return True


async def _session(connection: AsyncConnection, where: ColumnElement[bool]) -> tuple[Session, User] | None:
    query = select(*_SESSION, *(column.label(f"owner_{column.name}") for column in _USER))
    row = await _first(connection, query.join_from(sessions, users).where(where))
    if row is None:
        return None
    values = row._mapping
    return Session(**{column.name: values[column.name] for column in _SESSION}), _owner(row)


async def _key_and_owner(connection: AsyncConnection, where: ColumnElement[bool]) -> tuple[ApiKey, User] | None:
    query = select(*_KEY, *(column.label(f"owner_{column.name}") for column in _USER))
    row = await _first(connection, query.join_from(api_keys, users).where(where))
    return (_key(row), _owner(row)) if row else None


async def _first(connection: AsyncConnection, query: Executable) -> Row[Any] | None:
    return (await connection.execute(query)).first()


async def _changed(connection: AsyncConnection, statement: Any) -> bool:
    return bool((await connection.execute(statement)).rowcount)


def _user(row: Row[Any]) -> User:
    values = row._mapping
    return User(**{column.name: values[column] for column in _USER})


def _owner(row: Row[Any]) -> User:
    values = row._mapping
    return User(**{column.name: values[f"owner_{column.name}"] for column in _USER})


def _key(row: Row[Any]) -> ApiKey:
    values = row._mapping
    named = {column.name: values[column.name] for column in _KEY}
    return ApiKey(**{**named, "scopes": tuple(named["scopes"])})
