"""Rows as CSV or NDJSON, safe for the next program that opens them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Return CSV with a header; text that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def ndjson_text(rows: Sequence[dict[str, Any]]) -> str:
    """Return one JSON object a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows).decode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value if isinstance(value, int | float) else msgspec.json.encode(value).decode()
