"""Tables of the readings in PostgreSQL, all in a schema of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mooring.adapters.postgres_series.days import DAY_US, FAR_US, floor_day
from mooring.kernel.errors import Unavailable
from mooring.storage.errors import StoreTooNew, StoreUnsafe

if TYPE_CHECKING:
    from asyncpg import Connection

SCHEMA_VERSION = 1
# Advisory locks are numbers shared by the whole database: "moor" and one more byte.
LOCK_SCHEMA, LOCK_DAYS = 0x6D6F6F7201, 0x6D6F6F7202

# `ledger` has one row: the last commit_seq and how many readings there are. Readings are laid out widest column first,
# so that nothing is lost to alignment; `row` is the place in the batch, which keeps ties in the order of storing.
# Text compares by byte (COLLATE "C"): the same order as DuckDB's, and no surprise from an upgraded libc.
TABLES = """
CREATE SCHEMA mooring_series;
SET LOCAL search_path = mooring_series;
CREATE TABLE store (version int NOT NULL, floor_us bigint NOT NULL);
CREATE TABLE ledger (commit_seq bigint NOT NULL, readings bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO ledger VALUES (0, 0);
CREATE SEQUENCE batch_numbers;
CREATE TABLE series (
    no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, unit text, UNIQUE (device_id, key));
CREATE TABLE boots (
    no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id text COLLATE "C" NOT NULL, boot_id text COLLATE "C" NOT NULL, UNIQUE (device_id, boot_id));
CREATE TABLE batches (
    batch bigint PRIMARY KEY, commit_seq bigint NOT NULL, received_us bigint NOT NULL, readings int NOT NULL);
CREATE TABLE frames (
    seq bigint NOT NULL, batch bigint NOT NULL, digest bigint NOT NULL, boot int NOT NULL, PRIMARY KEY (boot, seq));
CREATE TABLE readings (
    at_us bigint NOT NULL, batch bigint NOT NULL, value float8, series int NOT NULL, quality real NOT NULL,
    row int NOT NULL, kind smallint NOT NULL, text text) PARTITION BY RANGE (at_us);
CREATE INDEX readings_by_series ON readings (series, at_us);
CREATE TABLE readings_far PARTITION OF readings FOR VALUES FROM ({far_us}) TO (MAXVALUE);
"""


async def prepare(connection: Connection) -> int:
    """Create what is missing and return where daily partitions begin; refuses a store newer than this program."""
    async with connection.transaction():
        # Nodes that start together take turns.
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_SCHEMA)
        if await connection.fetchval("SELECT to_regclass('mooring_series.store')") is None:
            floor_us = floor_day(time.time_ns() // 1000) * DAY_US
            await connection.execute(TABLES.format(far_us=FAR_US))
            await connection.execute(
                f"CREATE TABLE mooring_series.readings_old PARTITION OF mooring_series.readings "
                f"FOR VALUES FROM (MINVALUE) TO ({int(floor_us)})"
            )
            await connection.execute("INSERT INTO mooring_series.store VALUES ($1, $2)", SCHEMA_VERSION, floor_us)
        row = await connection.fetchrow("SELECT version, floor_us FROM mooring_series.store")
    if row["version"] > SCHEMA_VERSION:
        raise StoreTooNew(
            f"the readings were written by a newer mooring: store version {row['version']}, "
            f"this program knows {SCHEMA_VERSION}",
            hint="start the newer program again, or restore a backup made by this one",
        )
    return int(row["floor_us"])


async def check_durable(connection: Connection) -> None:
    """Raise ``StoreUnsafe`` if a commit here could be lost after it was confirmed, ``Unavailable`` on a standby."""
    names = ["synchronous_commit", "fsync", "full_page_writes", "transaction_read_only"]
    rows = await connection.fetch("SELECT name, current_setting(name) FROM unnest($1::text[]) AS name", names)
    found = dict(rows)
    if found.pop("transaction_read_only") == "on":
        raise Unavailable("PostgreSQL takes no writes: it is a standby or set read-only")
    for setting, value in found.items():
        if value == "off":
            raise unsafe(setting)


def unsafe(setting: str) -> StoreUnsafe:
    """Return the refusal of a setting that would make an ack a lie."""
    return StoreUnsafe(
        f"PostgreSQL would confirm commits it can lose: {setting}=off",
        hint=f"set {setting}=on for this server, database and user",
    )
