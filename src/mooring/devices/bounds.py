"""The bounds of what people and devices write about a device: storable text, small documents, long tokens."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from mooring.devices.errors import FieldInvalid, QueryInvalid
from mooring.devices.model import DeviceQuery, NewDevice

MIN_TOKEN_CHARS = 16
MAX_TOKEN_CHARS = 256
MAX_CONFIGURATION_BYTES = 65_536
MAX_DEPTH = 16
MAX_SEARCH_BYTES = 1500
SEVERITIES = ("debug", "info", "warning", "error", "critical")
_INT_LIMIT = 2**63
_WHITE_CONTROLS = frozenset("\n\r\t")


def text(value: object, field: str, *, longest: int, lines: bool = False) -> str:
    """Return `value` stripped, at most `longest` characters, free of control characters and lone surrogates."""
    if not isinstance(value, str):
        raise FieldInvalid(f"{field} must be text")
    stripped = value.strip()
    if len(stripped) > longest:
        raise FieldInvalid(f"{field} is too long: {len(stripped)} characters, at most {longest}")
    allowed = _WHITE_CONTROLS if lines else frozenset()
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in stripped):
        raise FieldInvalid(f"{field} holds characters that are not text")
    return stripped


def is_storable(value: str) -> bool:
    """Tell whether every database can hold `value`: PostgreSQL has no U+0000, none has half a surrogate pair."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def clipped(value: object, longest: int) -> str:
    """Return what a device wrote as storable text: unprintable characters become ``\ufffd``, the rest is cut off."""
    said = value if isinstance(value, str) else str(value)
    kept = said[:longest]
    if kept.isprintable():
        return kept
    bad = ("Cc", "Cs")
    return "".join("\ufffd" if unicodedata.category(c) in bad and c not in _WHITE_CONTROLS else c for c in kept)


def severity(value: str | None) -> str:
    """Return a known severity; what a device invents counts as ``info``."""
    lowered = (value or "info").lower()
    return lowered if lowered in SEVERITIES else "info"


def token(value: object) -> str:
    """Return a device's own token if it is long enough to be a secret and fits a header."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise FieldInvalid("auth_token must be printable ASCII without spaces")
    if not MIN_TOKEN_CHARS <= len(value) <= MAX_TOKEN_CHARS:
        raise FieldInvalid(f"auth_token must have {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} characters: {len(value)}")
    return value


def document(value: object, field: str, *, longest: int = MAX_CONFIGURATION_BYTES) -> dict[str, Any]:
    """Return a JSON object that is small, shallow and finite, as a plain dict."""
    if not isinstance(value, Mapping):
        raise FieldInvalid(f"{field} must be a JSON object")
    plain = dict(value)
    _check_leaf(plain, field, MAX_DEPTH)
    size = len(json.dumps(plain, ensure_ascii=False).encode())
    if size > longest:
        raise FieldInvalid(f"{field} is too large: {size} bytes, at most {longest}")
    return plain


def _check_leaf(value: object, field: str, depth: int) -> None:
    if depth < 0:
        raise FieldInvalid(f"{field} is nested too deeply: at most {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_string(key, field)
            _check_leaf(item, field, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check_leaf(item, field, depth - 1)
    else:
        _check_scalar(value, field)


def _check_scalar(value: object, field: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_string(value, field)
    elif isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise FieldInvalid(f"{field} holds an integer beyond 64 bits")
    elif not isinstance(value, float) or not math.isfinite(value):
        raise FieldInvalid(f"{field} holds a value JSON does not know")


def _check_string(value: object, field: str) -> None:
    if not isinstance(value, str) or not is_storable(value):
        raise FieldInvalid(f"{field} holds characters that are not text")


def _name(value: object) -> str:
    name = text(value, "name", longest=200)
    if not name:
        raise FieldInvalid("name must not be empty")
    return name


def _optional(field: str, longest: int) -> Callable[[object], str | None]:
    return lambda value: None if value is None else text(value, field, longest=longest) or None


CHECKS: Mapping[str, Callable[[object], Any]] = {
    "name": _name,
    "device_type": lambda value: text(value, "type", longest=64) or "generic",
    "description": lambda value: text(value, "description", longest=2000, lines=True),
    "ip_address": _optional("ip_address", 64),
    "mac_address": _optional("mac_address", 64),
    "firmware_version": _optional("firmware_version", 128),
    "group_id": _optional("group_id", 64),
    "configuration": lambda value: document(value, "configuration"),
}


def query(asked: DeviceQuery) -> DeviceQuery:
    """Return `asked` if its filters are text a database can compare; raises QueryInvalid."""
    for name in ("status", "device_type", "group_id", "q"):
        value = getattr(asked, name)
        if value is not None and (len(value) > 200 or not is_storable(value)):
            raise QueryInvalid(f"{name} is not a text to look for")
    return asked


def changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `given` that a person may change, each checked; others are left out."""
    return {field: check(given[field]) for field, check in CHECKS.items() if field in given}


def fields_of(new: NewDevice) -> dict[str, Any]:
    """Return the checked columns of a device to be registered."""
    return {field: check(getattr(new, field)) for field, check in CHECKS.items()}


def search_text(fields: Mapping[str, Any]) -> str:
    """Return what ``q`` looks through: casefolded here, because the two databases fold letters differently."""
    names = ("name", "device_type", "id", "ip_address", "mac_address", "description")
    folded = "\n".join(str(fields[name]) for name in names if fields.get(name)).casefold()
    return folded.encode()[:MAX_SEARCH_BYTES].decode(errors="ignore")
