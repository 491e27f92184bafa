"""A recording: a CSV file with a header, times in the first column and one series in each further one.

Bad rows are counted and the first ones remembered with their line; a file without any good row is refused.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from mooring.kernel.clock import to_us
from mooring.simulator.errors import RecordingInvalid
from mooring.simulator.naming import series_key, title_of, units_of_shipped

TIME_COLUMNS = frozenset({"timestamp", "time", "datetime", "date", "ts"})
MOST_ROWS = 1_000_000
MOST_COLUMNS = 64
REMEMBERED_BAD_ROWS = 5
MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie in the year 5138."""
BRACKETED = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\])]{1,16})[\])]\s*$")


@dataclass(frozen=True, slots=True)
class Column:
    """One series of a recording."""

    key: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The values at one time; a column that was empty is absent."""

    at_us: int
    values: dict[str, float]


@dataclass(slots=True)
class Recording:
    """All good rows in file order, and how many bad ones there were."""

    path: Path
    title: str
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    bad_rows: int = 0
    bad_lines: list[str] = field(default_factory=list)

    @property
    def units(self) -> dict[str, str]:
        """Units by key, where the file tells them."""
        return {column.key: column.unit for column in self.columns if column.unit}

    @property
    def usual_gap_s(self) -> float:
        """The median time between rows in seconds; 1 when the file does not say."""
        gaps = [(b.at_us - a.at_us) / 1e6 for a, b in zip(self.rows, self.rows[1:], strict=False)]
        forward = [gap for gap in gaps if gap > 0]
        return median(forward) if forward else 1.0


def read_recording(path: Path) -> Recording:
    """Read a CSV file; raises RecordingInvalid with the line and a hint."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return _parse(path, lines)
    except OSError as failure:
        raise RecordingInvalid(f"cannot read the recording: {path}: {failure.strerror or failure}") from failure
    except UnicodeDecodeError as failure:
        raise RecordingInvalid(f"the recording is not UTF-8 text: {path}", hint="save it as CSV in UTF-8") from failure


def _parse(path: Path, lines: Iterable[str]) -> Recording:
    reader = csv.reader(lines)
    try:
        header = next(reader, None)
        recording = Recording(path, title_of(path.stem), _columns(path, header))
        for cells in reader:
            if cells:
                _take(recording, reader.line_num, cells)
    except csv.Error as failure:
        raise RecordingInvalid(f"{path.name}, line {reader.line_num}: not CSV: {failure}") from failure
    if not recording.rows:
        first = f"; {recording.bad_lines[0]}" if recording.bad_lines else ""
        raise RecordingInvalid(
            f"{path.name}: no row with a time and a number{first}", hint="rows look like: 2026-09-01 00:05:00,21.4"
        )
    return recording


def _columns(path: Path, header: list[str] | None) -> list[Column]:
    hint = "the first line names the columns: timestamp,value"
    names = [cell.strip() for cell in header or []]
    if not any(names):
        raise RecordingInvalid(f"{path.name}, line 1: the header is missing", hint=hint)
    if names[0].lower() not in TIME_COLUMNS:
        raise RecordingInvalid(f"{path.name}, line 1: the first column is not a time: {names[0]}", hint=hint)
    if not 2 <= len(names) <= MOST_COLUMNS + 1:
        raise RecordingInvalid(f"{path.name}, line 1: {len(names) - 1} value columns, 1 to {MOST_COLUMNS} are possible")
    columns = [_column(path, name) for name in names[1:]]
    keys = [column.key for column in columns]
    for position, key in enumerate(keys):
        if not key:
            raise RecordingInvalid(f"{path.name}, line 1: column {position + 2} has no name", hint=hint)
        if key in keys[:position]:
            raise RecordingInvalid(f"{path.name}, line 1: two columns have the same name: {key}")
    return columns


def _column(path: Path, name: str) -> Column:
    found = BRACKETED.match(name)
    bare, unit = (found["name"], found["unit"].strip()) if found else (name, units_of_shipped(path))
    return Column(series_key(bare, path.stem), unit)


def _take(recording: Recording, line: int, cells: list[str]) -> None:
    try:
        row = _row(recording.columns, cells)
    except (ValueError, OverflowError) as reason:
        recording.bad_rows += 1
        if len(recording.bad_lines) < REMEMBERED_BAD_ROWS:
            recording.bad_lines.append(f"line {line}: {reason}")
        return
    if len(recording.rows) >= MOST_ROWS:
        raise RecordingInvalid(
            f"{recording.path.name}, line {line}: more than {MOST_ROWS:,} rows", hint="replay it in parts"
        )
    recording.rows.append(row)


def _row(columns: list[Column], cells: list[str]) -> Row:
    if len(cells) != len(columns) + 1:
        raise ValueError(f"{len(cells)} cells where the header has {len(columns) + 1}")
    values = {column.key: _number(cell) for column, cell in zip(columns, cells[1:], strict=True) if cell.strip() != ""}
    if not values:
        raise ValueError("no value")
    return Row(_time(cells[0].strip()), values)


def _number(cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        raise ValueError(f"not a number: {cell[:40]!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"not a finite number: {cell[:40]!r}")
    return number


def _time(cell: str) -> int:
    """Return µs since 1970 of ISO 8601 (UTC where no zone is given) or of epoch seconds or milliseconds."""
    try:
        number = float(cell)
    except ValueError:
        return _iso_time(cell)
    if not math.isfinite(number):
        raise ValueError(f"not a time: {cell[:40]!r}")
    seconds = number / 1000 if abs(number) >= MILLISECONDS_FROM else number
    return round(seconds * 1e6)


def _iso_time(cell: str) -> int:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"not a time: {cell[:40]!r}") from None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
