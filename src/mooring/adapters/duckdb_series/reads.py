"""The reading half: what each question is in SQL, and how its rows become the port's words (on the reader's thread)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import duckdb

from mooring.adapters.aggregates import SHARED, answers, fraction_of
from mooring.adapters.duckdb_series.question import CLOSED, Question
from mooring.kernel.errors import Unavailable
from mooring.telemetry.series import (
    KIND_BIG,
    Bucket,
    BucketQuery,
    Newest,
    RangeQuery,
    Row,
    SeriesInfo,
)
from mooring.telemetry.values import value_from

# Readings of one time stand in the order they were stored: by batch, then numbers before texts, then by row.
_KEY = "(at_us, batch, part, row_no)"
_ORDERED = {"first": f"arg_min(value, {_KEY})", "last": f"arg_max(value, {_KEY})"}
# at_us in the upper half of the key, the row in the lower: one comparison, and no tie.
_NEWEST = """
SELECT series, arg_max(
    {{'at': at_us, 'batch': batch, 'part': {part}, 'value': value, 'kind': kind, 'quality': quality}},
    at_us::HUGEINT * 18446744073709551616 + rowid)
FROM {table} {where} GROUP BY series
"""
Cursor = duckdb.DuckDBPyConnection


class Reads:
    """Answers questions from committed data; ``connection`` is set by the writer while the store is open."""

    def __init__(self, executor: Executor, deadline_s: float) -> None:
        self.connection: duckdb.DuckDBPyConnection | None = None
        self._executor = executor
        self._deadline_s = deadline_s
        self._asked: set[Question] = set()

    async def _ask(self, work: Callable[[Cursor], Any]) -> Any:
        if self.connection is None:
            raise Unavailable(CLOSED)
        question = Question(self.connection, work)
        self._asked.add(question)
        try:
            return await question.answer(self._executor, self._deadline_s)
        finally:
            self._asked.discard(question)

    def close(self) -> None:
        """Take no more questions and stop those under way."""
        self.connection = None
        for question in self._asked:
            question.stop(CLOSED)

    async def counts(self) -> tuple[int, int]:
        """Return how many readings and series there are."""
        sql = "SELECT (SELECT count(*) FROM numbers) + (SELECT count(*) FROM texts), (SELECT count(*) FROM series)"
        row = await self._ask(lambda cursor: cursor.execute(sql).fetchone())
        return int(row[0]), int(row[1])

    async def catalogue(self, device_ids: Sequence[str] | None) -> list[SeriesInfo]:
        """Return series, ordered by device and key."""
        where = "" if device_ids is None else "WHERE device_id IN (SELECT unnest(?))"
        sql = f"SELECT no, device_id, key, unit FROM series {where} ORDER BY device_id, key"  # noqa: S608 (own text)
        parameters = [] if device_ids is None else [list(device_ids)]

        def work(cursor: Cursor) -> list[SeriesInfo]:
            return [SeriesInfo(*row) for row in cursor.execute(sql, parameters).fetchall()]

        found: list[SeriesInfo] = await self._ask(work)
        return found

    async def newest(self, series: Sequence[int] | None) -> list[Newest]:
        """Return the newest reading per series, of those of the same time the one stored last."""
        where = "" if series is None else f"WHERE {_in(series)}"

        def work(cursor: Cursor) -> list[Newest]:
            best: dict[int, dict[str, Any]] = {}
            for part, table in enumerate(("numbers", "texts")):
                for no, found in cursor.execute(_NEWEST.format(table=table, part=part, where=where)).fetchall():
                    if no not in best or _stored_at(best[no]) < _stored_at(found):
                        best[no] = found
            return [_newest(no, found) for no, found in best.items()]

        newest: list[Newest] = await self._ask(work)
        return newest

    async def count(self, query: RangeQuery) -> int:
        """Count the readings of a range."""
        where, parameters = _range(query)
        sql = f"SELECT (SELECT count(*) FROM numbers {where}) + (SELECT count(*) FROM texts {where})"  # noqa: S608
        row = await self._ask(lambda cursor: cursor.execute(sql, parameters * 2).fetchone())
        return int(row[0])

    async def read(self, query: RangeQuery) -> list[Row]:
        """Return readings in time order; those of the same time in the order they were stored."""
        where, parameters = _range(query)
        way = "DESC" if query.order == "desc" else "ASC"
        order = ", ".join(f"{column} {way}" for column in ("at_us", "batch", "series", "part", "row_no"))
        sql = (
            f"SELECT series, at_us, value, text, kind, quality FROM ({_readings(where)}) "  # noqa: S608 (own text)
            f"ORDER BY {order} LIMIT ? OFFSET ?"
        )

        def work(cursor: Cursor) -> list[Row]:
            rows = cursor.execute(sql, [*parameters, *parameters, query.limit, query.offset]).fetchall()
            return [
                Row(no, at_us, value_from(kind, text if value is None else value), round(quality, 6))
                for no, at_us, value, text, kind, quality in rows
            ]

        found: list[Row] = await self._ask(work)
        return found

    async def bucket(self, query: BucketQuery) -> list[Bucket]:
        """Return aggregates per interval, aligned to 1970."""
        where, parameters = _range(query)
        way = "DESC" if query.order == "desc" else "ASC"
        wanted = ", ".join(_aggregate(name) for name in query.aggregates)
        sql = (
            f"SELECT series, at_us // ? * ? AS bucket_us, {wanted} FROM ({_readings(where, big='number')}) "  # noqa: S608
            f"GROUP BY series, bucket_us ORDER BY bucket_us {way}, series {way} LIMIT ?"
        )
        step = query.interval_us

        def work(cursor: Cursor) -> list[Bucket]:
            rows = cursor.execute(sql, [step, step, *parameters, *parameters, query.limit]).fetchall()
            return [Bucket(no, at_us, answers(query.aggregates, values)) for no, at_us, *values in rows]

        found: list[Bucket] = await self._ask(work)
        return found


def _readings(where: str, *, big: str = "") -> str:
    """Return numbers and texts as one table; with `big` the integers no float holds exactly count as numbers."""
    value = f"CASE WHEN kind = {KIND_BIG} THEN CAST(value AS DOUBLE) END" if big else "NULL"
    return (
        "SELECT series, at_us, value, NULL AS text, kind, quality, batch, 0 AS part, rowid AS row_no "  # noqa: S608
        f"FROM numbers {where} UNION ALL "
        f"SELECT series, at_us, {value}, value, kind, quality, batch, 1, rowid FROM texts {where}"
    )


def _stored_at(found: dict[str, Any]) -> tuple[int, int, int]:
    return found["at"], found["batch"], found["part"]


def _newest(no: int, found: dict[str, Any]) -> Newest:
    return Newest(no, found["at"], value_from(found["kind"], found["value"]), round(found["quality"], 6))


def _in(series: Sequence[int]) -> str:
    """Return a filter on series numbers: integers of our own, never text of a user."""
    return f"series IN ({', '.join(str(int(no)) for no in series)})" if series else "false"


def _range(query: RangeQuery | BucketQuery) -> tuple[str, list[Any]]:
    where = f"WHERE {_in(query.series)} AND at_us >= ? AND at_us < ?"
    parameters: list[Any] = [query.start_us, query.end_us]
    if query.quality_min > 0:
        # Compared as it is stored: 0.9 as a float of 32 bits is less than 0.9.
        return f"{where} AND quality >= CAST(? AS FLOAT)", [*parameters, query.quality_min]
    return where, parameters


def _aggregate(name: str) -> str:
    return SHARED.get(name) or _ORDERED.get(name) or f"quantile_cont(value, {fraction_of(name)!r})"
