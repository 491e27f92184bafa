"""What a failing database is called in Mooring's own words, so no driver error ever reaches a door."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mooring.kernel.errors import MooringError, StorageFull, Unavailable

# After these a second fsync may succeed without the data: https://www.sqlite.org/rescode.html
_SQLITE_BROKEN = {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC", "SQLITE_IOERR_WRITE"}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PG_FULL = {"53100"}
_PG_AWAY = ("08", "53", "57P", "58", "XX")


class StoreTooNew(Unavailable):
    """The stored schema was written by a newer program than this one."""

    code = "store_too_new"


class StoreUnsafe(Unavailable):
    """The database is set so that a commit could be lost after it was confirmed."""

    code = "store_unsafe"


class StoreUnreachable(Unavailable):
    """The database cannot be opened or does not answer."""

    code = "store_unreachable"


class StoreBroken(Unavailable):
    """A write to the disk failed, and what the disk holds of it cannot be known until the next start."""

    code = "store_broken"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the disk failed while storing", hint="see to the disk, then start Mooring again")


def refusal_of(error: Exception) -> MooringError | None:
    """Return the refusal a driver or socket error stands for, or None when it is a fault of ours."""
    if isinstance(error, MooringError):
        return error
    if isinstance(error, DBAPIError):
        return _of_driver(error)
    if isinstance(error, OSError | TimeoutError | PoolTimeout):
        return StoreUnreachable(f"the database does not answer: {type(error).__name__}")
    return None


def _of_driver(error: DBAPIError) -> MooringError | None:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    sqlite_name = str(getattr(error.orig, "sqlite_errorname", "") or "")
    if state in _PG_FULL or sqlite_name == "SQLITE_FULL":
        return StorageFull(
            "the disk is full: nothing more can be stored", hint="free some space; writing resumes by itself"
        )
    if error.connection_invalidated or state.startswith(_PG_AWAY):
        return StoreUnreachable(f"the database does not answer: {state or type(error.orig).__name__}")
    if sqlite_name or isinstance(error, OperationalError | InterfaceError):
        return _of_sqlite(sqlite_name, error)
    return None


def _of_sqlite(name: str, error: DBAPIError) -> MooringError | None:
    if name in _SQLITE_BROKEN:
        return StoreBroken()
    if name.startswith("SQLITE_CONSTRAINT") or name in ("SQLITE_ERROR", "SQLITE_MISUSE", "SQLITE_RANGE"):
        return None
    return StoreUnreachable(f"the database has failed: {name or type(error.orig).__name__}")
