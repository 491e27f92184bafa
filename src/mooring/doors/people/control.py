"""The door for the command line on the same machine: a socket file in the data folder, for its owner alone.

The server is the only process that writes to its stores, so ``mooring user`` and ``mooring key`` ask it; without a
server they do the same work themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from mooring.access.model import ApiKey, User
from mooring.access.service import AccessService
from mooring.kernel.clock import iso
from mooring.kernel.errors import Invalid, MooringError, Unavailable
from mooring.wire import json

log = logging.getLogger(__name__)
DEADLINE_S = 30.0
_LIMIT = 64 * 1024
Operation = Callable[..., Awaitable[Any]]


class Order(msgspec.Struct):
    """What the command line asks for."""

    operation: str
    arguments: dict[str, Any] = {}


_order = msgspec.json.Decoder(Order)


def socket_of(folder: Path) -> Path:
    """Return where the running server of a data folder listens."""
    return folder / "control.sock"


@asynccontextmanager
async def control_door(folder: Path, access: AccessService) -> AsyncIterator[None]:
    """Answer orders of this machine's owner while the server runs."""
    path = socket_of(folder)
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                writer.write(json.encode(await _answer(access, await reader.readline())) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.info("control connection ended: %s", error)
        finally:
            writer.close()

    try:
        server = await asyncio.start_unix_server(serve, path, limit=_LIMIT)
    except OSError as error:
        # A path too long for a socket, or a file system without sockets: the server is useful without.
        log.warning("the command line cannot reach this server: %s", error)
        yield
        return
    path.chmod(0o600)
    async with server:
        yield
    path.unlink(missing_ok=True)


async def _answer(access: AccessService, line: bytes) -> dict[str, Any]:
    try:
        order = _order.decode(line)
        return {"result": await perform(access, order.operation, order.arguments)}
    except MooringError as error:
        return {"error": error.message, "hint": error.hint}
    except (msgspec.MsgspecError, TypeError) as error:
        return {"error": f"order is not understood: {error}", "hint": None}


async def order(folder: Path, operation: str, arguments: dict[str, Any]) -> Any:
    """Ask the running server; raises ``FileNotFoundError`` or ``ConnectionError`` if there is none."""
    reader, writer = await asyncio.open_unix_connection(socket_of(folder), limit=16 << 20)
    try:
        async with asyncio.timeout(DEADLINE_S):
            writer.write(json.encode(Order(operation, arguments)) + b"\n")
            answer = json.decode_object(await reader.readline())
    except TimeoutError:
        raise Unavailable("the running server does not answer") from None
    finally:
        writer.close()
    if "error" in answer:
        raise Invalid(answer["error"], hint=answer.get("hint"))
    return answer["result"]


async def perform(access: AccessService, operation: str, arguments: dict[str, Any]) -> Any:
    """Do what the command line asks, here."""
    return await _operation(operation)(access, **arguments)


def _operation(name: str) -> Operation:
    operations: dict[str, Operation] = {
        "user.add": _add_user,
        "user.list": _list_users,
        "user.passwd": _set_password,
        "user.disable": _disable,
        "user.enable": _enable,
        "key.create": _create_key,
        "key.list": _list_keys,
        "key.revoke": _revoke_key,
    }
    if name not in operations:
        raise Invalid(f"unknown operation: {name[:40]}")
    return operations[name]


async def _add_user(
    access: AccessService, *, username: str, password: str, email: str | None, role: Any, quota: int
) -> dict[str, Any]:
    return _user(await access.people.add(username, password, email=email, role=role, device_quota=quota))


async def _list_users(access: AccessService) -> list[dict[str, Any]]:
    users, _ = await access.people.list(limit=10_000)
    return [_user(user) for user in users]


async def _set_password(access: AccessService, *, username: str, password: str) -> dict[str, Any]:
    user = await access.people.by_name(username)
    await access.people.set_password(user.id, password)
    return _user(user)


async def _disable(access: AccessService, *, username: str) -> dict[str, Any]:
    return await _set_active(access, username, active=False)


async def _enable(access: AccessService, *, username: str) -> dict[str, Any]:
    return await _set_active(access, username, active=True)


async def _set_active(access: AccessService, username: str, *, active: bool) -> dict[str, Any]:
    user = await access.people.by_name(username)
    await access.people.set_active(user.id, active)
    return _user(await access.people.by_id(user.id))


async def _create_key(
    access: AccessService, *, username: str, name: str, scopes: list[str], expires_at: str | None
) -> dict[str, Any]:
    user = await access.people.by_name(username)
    until = _moment(expires_at) if expires_at else None
    key, secret = await access.keys.create(user.id, name, scopes=tuple(scopes), expires_at=until)
    return _key(key) | {"key": secret}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"not a time: {text[:40]}", hint="for example 2030-01-31T00:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _list_keys(access: AccessService, *, username: str) -> list[dict[str, Any]]:
    user = await access.people.by_name(username)
    return [_key(key) for key in await access.keys.list(user.id)]


async def _revoke_key(access: AccessService, *, key_id: str) -> dict[str, Any]:
    key, owner = await access.keys.by_id(key_id)
    await access.keys.revoke(owner.id, key_id)
    return _key(key)


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "active": user.is_active,
        "device_quota": user.device_quota,
        "created_at": iso(user.created_at),
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at) if key.expires_at else None,
        "last_used_at": iso(key.last_used_at) if key.last_used_at else None,
    }
