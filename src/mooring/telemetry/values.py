"""How a stored value becomes the value its device meant, and which aggregates exist."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mooring.kernel.errors import Invalid
from mooring.telemetry.series import AGGREGATES, KIND_BIG, KIND_BOOL, KIND_INT, KIND_JSON

_PERCENTILE = re.compile(r"p(100|[0-9]{1,2}(\.[0-9]{1,3})?)")


def value_from(kind: int, stored: Any) -> Any:
    """Return the value behind a stored number or text of `kind`."""
    if kind == KIND_BOOL:
        return bool(stored)
    if kind in (KIND_INT, KIND_BIG):
        return int(stored)
    return msgspec.json.decode(stored) if kind == KIND_JSON else stored


def check_aggregate(name: str) -> str:
    """Return `name` if it is an aggregate (avg, min, …, p50, p99.9); raises ``Invalid`` with what there is."""
    if name in AGGREGATES or _PERCENTILE.fullmatch(name):
        return name
    raise Invalid(f"unknown aggregate: {name[:40]}", hint=f"one of {', '.join(AGGREGATES)}, p50, p95, …")
