"""CBOR (RFC 8949) into the values JSON knows, plus bytes. Strict: one item, no unknown simple values, bounded depth.

Tags are read through: 0 and 1 leave their text or number, 2 and 3 become integers, all others leave what they tag.
"""

from __future__ import annotations

import struct
from typing import Any

from mooring.kernel.errors import Invalid

MAX_DEPTH = 20
MAX_BIG = 64
_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_MAPPABLE = (str, int, float, bool, type(None), bytes)


def decode(data: bytes) -> Any:
    """Return the one item in `data`; raises ``Invalid`` saying where it is wrong."""
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except UnicodeDecodeError:
        raise Invalid(f"not CBOR: text is not UTF-8, before byte {reader.at}") from None
    if value is _BREAK:
        raise Invalid("not CBOR: a break without a beginning")
    if reader.at != len(data):
        raise Invalid(f"not CBOR: {len(data) - reader.at} bytes are left over")
    return value


class _Reader:
    """A place in the bytes, moving on."""

    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data

    def item(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Invalid(f"not CBOR: nested deeper than {MAX_DEPTH}")
        first = self._take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            return self._simple(low)
        size = self._size(low, endless=major in (2, 3, 4, 5))
        if major == 0:
            return size
        if major == 1:
            return -1 - self._sized(size)
        if major in (2, 3):
            return self._string(major, size)
        if major == 4:
            return self._array(size, depth)
        if major == 5:
            return self._map(size, depth)
        return _untagged(self._sized(size), self._inner(depth))

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise Invalid(f"not CBOR: ends in the middle of an item, at byte {len(self._data)}")
        part = self._data[self.at : end]
        self.at = end
        return part

    def _size(self, low: int, *, endless: bool) -> int | None:
        """Return the number in an item's head; None for one that goes on until a break."""
        if low < 24:
            return low
        if low < 28:
            return int.from_bytes(self._take(1 << (low - 24)), "big")
        if low == 31 and endless:
            return None
        raise Invalid(f"not CBOR: reserved length {low} before byte {self.at}")

    def _sized(self, size: int | None) -> int:
        if size is None:
            raise Invalid(f"not CBOR: no length before byte {self.at}")
        return size

    def _simple(self, low: int) -> Any:
        if low in _FLOATS:
            form, count = _FLOATS[low]
            return struct.unpack(form, self._take(count))[0]
        if low in _SIMPLE:
            return _SIMPLE[low]
        if low == 31:
            return _BREAK
        raise Invalid(f"not CBOR: unknown simple value before byte {self.at}")

    def _string(self, major: int, size: int | None) -> str | bytes:
        if size is not None:
            part = self._take(size)
            return part.decode() if major == 3 else part
        parts = []
        while True:
            first = self._take(1)[0]
            if first == 0xFF:
                break
            if first >> 5 != major:
                raise Invalid(f"not CBOR: a piece of another kind before byte {self.at}")
            piece = self._take(self._sized(self._size(first & 31, endless=False)))
            parts.append(piece.decode() if major == 3 else piece)
        return "".join(map(str, parts)) if major == 3 else b"".join(bytes(part) for part in parts)  # type: ignore[arg-type]

    def _inner(self, depth: int) -> Any:
        value = self.item(depth + 1)
        if value is _BREAK:
            raise Invalid(f"not CBOR: a break in the wrong place before byte {self.at}")
        return value

    def _array(self, size: int | None, depth: int) -> list[Any]:
        if size is not None:
            self._check_room(size)
            return [self._inner(depth) for _ in range(size)]
        found = []
        while (value := self.item(depth + 1)) is not _BREAK:
            found.append(value)
        return found

    def _map(self, size: int | None, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        if size is not None:
            self._check_room(2 * size)
        while size is None or len(found) < size:
            key = self.item(depth + 1)
            if key is _BREAK and size is None:
                break
            if not isinstance(key, _MAPPABLE) or key in found:
                raise Invalid(f"not CBOR: a key that is none, or stands twice, before byte {self.at}")
            found[key] = self._inner(depth)
        return found

    def _check_room(self, items: int) -> None:
        """Refuse a length that the bytes left over cannot hold, before anything is made of it."""
        if items > len(self._data) - self.at:
            raise Invalid(f"not CBOR: {items} items in {len(self._data) - self.at} bytes")


def _untagged(tag: int, value: Any) -> Any:
    if tag in (2, 3):
        if not isinstance(value, bytes) or len(value) > MAX_BIG:
            raise Invalid("not CBOR: a big number that is none")
        number = int.from_bytes(value, "big")
        return number if tag == 2 else -1 - number
    return value
