"""SQLite, opened so that a commit is on the disk when it returns and exactly one connection writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from mooring.storage.errors import StoreUnreachable

READERS = 4
BUSY_TIMEOUT_MS = 10_000
_WRITER = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-8192")
_READER = ("query_only=ON", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-2048")


async def open_sqlite(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the readers' and the writer's engine over the file of `url`, created private if it is new."""
    path = Path(url.database or "")
    try:
        _private_file(path)
    except OSError as error:
        raise StoreUnreachable(f"the database file cannot be opened: {path}: {error.strerror}") from error
    writer = _engine(url, size=1, pragmas=_WRITER, begin="BEGIN IMMEDIATE")
    try:
        # The writer goes first: it turns the file to WAL, which a query_only reader could not.
        async with writer.connect() as connection:
            await connection.execute(text("SELECT count(*) FROM sqlite_master"))
    except Exception as error:
        await writer.dispose()
        raise StoreUnreachable(f"the database file cannot be opened: {path}: {_said(error)}") from error
    return _engine(url, size=READERS, pragmas=_READER, begin="BEGIN"), writer


def _said(error: Exception) -> str:
    return str(getattr(error, "orig", None) or type(error).__name__)


def _private_file(path: Path) -> None:
    """Make the file 0600 before SQLite sees it; its -wal and -shm take over the mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _engine(url: URL, *, size: int, pragmas: tuple[str, ...], begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
    )

    def on_connect(dbapi_connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself: they would start too late to be IMMEDIATE.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
