"""One question to DuckDB: on a reader thread, with a cursor of its own, a deadline, and an end when nobody waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import duckdb

from mooring.kernel.errors import Unavailable

# An interrupt that comes before the query runs is forgotten by DuckDB, so it is repeated until the thread is free.
_REPEAT_S = 0.02
CLOSED = "readings are closed"


class Question:
    """Runs ``work`` with a fresh cursor; a deadline, or a caller who has gone, stops the query itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], Any]) -> None:
        self._connection = connection
        self._work = work
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._job: asyncio.Future[Any] | None = None
        self._stopped: str | None = None

    async def answer(self, executor: Executor, deadline_s: float) -> Any:
        """Return what ``work`` returns; raises ``Unavailable`` after `deadline_s` seconds, waiting included."""
        loop = asyncio.get_running_loop()
        try:
            self._job = loop.run_in_executor(executor, self._run)
        except RuntimeError:
            raise Unavailable(CLOSED) from None
        self._job.add_done_callback(_retrieve)
        alarm = loop.call_later(deadline_s, self.stop, f"the question took longer than {deadline_s:g} s")
        try:
            return await asyncio.shield(self._job)
        except asyncio.CancelledError:
            self.stop("nobody waits for the answer")
            raise
        except duckdb.InterruptException as error:
            hint = None if self._stopped == CLOSED else "ask for a shorter range"
            raise Unavailable(self._stopped or "the question was stopped", hint=hint) from error
        except duckdb.Error as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise Unavailable(f"readings cannot be read: {reason[:200]}") from error
        finally:
            alarm.cancel()

    def stop(self, reason: str) -> None:
        """End the query, now or as soon as its thread has begun it."""
        if self._job is None or self._job.done():
            return
        self._stopped = self._stopped or reason
        cursor = self._cursor
        if cursor is not None:
            with contextlib.suppress(duckdb.Error):
                cursor.interrupt()
        self._job.get_loop().call_later(_REPEAT_S, self.stop, reason)

    def _run(self) -> Any:
        if self._stopped:
            raise duckdb.InterruptException(self._stopped)
        cursor = self._cursor = self._connection.cursor()
        try:
            return self._work(cursor)
        finally:
            self._cursor = None
            cursor.close()


def _retrieve(job: asyncio.Future[Any]) -> None:
    if not job.cancelled():
        job.exception()
