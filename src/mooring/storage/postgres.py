"""PostgreSQL by asyncpg: a pool, and a look at the settings on which an ack rests."""

from __future__ import annotations

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mooring.storage.errors import StoreUnreachable, StoreUnsafe

CONNECT_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 60
_HINT = "check host, port, name, user and password of the database address"


async def open_postgres(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the readers' and the writers' engine over one pool.

    Raises StoreUnreachable, or StoreUnsafe when a confirmed commit could be lost.
    """
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=8,
            max_overflow=8,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S},
        )
    except ModuleNotFoundError as error:
        raise StoreUnreachable(
            "the PostgreSQL driver is not installed: asyncpg", hint="pip install 'mooring[postgres]'"
        ) from error
    try:
        await _refuse_unsafe(engine)
    except StoreUnsafe:
        await engine.dispose()
        raise
    except Exception as error:
        await engine.dispose()
        reason = getattr(error, "orig", None) or error
        raise StoreUnreachable(f"PostgreSQL cannot be reached: {type(reason).__name__}", hint=_HINT) from error
    return engine.execution_options(postgresql_readonly=True), engine


async def _refuse_unsafe(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for setting in ("synchronous_commit", "fsync"):
            value = (await connection.execute(text(f"SHOW {setting}"))).scalar_one()
            if value == "off":
                raise StoreUnsafe(
                    f"PostgreSQL would confirm commits it can lose: {setting}=off",
                    hint=f"set {setting}=on for this database or user",
                )
