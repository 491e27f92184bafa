"""The unit of work on SQLite and PostgreSQL: what is kept, what is taken back, and what failures are called."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from tests.postgres import PostgresServer

from mooring.kernel.errors import StorageFull, Unavailable
from mooring.storage.database import Database
from mooring.storage.errors import StoreBroken, StoreUnreachable, StoreUnsafe
from mooring.storage.types import Json, UtcDateTime
from mooring.storage.urls import DatabaseUrlInvalid, database_url

things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(200), unique=True),
    Column("at", UtcDateTime),
    Column("body", Json),
)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    async with database.writing() as connection:
        await connection.run_sync(things.create)
    yield database


async def add(store: Database, **values: Any) -> None:
    async with store.writing() as connection:
        await connection.execute(insert(things).values(**values))


async def names(store: Database) -> list[str]:
    async with store.reading() as connection:
        return list((await connection.execute(select(things.c.name).order_by(things.c.id))).scalars())


async def test_what_was_written_is_read_by_the_next_reader(store: Database) -> None:
    await add(store, name="a")
    assert await names(store) == ["a"]


async def test_an_error_takes_the_whole_unit_of_work_back(store: Database) -> None:
    with pytest.raises(RuntimeError, match="no"):
        async with store.writing() as connection:
            await connection.execute(insert(things).values(name="a"))
            raise RuntimeError("no")
    assert await names(store) == []


async def test_a_cancelled_unit_of_work_is_taken_back_and_the_next_goes_through(store: Database) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with store.writing() as connection:
            await connection.execute(insert(things).values(name="a"))
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(store, name="b")
    assert await names(store) == ["b"]


async def test_units_of_work_cancelled_anywhere_leave_all_or_nothing(store: Database) -> None:
    async def write(number: int) -> None:
        async with store.writing() as connection:
            await connection.execute(insert(things).values(name=f"{number}a"))
            await connection.execute(insert(things).values(name=f"{number}b"))

    for number in range(40):
        task = asyncio.create_task(write(number))
        await asyncio.sleep(number * 0.0002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await add(store, name="last")
    found = await names(store)
    halves = {name[:-1] for name in found if name != "last"}
    assert sorted(found) == sorted([half + end for half in halves for end in "ab"] + ["last"])


async def test_many_writers_at_once_all_get_their_turn(store: Database) -> None:
    await asyncio.gather(*(add(store, name=f"n{number}") for number in range(50)))
    assert len(await names(store)) == 50


async def test_readers_go_on_while_somebody_writes(store: Database) -> None:
    await add(store, name="a")
    async with store.writing() as connection:
        await connection.execute(insert(things).values(name="b"))
        assert await asyncio.wait_for(names(store), 5) == ["a"]
    assert await names(store) == ["a", "b"]


async def test_a_name_taken_twice_is_told_as_what_it_is(store: Database) -> None:
    await add(store, name="a")
    with pytest.raises(IntegrityError):
        await add(store, name="a")


async def test_a_readers_connection_cannot_write(store: Database) -> None:
    with pytest.raises((DBAPIError, Unavailable)):
        async with store.reading() as connection:
            await connection.execute(insert(things).values(name="a"))
    assert await names(store) == []


async def test_errors_do_not_show_the_values(store: Database) -> None:
    await add(store, name="hunter2-secret")
    with pytest.raises(IntegrityError) as caught:
        await add(store, name="hunter2-secret")
    assert "parameters hidden" in str(caught.value)


async def test_a_moment_comes_back_the_same_in_utc(store: Database) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await add(store, name="a", at=at)
    async with store.reading() as connection:
        found = (await connection.execute(select(things.c.at))).scalar_one()
        assert (await connection.execute(select(things.c.id).where(things.c.at == at))).scalar() is not None
    assert found == at
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(store: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        await add(store, name="a", at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("body", [{"a": [1, 2.5, None, True, "ü"]}, [], "text", 0, None])
async def test_a_document_comes_back_as_it_went_in(store: Database, body: Any) -> None:
    await add(store, name="a", body=body)
    async with store.reading() as connection:
        assert (await connection.execute(select(things.c.body))).scalar() == body
        empty = (await connection.execute(select(things.c.id).where(things.c.body.is_(None)))).first()
    assert (empty is not None) == (body is None)


async def test_probe_is_quiet_while_the_store_answers(store: Database) -> None:
    await store.probe()


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path}/data/mooring.db")
    yield opened
    await opened.close()


async def pragma(database: Database, name: str, *, writer: bool) -> Any:
    async with database.writing() if writer else database.reading() as connection:
        return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


async def test_sqlite_is_set_so_that_a_commit_is_on_the_disk(sqlite: Database) -> None:
    assert await pragma(sqlite, "journal_mode", writer=True) == "wal"
    assert await pragma(sqlite, "synchronous", writer=True) == 2
    assert await pragma(sqlite, "foreign_keys", writer=True) == 1
    assert await pragma(sqlite, "busy_timeout", writer=True) >= 5000
    assert await pragma(sqlite, "query_only", writer=False) == 1


async def test_sqlite_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        opened = await Database.open(f"sqlite:///{tmp_path}/data/mooring.db")
        async with opened.writing() as connection:
            await connection.run_sync(things.create)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
        await opened.close()
    finally:
        os.umask(before)
    assert modes == {"mooring.db": 0o600, "mooring.db-wal": 0o600, "mooring.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


async def test_a_closed_sqlite_store_leaves_one_file_behind(sqlite: Database, tmp_path: Path) -> None:
    async with sqlite.writing() as connection:
        await connection.run_sync(things.create)
    await names(sqlite)
    await sqlite.close()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mooring.db"]


async def test_a_file_that_is_no_database_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreUnreachable, match=r"x\.db: file is not a database"):
        await Database.open(f"sqlite:///{tmp_path}/x.db")


async def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="cannot be opened"):
        await Database.open(f"sqlite:///{tmp_path}")


async def test_a_full_disk_is_called_so_and_reading_goes_on(sqlite: Database) -> None:
    async with sqlite.writing() as connection:
        await connection.run_sync(things.create)
        await connection.execute(text("PRAGMA max_page_count = 8"))
    with pytest.raises(StorageFull):
        await add(sqlite, name="a", body=["x" * 100_000])
    assert await names(sqlite) == []
    async with sqlite.writing() as connection:
        await connection.execute(text("PRAGMA max_page_count = 100000"))
    await add(sqlite, name="a", body=["x" * 100_000])
    assert await names(sqlite) == ["a"]


@pytest.mark.parametrize("name", ["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_WRITE"])
async def test_after_a_failed_write_to_the_disk_nothing_is_written_until_the_next_start(
    sqlite: Database, tmp_path: Path, name: str
) -> None:
    async with sqlite.writing() as connection:
        await connection.run_sync(things.create)
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorname = name
    with pytest.raises(StoreBroken):
        async with sqlite.writing():
            raise OperationalError("COMMIT", None, failure)
    with pytest.raises(StoreBroken):
        await add(sqlite, name="a")
    with pytest.raises(StoreBroken):
        await sqlite.probe()
    assert await names(sqlite) == []
    again = await Database.open(f"sqlite:///{tmp_path}/data/mooring.db")
    await add(again, name="a")
    await again.close()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["synchronous_commit"])
async def test_postgresql_that_could_lose_a_confirmed_commit_is_refused(
    postgres_server: PostgresServer, postgres_url: str, setting: str
) -> None:
    name = database_url(postgres_url).database or ""
    postgres_server.sql(f"ALTER DATABASE {name} SET {setting} = off")
    with pytest.raises(StoreUnsafe, match=f"{setting}=off"):
        await Database.open(postgres_url)


async def test_postgresql_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(StoreUnreachable) as caught:
        await Database.open("postgresql://me:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


async def test_a_lost_connection_is_unavailable_and_the_next_one_works(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = await Database.open(postgres_url)
    name = database_url(postgres_url).database
    kill = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
    with pytest.raises(Unavailable):
        async with database.writing() as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.to_thread(postgres_server.sql, kill)
            await connection.execute(text("SELECT 1"))
    await database.probe()
    await database.close()


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////var/x.db", "sqlite+aiosqlite"),
        ("postgres://a@b/c", "postgresql+asyncpg"),
        ("postgresql://a@b/c", "postgresql+asyncpg"),
        ("postgresql+psycopg://a@b/c", "postgresql+asyncpg"),
    ],
)
def test_an_address_gets_the_driver_mooring_uses(given: str, driver: str) -> None:
    assert database_url(given).drivername == driver


def test_the_libpq_spelling_of_tls_is_understood() -> None:
    assert dict(database_url("postgresql://a@b/c?sslmode=require").query) == {"ssl": "require"}


@pytest.mark.parametrize("given", ["", "x.db", "mysql://a/b", "mongodb://a", "sqlite://", "sqlite:///:memory:", "://"])
def test_an_address_mooring_cannot_open_is_refused_with_a_hint(given: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as caught:
        database_url(given)
    assert caught.value.hint
