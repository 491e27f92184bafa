"""Tables and settings of the readings' database."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb

from mooring.storage.errors import StoreTooNew

SCHEMA_VERSION = 1

# ``store`` also keeps the highest numbers ever given, so that a number of a forgotten device is never given again.
TABLES = """
CREATE TABLE IF NOT EXISTS store (
    version INTEGER NOT NULL, highest_batch BIGINT NOT NULL, highest_series INTEGER NOT NULL,
    highest_boot INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS series (no INTEGER NOT NULL, device_id VARCHAR NOT NULL, key VARCHAR NOT NULL, unit VARCHAR);
CREATE TABLE IF NOT EXISTS boots (
    no INTEGER NOT NULL, device_id VARCHAR NOT NULL, boot_id VARCHAR NOT NULL, first_batch BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS frames (
    batch BIGINT NOT NULL, received_us BIGINT NOT NULL, boot INTEGER NOT NULL, seq BIGINT NOT NULL, digest UINTEGER);
CREATE TABLE IF NOT EXISTS numbers (
    batch BIGINT NOT NULL, series INTEGER NOT NULL, at_us BIGINT NOT NULL, value DOUBLE NOT NULL,
    kind UTINYINT NOT NULL, quality FLOAT NOT NULL);
CREATE TABLE IF NOT EXISTS texts (
    batch BIGINT NOT NULL, series INTEGER NOT NULL, at_us BIGINT NOT NULL, value VARCHAR NOT NULL,
    kind UTINYINT NOT NULL, quality FLOAT NOT NULL);
INSERT INTO store SELECT {version}, 0, 0, 0 WHERE NOT EXISTS (FROM store);
"""


def connect(path: Path, *, memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Open the database with everything shut that could reach outside it, and create what is missing."""
    scratch = path.with_suffix(".tmp")
    connection = duckdb.connect(
        str(path),
        config={
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(scratch),
            "checkpoint_threshold": "1TB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        },
    )
    try:
        # Not in `config`: with the outside shut from the start, DuckDB 2.0 refuses to be told its own temporary folder.
        # This connection only inserts: there is nothing to optimise, and planning is a third of a small commit.
        connection.execute("PRAGMA disable_optimizer")
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        _check_version(connection)
        connection.execute(TABLES.format(version=SCHEMA_VERSION))
    except BaseException:
        connection.close()
        raise
    scratch.mkdir(mode=0o700, exist_ok=True)
    keep_private(path)
    return connection


def keep_private(path: Path) -> None:
    """Take the database and its log from everyone but their owner; DuckDB makes the log anew after a checkpoint."""
    for file in (path, path.with_name(path.name + ".wal")):
        with contextlib.suppress(FileNotFoundError):
            file.chmod(0o600)


def _check_version(connection: duckdb.DuckDBPyConnection) -> None:
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'store'").fetchone()
    row = connection.execute("SELECT max(version) FROM store").fetchone() if known else None
    if row and row[0] is not None and row[0] > SCHEMA_VERSION:
        raise StoreTooNew(
            f"the readings were written by a newer mooring: store version {row[0]}, "
            f"this program knows {SCHEMA_VERSION}",
            hint="start the newer program again, or restore a backup made by this one",
        )
