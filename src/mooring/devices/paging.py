"""Cursors: the sort key of the last row seen, packed so that a page begins where the one before it ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from mooring.devices.bounds import is_storable
from mooring.devices.errors import QueryInvalid

MAX_LIMIT = 1000
_MAX_CURSOR_CHARS = 2048

Key = str | int


def pack(sort: str, keys: Sequence[Key]) -> str:
    """Return the cursor that continues the order `sort` after a row with `keys`."""
    return base64.urlsafe_b64encode(json.dumps([sort, *keys]).encode()).decode().rstrip("=")


def unpack(cursor: str, sort: str, kinds: Sequence[type[Key]]) -> list[Key]:
    """Return the keys in a cursor of the order `sort`, one of each of `kinds`; raises QueryInvalid."""
    try:
        if len(cursor) > _MAX_CURSOR_CHARS:
            raise ValueError
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _unreadable() from None
    if not isinstance(found, list) or len(found) != len(kinds) + 1 or found[0] != sort:
        raise _unreadable()
    return [_key(key, kind) for key, kind in zip(found[1:], kinds, strict=True)]


def checked_limit(limit: int) -> int:
    """Return `limit` if it lies between 1 and 1000."""
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryInvalid(f"limit must be between 1 and {MAX_LIMIT}: {limit}")
    return limit


def _key(value: object, kind: type[Key]) -> Key:
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if kind is str and isinstance(value, str) and is_storable(value):
        return value
    raise _unreadable()


def _unreadable() -> QueryInvalid:
    return QueryInvalid("this cursor does not belong to this list", hint="start again without cursor")
