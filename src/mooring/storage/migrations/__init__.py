"""Bringing a stored schema up to this program's: one transaction, so a crash leaves the old one or the new one.

``HEAD`` is the schema this program speaks. Alembic is imported only when the store speaks an older one, because
a start that has nothing to migrate should not pay for it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mooring.storage.database import Database
from mooring.storage.errors import StoreTooNew

HEAD: Final = "0004"
KNOWN: Final = frozenset({"0001", "0002", "0003", "0004"})
_TABLE = "schema_version"


async def migrate(database: Database) -> bool:
    """Upgrade the store to ``HEAD`` and tell whether there was anything to do; raises StoreTooNew."""
    if _judged(await stored_version(database)) == HEAD:
        return False
    from mooring.storage.migrations.upgrade import upgrade

    async with database.writing() as connection:
        await _alone(connection, database.dialect)
        # Another node may have been first while we waited.
        if _judged(await _version(connection)) == HEAD:
            return False
        await connection.run_sync(upgrade, HEAD)
    return True


async def stored_version(database: Database) -> str | None:
    """Return the schema version the store was last brought to; None for an empty store."""
    async with database.reading() as connection:
        return await _version(connection)


async def _version(connection: AsyncConnection) -> str | None:
    if not await connection.run_sync(lambda sync: sync.dialect.has_table(sync, _TABLE)):
        return None
    return (await connection.execute(text("SELECT version_num FROM schema_version"))).scalar()


async def _alone(connection: AsyncConnection, dialect: str) -> None:
    """Keep other nodes from migrating the same PostgreSQL store; SQLite's writer is alone already."""
    if dialect == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(7016996765293437281)"))


def _judged(version: str | None) -> str | None:
    if version is not None and version not in KNOWN:
        raise StoreTooNew(
            f"this store was written by a newer Mooring: schema {version}, this program knows up to {HEAD}",
            hint="start the newer program, or restore a backup made before the upgrade",
        )
    return version
