"""The aggregates that read the same in DuckDB and PostgreSQL, and what becomes of a result no float can hold.

Sums are taken of values scaled by a power of two, which is exact, so that a database which treats overflow as an error
never meets one; the way back is taken here, where overflow is merely infinity, and infinity is no answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

# Room for 2⁶⁰ values in a sum.
_SCALE = 60
_TOTAL = f"sum(value * CAST('{2.0**-_SCALE!r}' AS DOUBLE PRECISION))"
_SCALED = {"avg", "sum"}
# Beyond it the square of a value does not fit.
_SQUARABLE = "CAST('1e150' AS DOUBLE PRECISION)"

SHARED = {
    "avg": f"{_TOTAL} / nullif(count(value), 0)",
    "min": "min(value)",
    "max": "max(value)",
    "sum": _TOTAL,
    "count": "count(*)",
    "stddev": f"CASE WHEN max(abs(value)) < {_SQUARABLE} "
    f"THEN stddev_samp(value) FILTER (WHERE abs(value) < {_SQUARABLE}) END",
}


def fraction_of(percentile: str) -> float:
    """Return 0.95 of ``p95``."""
    return float(percentile[1:]) / 100


def answers(names: Sequence[str], values: Sequence[Any]) -> tuple[float | int | None, ...]:
    """Return the aggregates `names` of what the database computed; None where no finite number comes out."""
    return tuple(_answer(value, name in _SCALED) for name, value in zip(names, values, strict=True))


def _answer(value: float | None, scaled: bool) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    found = value * 2.0**_SCALE if scaled else value
    return found if math.isfinite(found) else None
