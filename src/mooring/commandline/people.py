"""``mooring user`` and ``mooring key``: through the running server if there is one, else on its data folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from mooring.commandline.given import settings as given_settings
from mooring.settings import Settings

users = typer.Typer(help="People: add, list, passwd, disable, enable.", no_args_is_help=True)
keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="The server's data folder (MOORING_DATA_DIR).")]
Username = Annotated[str, typer.Argument(help="User name or e-mail address.")]
Password = Annotated[
    str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Asked for when left out.")
]


@users.command("add")
def add_user(
    *,
    username: Annotated[str, typer.Argument(help="Name to log in with.")],
    password: Password,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    role: Annotated[str, typer.Option(help="user, admin or auditor.")] = "user",
    quota: Annotated[int, typer.Option(min=0, help="How many devices the person may have.")] = 50,
    data_dir: DataDir = None,
) -> None:
    """Add a person."""
    arguments = {"username": username, "password": password, "email": email, "role": role, "quota": quota}
    user = _perform(data_dir, "user.add", **arguments)
    typer.echo(f"added: {user['username']} ({user['role']})")


@users.command("list")
def list_users(data_dir: DataDir = None) -> None:
    """List people."""
    rows = _perform(data_dir, "user.list")
    _table(rows, ("username", "email", "role", "active", "device_quota", "created_at"))


@users.command("passwd")
def set_password(username: Username, password: Password, data_dir: DataDir = None) -> None:
    """Give a person a new password; their sessions end."""
    _perform(data_dir, "user.passwd", username=username, password=password)
    typer.echo(f"password changed: {username}")


@users.command("disable")
def disable(username: Username, data_dir: DataDir = None) -> None:
    """Shut a person out, ending their sessions and keys at once."""
    _perform(data_dir, "user.disable", username=username)
    typer.echo(f"disabled: {username}")


@users.command("enable")
def enable(username: Username, data_dir: DataDir = None) -> None:
    """Let a person in again."""
    _perform(data_dir, "user.enable", username=username)
    typer.echo(f"enabled: {username}")


@keys.command("create")
def create_key(
    username: Username,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    scope: Annotated[
        list[str] | None, typer.Option(help="devices:read, devices:write, data:read, data:write; default all.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, ISO 8601 with a time zone.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make an API key; it is shown once."""
    arguments = {"username": username, "name": name, "scopes": scope or ["*"], "expires_at": expires}
    key = _perform(data_dir, "key.create", **arguments)
    typer.echo(f"key: {key['key']}")
    typer.echo(f"id: {key['id']}")


@keys.command("list")
def list_keys(username: Username, data_dir: DataDir = None) -> None:
    """List a person's API keys."""
    rows = _perform(data_dir, "key.list", username=username)
    _table(rows, ("id", "name", "prefix", "created_at", "expires_at", "last_used_at"))


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `mooring key list`.")], data_dir: DataDir = None
) -> None:
    """End an API key at once."""
    key = _perform(data_dir, "key.revoke", key_id=key_id)
    typer.echo(f"revoked: {key['name']}")


def _perform(data_dir: Path | None, operation: str, **arguments: Any) -> Any:
    return asyncio.run(_ask(given_settings(data_dir=data_dir), operation, arguments))


async def _ask(settings: Settings, operation: str, arguments: dict[str, Any]) -> Any:
    from mooring.doors.people.control import order

    try:
        return await order(settings.data_dir, operation, arguments)
    except OSError:
        # Nobody answers there: if a server holds the folder all the same, its lock will tell.
        return await _alone(settings, operation, arguments)


async def _alone(settings: Settings, operation: str, arguments: dict[str, Any]) -> Any:
    from mooring.app import people_only
    from mooring.doors.people.control import perform

    async with people_only(settings) as access:
        return await perform(access, operation, arguments)


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    Console().print(table)
