"""The stored schema: migrations make exactly what the rooms' tables say, once, and newer stores are refused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

import mooring
from mooring.storage.database import Database
from mooring.storage.errors import StoreTooNew
from mooring.storage.metadata import metadata
from mooring.storage.migrations import HEAD, KNOWN, migrate, stored_version
from mooring.storage.migrations.upgrade import head, versions


def import_every_table() -> None:
    root = Path(mooring.__file__).parent
    for path in sorted(root.rglob("tables.py")):
        import_module(".".join(["mooring", *path.relative_to(root).with_suffix("").parts]))


def differences(connection: Connection) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    # Alembic cannot compare the default '' on SQLite; both databases get their schema from the same text.
    defaults = connection.dialect.name == "postgresql"
    options = {"compare_type": True, "compare_server_default": defaults, "version_table": "schema_version"}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_head_is_the_newest_packaged_version() -> None:
    assert head() == HEAD
    assert versions() == KNOWN


async def test_migrations_make_exactly_the_tables_of_the_rooms(database: Database) -> None:
    import_every_table()
    await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        found = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    assert found == {*metadata.tables, "schema_version"}


async def test_a_store_is_migrated_once(database: Database) -> None:
    assert await stored_version(database) is None
    assert await migrate(database) is True
    assert await migrate(database) is False
    assert await stored_version(database) == HEAD


async def test_two_nodes_starting_at_once_migrate_once(database_url: str) -> None:
    nodes = [await Database.open(database_url) for _ in range(3)]
    try:
        done = await asyncio.gather(*(migrate(node) for node in nodes))
    finally:
        for node in nodes:
            await node.close()
    assert sorted(done) == [False, False, True]


async def test_an_older_program_refuses_a_newer_store_in_clear_words(database: Database) -> None:
    await migrate(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE schema_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="newer Mooring: schema 9999") as caught:
        await migrate(database)
    assert "start the newer program" in (caught.value.hint or "")


async def test_a_migration_that_fails_leaves_the_store_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mooring.storage.migrations import upgrade

    original = upgrade.upgrade

    def failing(connection: Connection, target: str) -> None:
        original(connection, target)
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(upgrade, "upgrade", failing)
    with pytest.raises(RuntimeError):
        await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == []
    monkeypatch.undo()
    assert await migrate(database) is True


def test_alembic_is_not_imported_by_a_start_that_has_nothing_to_migrate() -> None:
    code = "import sys, mooring.storage.migrations; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
