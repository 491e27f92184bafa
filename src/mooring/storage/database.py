"""The unit of work: ``reading()`` and ``writing()`` hand out connections and end them.

SQLite is opened in WAL with ``synchronous=FULL``, one writer connection (which alone checkpoints) and
read-only readers; PostgreSQL by asyncpg with a pool. Rooms' ``store.py`` functions take the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from mooring.storage.errors import StoreBroken, refusal_of
from mooring.storage.postgres import open_postgres
from mooring.storage.sqlite import open_sqlite
from mooring.storage.urls import database_url


class Database:
    """One relational store; made by ``open``, ended by ``close``."""

    def __init__(self, url: URL, *, reader: AsyncEngine, writer: AsyncEngine) -> None:
        """Take over two engines, which share a pool where the server orders its writers itself."""
        self.url = url
        self._reader = reader
        self._writer = writer
        self._broken = False
        # SQLite before 3.51.3 may lose a WAL when two connections write or checkpoint: exactly one does.
        self._one_writer = asyncio.Lock() if self.dialect == "sqlite" else None

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the store at `url` (sqlite:///path or postgresql://…); raises Invalid or Unavailable."""
        parsed = database_url(url)
        if parsed.get_backend_name() == "sqlite":
            reader, writer = await open_sqlite(parsed)
        else:
            reader, writer = await open_postgres(parsed)
        return cls(parsed, reader=reader, writer=writer)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the store and cannot write."""
        try:
            async with self._reader.connect() as connection:
                yield connection
        except Exception as error:
            _refuse(error)
            raise

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one unit of work: all of it is committed at the end, or none.

        After a failed write to the disk nothing is written any more until the next start: raises StoreBroken.
        """
        self._refuse_if_broken()
        try:
            async with self._turn(), self._writer.connect() as connection, connection.begin():
                yield connection
        except Exception as error:
            self._broken = self._broken or isinstance(refusal_of(error), StoreBroken)
            _refuse(error)
            raise

    async def probe(self) -> None:
        """Check that the store answers and can be written; raises Unavailable when it does not."""
        self._refuse_if_broken()
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection, the writer last so that its checkpoint is the final word."""
        await self._reader.dispose()
        await self._writer.dispose()

    def _refuse_if_broken(self) -> None:
        if self._broken:
            raise StoreBroken

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._one_writer is None:
            yield
            return
        async with self._one_writer:
            yield


def _refuse(error: Exception) -> None:
    """Raise what a driver's error stands for; leave an error of the caller's own alone."""
    refusal = refusal_of(error)
    if refusal is not None and refusal is not error:
        raise refusal from error
