"""Packed C structs: frames of one declared size, many at once into columns, no header and no separator between them.

A layout is a format of the ``struct`` module with a fixed byte order and a name for each field; contract D's sixteen
bytes are one of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mooring.kernel.errors import Invalid

MAX_FIELDS = 64
_FIELD = re.compile(r"(\d{0,3})([xbB?hHiIqQefd])")
_NUMPY = {
    "b": "i1",
    "B": "u1",
    "?": "u1",
    "h": "i2",
    "H": "u2",
    "i": "i4",
    "I": "u4",
    "q": "i8",
    "Q": "u8",
    "e": "f2",
    "f": "f4",
    "d": "f8",
}
_ORDERS = {"<": "<", ">": ">", "!": ">"}


class Layout:
    """One struct: its size, its fields, and how to read any number of them at once."""

    def __init__(self, form: str, names: Sequence[str]) -> None:
        """Take a format such as ``<ffff``; raises ``Invalid`` if it is not one, or names do not fit its fields."""
        self.form = form
        self.names = tuple(names)
        kinds, offsets, self.size = _parsed(form, self.names)
        told: Any = {"names": self.names, "formats": kinds, "offsets": offsets, "itemsize": self.size}
        self._dtype: np.dtype[np.void] = np.dtype(told)

    def coarse(self, name: str) -> bool:
        """Tell whether a field holds single precision or less: too coarse for seconds since 1970."""
        kind = self._dtype[name]
        return bool(kind.kind == "f" and kind.itemsize < 8)

    def decode(self, data: bytes | bytearray | memoryview) -> dict[str, NDArray[np.float64]]:
        """Return whole frames as a column per field, in double precision; raises ``Invalid`` if bytes are left over."""
        if len(data) % self.size:
            raise Invalid(f"not whole frames of {self.size} bytes: {len(data)} bytes")
        rows = np.frombuffer(data, self._dtype)
        # A float that signals it is none is no fault of the processor: whoever stores it looks for it.
        with np.errstate(invalid="ignore"):
            return {name: rows[name].astype(np.float64) for name in self.names}

    def rows(self, data: bytes) -> list[dict[str, Any]]:
        """Return whole frames as objects, integers as integers; a number that is not finite is left out."""
        if len(data) % self.size:
            raise Invalid(f"not whole frames of {self.size} bytes: {len(data)} bytes")
        columns = [np.frombuffer(data, self._dtype)[name].tolist() for name in self.names]
        return [
            {name: value for name, value in zip(self.names, row, strict=True) if value - value == 0}
            for row in zip(*columns, strict=True)
        ]

    def encode(self, *values: float) -> bytes:
        """Return one frame; for tests, examples and whoever has to speak the same struct."""
        return struct.pack(self.form, *values)


def _parsed(form: str, names: Sequence[str]) -> tuple[list[str], list[int], int]:
    """Return NumPy's name of each field's type, its place, and the size of the whole."""
    order = _ORDERS.get(form[:1])
    if order is None:
        raise Invalid(f"the struct has no byte order: {form[:40]!r}", hint="begin with < or >")
    kinds: list[str] = []
    offsets: list[int] = []
    size, at = 0, 1
    while at < len(form):
        match = _FIELD.match(form, at)
        if match is None:
            raise Invalid(f"not a struct of numbers: {form[:40]!r}", hint="b B ? h H i I q Q e f d, x to skip a byte")
        at = match.end()
        repeat, letter = int(match[1] or 1), match[2]
        width = struct.calcsize(f"<{letter}")
        if letter != "x":
            kinds += [order + _NUMPY[letter]] * repeat
            offsets += [size + i * width for i in range(repeat)]
        size += repeat * width
        if len(kinds) > MAX_FIELDS:
            raise Invalid(f"a struct may have at most {MAX_FIELDS} fields")
    if not kinds or len(kinds) != len(names) or len(set(names)) != len(names):
        raise Invalid(f"a struct of {len(kinds)} fields needs as many different names, not {len(names)}")
    return kinds, offsets, size


BATTERY = Layout("<ffff", ("timestamp", "pack_voltage", "pack_current", "cell_temp"))
