"""MessagePack into the values JSON knows, plus bytes. Strict: one value, no extension types but the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from mooring.kernel.errors import Invalid

MAX_DEPTH = 20


def _refuse(code: int, data: memoryview) -> Any:
    raise Invalid(f"not MessagePack: extension type {code} is not known here")


_decoder = msgspec.msgpack.Decoder(ext_hook=_refuse)


def decode(data: bytes) -> Any:
    """Return the one value in `data`; times become ISO 8601. Raises ``Invalid``."""
    try:
        return _plain(_decoder.decode(data), 0)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, TypeError, ValueError) as error:
        said = str(error).replace("MessagePack data", "value")
        raise Invalid(f"not MessagePack: {said[:1].lower()}{said[1:200]}") from None
    except RecursionError:
        raise Invalid("not MessagePack: nested too deep") from None


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Invalid(f"not MessagePack: nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return {name: _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value
