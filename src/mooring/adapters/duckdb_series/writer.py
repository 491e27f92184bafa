"""The one thread that writes: opens the database, commits, folds the log in, and decides what a failure means."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from mooring.adapters.duckdb_series.schema import connect, keep_private
from mooring.kernel.errors import StorageFull, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")
Connection = duckdb.DuckDBPyConnection
_SEE = "see to the disk, then restart mooring"
_FULL = ("No space left", "File too large", "Disk quota exceeded")
# The batch is at fault, not the disk: it is rolled back and the store goes on.
_OWN_FAULT = (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError, duckdb.OutOfMemoryException)


class Writer:
    """Runs every write in order on its own thread; ``adopted`` is told of each connection, and of None when it goes."""

    def __init__(
        self,
        path: Path,
        *,
        memory_mb: int,
        reserve_bytes: int,
        checkpoint_bytes: int,
        adopted: Callable[[Connection | None], None],
    ) -> None:
        self.path = path
        self.wal = path.with_name(path.name + ".wal")
        self._memory_mb = memory_mb
        self._reserve = reserve_bytes
        self._checkpoint_bytes = checkpoint_bytes
        self._adopted = adopted
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="series-writer")
        self._connection: Connection | None = None
        self._asking: Connection | None = None
        self._broken: str | None = None
        self._opened = False
        self._fresh_log = True

    # On the event loop.

    async def open(self) -> None:
        """Open or create the database; replays what a crash left behind."""
        await self.run(self._open)

    async def close(self) -> None:
        """Finish the write under way, fold the log into the file, close. Closing twice is closing once."""
        try:
            done = self._thread.submit(self._close)
        except RuntimeError:
            return
        await asyncio.wrap_future(done)
        self._thread.shutdown()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work` on the writer's thread; raises ``Unavailable`` or ``StorageFull``."""
        try:
            future = self._thread.submit(self._guarded, work, *args)
        except RuntimeError:
            raise Unavailable("readings are closed") from None
        return await asyncio.wrap_future(future)

    def probe(self) -> None:
        """Raise what the next write would be refused with, as far as that is known without trying."""
        if self._broken or not self._opened:
            raise Unavailable(self._broken or "readings are closed")
        self._check_room()

    def tidy(self) -> None:
        """Fold the log into the file if it has grown, behind whatever is being written."""
        try:
            self._thread.submit(self._checkpoint)
        except RuntimeError:
            return

    # On the writer's thread from here on.

    def live(self) -> Connection:
        """Return the connection; after a full disk it is a new one, since the old handle is not trusted any more."""
        if self._connection is not None:
            return self._connection
        if not self._opened:
            raise Unavailable("readings are closed")
        return self._open()

    def asking(self) -> Connection:
        """Return a connection whose statements are planned, for questions and for deletions."""
        self.live()
        if self._asking is None:
            raise Unavailable("readings are closed")
        return self._asking

    def scalar(self, sql: str) -> int:
        """Return the one integer `sql` asks for."""
        row = self.asking().execute(sql).fetchone()
        return int(row[0]) if row else 0

    def transaction(self, work: Callable[[Connection], T], *, planned: bool = False) -> T:
        """Do `work` in one durable transaction, provided the disk has room for it."""
        connection = self.asking() if planned else self.live()
        self._check_room()
        connection.execute("BEGIN")
        try:
            result = work(connection)
        except BaseException:
            self._roll_back(connection)
            raise
        connection.execute("COMMIT")
        if self._fresh_log:
            keep_private(self.path)
            self._fresh_log = False
        return result

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.execute("ROLLBACK")
        except duckdb.Error as error:
            log.warning("rollback failed: %s", error)

    def _guarded(self, work: Callable[..., T], *args: Any) -> T:
        """Run a write. A failed write is never retried and, unless the disk was merely full, is the last one."""
        if self._broken:
            raise Unavailable(self._broken, hint=_SEE)
        try:
            return work(*args)
        except (duckdb.Error, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> Unavailable:
        text = _line(error)
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(sign in str(error) for sign in _FULL):
            log.error("storage is full: %s", text)
            self._let_go()
            return StorageFull("storage is full", hint="free space; writing resumes by itself")
        if isinstance(error, _OWN_FAULT):
            log.error("a write was refused by the database: %s", error)
            return Unavailable(f"this cannot be stored: {text}")
        self._broken = f"storage failed: {text}"
        log.critical("readings cannot be stored any more: %s", error)
        return Unavailable(self._broken, hint=_SEE)

    def _open(self) -> Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            connection = connect(self.path, memory_mb=self._memory_mb, threads=2)
        except duckdb.IOException as error:
            hint = "is another mooring running on this data folder?" if "lock" in str(error).lower() else None
            raise Unavailable(f"readings cannot be opened: {_line(error)}", hint=hint) from error
        except duckdb.FatalException as error:
            # A question still under way holds the old handle; the next write tries again.
            raise Unavailable(f"readings are being reopened: {_line(error)}") from error
        self._connection, self._asking = connection, connection.cursor()
        self._opened, self._fresh_log = True, True
        self._adopted(connection)
        return connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        asking, self._asking = self._asking, None
        self._adopted(None)
        if asking is not None:
            asking.close()
        if connection is not None:
            connection.close()

    def _close(self) -> None:
        if self._connection is not None and not self._broken:
            try:
                self._connection.execute("CHECKPOINT")
            except duckdb.Error as error:
                log.warning("the log was not folded in at close, it will be at the next start: %s", error)
        self._let_go()
        self._opened = False

    def _check_room(self) -> None:
        space = os.statvfs(self.path.parent)
        if space.f_bavail * space.f_frsize < self._reserve:
            raise StorageFull(
                f"storage is full: less than {self._reserve >> 20} MB free",
                hint="free space; writing resumes by itself",
            )

    def _checkpoint(self) -> None:
        try:
            if self._broken or self._connection is None or self.wal.stat().st_size < self._checkpoint_bytes:
                return
            self._guarded(self._connection.execute, "CHECKPOINT")
            self._fresh_log = True
        except FileNotFoundError:
            return
        except Unavailable as error:
            log.error("checkpoint failed: %s", error)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
