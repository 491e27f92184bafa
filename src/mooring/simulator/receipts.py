"""What a receipt means for the one who waits for it: done, or not now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PASSING_CODES = frozenset(
    {"storage_full", "storage_failed", "storage_unavailable", "unavailable", "not_ready", "queue_full", "exhausted"}
)
"""Refusals that blame the state of the server, not the frame: it is kept and tried again."""


def code_of(reason: object) -> str:
    """Return the stable code of a reason, which stands before its colon."""
    return str(reason or "").partition(":")[0].strip()


def comes_again(receipt: Mapping[str, Any]) -> bool:
    """Say whether the frame of this receipt should be sent again later."""
    status = receipt.get("status")
    return status == "throttled" or (status == "rejected" and code_of(receipt.get("reason")) in PASSING_CODES)


def retry_after_s(receipt: Mapping[str, Any], otherwise: float) -> float:
    """Return the seconds the server asked for, or `otherwise`."""
    told = receipt.get("retry_after_s")
    return float(told) if isinstance(told, int | float) and told >= 0 else otherwise
