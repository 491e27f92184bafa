"""InfluxDB line protocol: ``measurement,tag=value field=value,field=value time``, a point a line.

Every line stands for itself: one that is wrong spoils no other, and is named with its number and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mooring.kernel.errors import Invalid

MAX_LINES = 20_000
MAX_LINE = 65_536
PRECISIONS = {
    "ns": 1 / 1000,
    "n": 1 / 1000,
    "us": 1,
    "u": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
}
_TRUTHS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,20}")
# A piece ends at its sign unless a backslash stands before it.
_MEASUREMENT = re.compile(r"(?:[^, \\]|\\.|\\$)+")
_KEY = re.compile(r"(?:[^,= \\]|\\.|\\$)+")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^, ]+")
_ESCAPED = re.compile(r"\\([,= ])")
_QUOTED = re.compile(r'\\(["\\])')


class Point(NamedTuple):
    """One line: what was measured where, and when (µs since 1970), if it says so."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | int | bool | str]
    at_us: int | None


class Fault(NamedTuple):
    """A line that is none, and why; lines count from 1."""

    line: int
    reason: str


def decode(data: bytes, precision: str = "ns") -> tuple[list[Point], list[Fault]]:
    """Return the points of `data` and the lines that are none; raises ``Invalid`` if it is no text, or too much."""
    scale = PRECISIONS.get(precision)
    if scale is None:
        raise Invalid(f"unknown precision: {precision[:20]}", hint="ns, us, ms, s, m or h")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Invalid("line protocol is UTF-8") from None
    points: list[Point] = []
    faults: list[Fault] = []
    for number, line in enumerate(_lines(text), 1):
        if number > MAX_LINES:
            raise Invalid(f"more than {MAX_LINES} lines")
        stripped = line.strip(" \r\t\n")
        if not stripped or stripped.startswith("#"):
            continue
        try:
            points.append(_point(stripped, scale))
        except Invalid as error:
            faults.append(Fault(number, error.message))
    return points, faults


def _lines(text: str) -> list[str]:
    """Return lines; a line break inside a quoted text does not end one."""
    if '"' not in text:
        return text.split("\n")
    lines: list[str] = []
    for part in text.split("\n"):
        if lines and _open_text(lines[-1]) and len(lines[-1]) < MAX_LINE:
            lines[-1] += "\n" + part
        else:
            lines.append(part)
    return lines


def _open_text(line: str) -> bool:
    if line.lstrip().startswith("#"):
        return False
    return (line.count('"') - line.count('\\"')) % 2 == 1


def _point(line: str, scale: float) -> Point:
    if len(line) > MAX_LINE:
        raise Invalid(f"longer than {MAX_LINE} characters")
    measurement, at = _piece(_MEASUREMENT, line, 0, "measurement")
    tags: dict[str, str] = {}
    while line[at : at + 1] == ",":
        name, at = _piece(_KEY, line, at + 1, "tag")
        value, at = _piece(_KEY, line, _equals(line, at), "tag value")
        tags[_bare(name)] = _bare(value)
    fields: dict[str, float | int | bool | str] = {}
    at = _gap(line, at, "fields")
    while True:
        name, at = _piece(_KEY, line, at, "field")
        value_of, at = _field(line, _equals(line, at))
        fields[_bare(name)] = value_of
        if line[at : at + 1] != ",":
            break
        at += 1
    return Point(_ESCAPED.sub(r"\1", measurement), tags, fields, _time(line[at:], scale))


def _piece(pattern: re.Pattern[str], line: str, at: int, what: str) -> tuple[str, int]:
    match = pattern.match(line, at)
    if match is None:
        raise Invalid(f"no {what} at character {at + 1}")
    return match[0], match.end()


def _equals(line: str, at: int) -> int:
    if line[at : at + 1] != "=":
        raise Invalid(f"no = at character {at + 1}")
    return at + 1


def _gap(line: str, at: int, what: str) -> int:
    if line[at : at + 1] != " ":
        raise Invalid(f"no {what} at character {at + 1}")
    return len(line) - len(line[at:].lstrip(" "))


def _bare(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)


def _field(line: str, at: int) -> tuple[float | int | bool | str, int]:
    if line[at : at + 1] == '"':
        match = _TEXT.match(line, at)
        if match is None:
            raise Invalid(f"text that does not end, from character {at + 1}")
        return _QUOTED.sub(r"\1", match[1]), match.end()
    said, end = _piece(_BARE, line, at, "value")
    if said in _TRUTHS:
        return _TRUTHS[said], end
    if said[-1:] in "iu" and _WHOLE.fullmatch(said[:-1]) and not (said[-1] == "u" and said[0] == "-"):
        return _checked(int(said[:-1]), said), end
    if _NUMBER.fullmatch(said):
        return _finite(said), end
    raise Invalid(f"not a value: {said[:40]}")


def _checked(value: int, said: str) -> int:
    low, high = (0, 2**64 - 1) if said[-1] == "u" else (-(2**63), 2**63 - 1)
    if not low <= value <= high:
        raise Invalid(f"integer outside 64 bits: {said[:40]}")
    return value


def _finite(said: str) -> float:
    value = float(said)
    if value - value != 0:
        raise Invalid(f"not a finite number: {said[:40]}")
    return value


def _time(rest: str, scale: float) -> int | None:
    said = rest.strip(" ")
    if not said:
        return None
    if rest[:1] != " " or not _WHOLE.fullmatch(said):
        raise Invalid(f"not a time: {said[:40]}")
    value = int(said)
    return value // 1000 if scale < 1 else value * int(scale)


Key = Callable[[Point, str], str]


def series_of(point: Point, field: str, *, besides: tuple[str, ...] = ()) -> str:
    """Return the name of a field's series: measurement, values of its tags, field; ``value`` goes without saying."""
    parts = [point.measurement, *(value for name, value in sorted(point.tags.items()) if name not in besides)]
    return ".".join(parts if field == "value" else [*parts, field])


def readings_of(point: Point, key: Key) -> list[dict[str, Any]]:
    """Return a point as native readings, each under the name `key` gives it."""
    stamp = {} if point.at_us is None else {"timestamp": point.at_us}
    # An unsigned integer beyond 63 bits is kept as the float nearest to it.
    return [
        {"sensor_type": key(point, name), "value": float(value) if _is_huge(value) else value, **stamp}
        for name, value in point.fields.items()
    ]


def _is_huge(value: float | int | bool | str) -> bool:
    return isinstance(value, int) and value >= 1 << 63
