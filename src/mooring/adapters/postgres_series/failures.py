"""What PostgreSQL's failures mean to the port: full, unsafe, away, or a fault of ours."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from types import ModuleType
from typing import TYPE_CHECKING

from mooring.kernel.errors import MooringError, StorageFull, Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

log = logging.getLogger(__name__)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
DISK_FULL = "53100"
ACQUIRE_S = 10.0


def driver() -> ModuleType:
    """Return asyncpg, which is needed only here."""
    try:
        import asyncpg
    except ModuleNotFoundError as error:
        raise Unavailable(
            "the PostgreSQL driver is not installed: asyncpg", hint="pip install 'mooring[postgres]'"
        ) from error
    module: ModuleType = asyncpg
    return module


@contextlib.asynccontextmanager
async def borrowed(pool: Pool | None, deadline_s: float) -> AsyncIterator[Connection]:
    """Lend a connection for one piece of work; every failure leaves as one of Mooring's own."""
    if pool is None:
        raise Unavailable("readings are closed")
    asyncpg = driver()
    try:
        async with pool.acquire(timeout=ACQUIRE_S) as connection:
            yield connection
    except MooringError:
        raise
    except TimeoutError as error:
        raise Unavailable(
            f"PostgreSQL took longer than {deadline_s:g} s", hint="ask for a shorter range, or see to the database"
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        # Internal errors of the client are what a connection says that was cut before its last word.
        raise failure(error) from error


def failure(error: Exception) -> Unavailable:
    """Return what the doors are told of a driver's or socket's error."""
    state = getattr(error, "sqlstate", None)
    if state == DISK_FULL:
        log.error("storage is full: %s", error)
        return StorageFull("storage is full", hint="free space on the database's disk; writing resumes by itself")
    name = type(error).__name__
    log.error("PostgreSQL failed: %s: %s", name, error)
    return Unavailable(f"PostgreSQL does not answer: {name}{f' {state}' if state else ''}")
