"""A batch as the bytes of PostgreSQL's binary COPY.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS: a header, then per row the number of
fields and per field its length and its bytes, big-endian; length -1 is NULL. Rows of numbers all have the same length,
so NumPy writes them at once.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import numpy as np

from mooring.telemetry.series import Columns

COLUMNS = ("at_us", "batch", "series", "quality", "row", "kind", "value", "text")
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = struct.pack(">h", -1)
_CHUNK = 1 << 20
_WIDTHS = {"at_us": 8, "batch": 8, "series": 4, "quality": 4, "row": 4, "kind": 2, "value": 8, "text": -1}
_TYPES = {
    "at_us": ">i8",
    "batch": ">i8",
    "series": ">i4",
    "quality": ">f4",
    "row": ">i4",
    "kind": ">i2",
    "value": ">f8",
}
_ROW = np.dtype(
    [("fields", ">i2")]
    + [
        field
        for name in COLUMNS
        for field in ((f"{name}_width", ">i4"), *(((name, _TYPES[name]),) if name in _TYPES else ()))
    ]
)
_TEXT_ROW = struct.Struct(">h iq iq ii if ii ih i i".replace(" ", ""))


def encode(columns: Columns, batch: int) -> bytes:
    """Return the whole COPY stream of a batch."""
    count = len(columns.series)
    rows = np.empty(count, _ROW)
    rows["fields"] = len(COLUMNS)
    for name, width in _WIDTHS.items():
        rows[f"{name}_width"] = width
    rows["at_us"], rows["batch"], rows["series"] = columns.at_us, batch, columns.series
    rows["quality"], rows["kind"], rows["value"] = columns.quality, columns.kind, columns.value
    rows["row"] = np.arange(count)
    return b"".join((_HEADER, rows.tobytes(), *_text_rows(columns, batch), _TRAILER))


def _text_rows(columns: Columns, batch: int) -> list[bytes]:
    parts: list[bytes] = []
    for row, (series, at_us, kind, text, quality) in enumerate(
        zip(
            columns.text_series,
            columns.text_at_us,
            columns.text_kind,
            columns.text_value,
            columns.text_quality,
            strict=True,
        ),
        len(columns.series),
    ):
        said = text.encode()
        fixed = (8, at_us, 8, batch, 4, series, 4, quality, 4, row, 2, kind, -1, len(said))
        parts += (_TEXT_ROW.pack(len(COLUMNS), *fixed), said)
    return parts


async def chunks(stream: bytes) -> AsyncIterator[bytes]:
    """Yield `stream` in pieces, so that the event loop gets a turn between them."""
    for start in range(0, len(stream), _CHUNK):
        yield stream[start : start + _CHUNK]


def without(columns: Columns, refused: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Columns:
    """Return the batch less the readings of refused frames (a flag per frame)."""
    if columns.row_frame is None or (columns.text_series and columns.text_frame is None):
        raise ValueError("a batch with frames must say which readings are whose: row_frame, text_frame")
    flags = np.append(refused, False)  # where -1, no frame, finds itself
    kept = ~flags[columns.row_frame]
    texts = [place for place, frame in enumerate(columns.text_frame or ()) if not flags[frame]]
    return Columns(
        received_us=columns.received_us,
        series=columns.series[kept],
        at_us=columns.at_us[kept],
        value=columns.value[kept],
        kind=columns.kind[kept],
        quality=columns.quality[kept],
        text_series=[columns.text_series[place] for place in texts],
        text_at_us=[columns.text_at_us[place] for place in texts],
        text_kind=[columns.text_kind[place] for place in texts],
        text_value=[columns.text_value[place] for place in texts],
        text_quality=[columns.text_quality[place] for place in texts],
    )
