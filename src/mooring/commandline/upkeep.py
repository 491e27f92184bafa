"""``mooring config``, ``mooring doctor`` and ``mooring migrate``."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mooring.commandline.given import settings as given_settings
from mooring.kernel.errors import MooringError
from mooring.settings import Settings, variable_of

DataDir = Annotated[Path | None, typer.Option(help="The server's data folder (MOORING_DATA_DIR).")]
Finding = tuple[str, str, str]


def config() -> None:
    """Print every setting: its variable, its value here, its default and what it is for."""
    settings = given_settings()
    for name, field in Settings.model_fields.items():
        value, default = getattr(settings, name), field.default
        shown = "(set, not shown)" if name == "admin_password" and value else _shown(value)
        typer.echo(f"{variable_of(name)}={shown}")
        changed = "" if value == default else f" Default: {_shown(default)}."
        typer.echo(f"    {field.description}{changed}")


def _shown(value: object) -> str:
    if value is None:
        return ""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    # The password in the address of a database is nobody's to read over a shoulder.
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", text)


def doctor(data_dir: DataDir = None) -> None:
    """Look for what would keep a server from working well here, and say what to do about it."""
    settings = given_settings(data_dir=data_dir)
    findings = list(_findings(settings))
    for mark, subject, sentence in findings:
        typer.echo(f"{mark:4} {subject}: {sentence}")
    if any(mark == "bad" for mark, _, _ in findings):
        raise typer.Exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    python = sys.version.split()[0]
    yield ("ok" if sys.version_info >= (3, 11) else "bad"), "python", python
    yield "ok", "sqlite", sqlite3.sqlite_version
    yield _folder(settings.data_dir)
    yield _space(settings)
    yield _files()
    yield _port(settings)
    yield _console()
    yield asyncio.run(_database(settings))


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        parent = folder.resolve().parent
        good = os.access(parent, os.W_OK)
        return ("ok" if good else "bad"), "data folder", f"{folder} {'will be made' if good else 'cannot be made here'}"
    if not os.access(folder, os.W_OK):
        return "bad", "data folder", f"{folder} is not writable"
    loose = folder.stat().st_mode & 0o077
    return ("warn" if loose else "ok"), "data folder", f"{folder}{' can be read by others: chmod 700' if loose else ''}"


def _space(settings: Settings) -> Finding:
    where = settings.data_dir if settings.data_dir.exists() else settings.data_dir.resolve().parent
    while not where.exists():
        where = where.parent
    free_mb = shutil.disk_usage(where).free >> 20
    enough = free_mb > 4 * settings.disk_reserve_mb
    return ("ok" if enough else "bad"), "disk", f"{free_mb} MB free, writes stop below {settings.disk_reserve_mb} MB"


def _files() -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ("ok" if soft >= 4096 else "warn"), "open files", f"{soft} allowed; each connection needs one (ulimit -n)"


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = settings.port and probe.connect_ex((settings.host, settings.port)) == 0
    sentence = f"{settings.port} answers already: a server is running, or choose another with MOORING_PORT"
    return ("warn", "port", sentence) if taken else ("ok", "port", f"{settings.port} is free")


def _console() -> Finding:
    from mooring.doors.console.pages import STATIC

    built = (STATIC / "index.html").is_file()
    return (
        ("ok", "console", "built") if built else ("warn", "console", "not built: cd console && npm ci && npm run build")
    )


async def _database(settings: Settings) -> Finding:
    from mooring.storage.database import Database
    from mooring.storage.migrations import HEAD, stored_version

    if not settings.database_url and not (settings.data_dir / "mooring.sqlite3").exists():
        return "ok", "database", "will be made at the first start"
    try:
        database = await Database.open(settings.people_url)
        try:
            version = await stored_version(database)
        finally:
            await database.close()
    except MooringError as error:
        return "bad", "database", error.message
    current = version == HEAD
    return (
        ("ok" if current else "warn"),
        "database",
        f"schema {version}{'' if current else f', this program has {HEAD}'}",
    )


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this program's schema; `mooring serve` does so by itself."""
    settings = given_settings(data_dir=data_dir)
    changed = asyncio.run(_migrate(settings))
    typer.echo("database brought up to date" if changed else "database is up to date")


async def _migrate(settings: Settings) -> bool:
    from mooring.app import migrated

    return await migrated(settings)
