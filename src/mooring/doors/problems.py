"""Refusals on the wire: kinds of error to HTTP statuses and RFC 9457 problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from mooring.kernel.errors import (
    Conflict,
    Denied,
    Exhausted,
    Invalid,
    Missing,
    MooringError,
    StorageFull,
    Unauthenticated,
    Unavailable,
)
from mooring.wire import json

PROBLEM_JSON = "application/problem+json"
_STATUS: tuple[tuple[type[MooringError], int], ...] = (
    (Invalid, 422),
    (Unauthenticated, 401),
    (Denied, 403),
    (Missing, 404),
    (Conflict, 409),
    (Exhausted, 429),
    (StorageFull, 507),
    (Unavailable, 503),
)


_BY_CODE = {"body_too_large": 413, "body_too_slow": 408, "unsupported_encoding": 415}


def status_of(error: MooringError) -> int:
    """Return the HTTP status of an error: some facts of HTTP have their own, the rest goes by kind."""
    return _BY_CODE.get(error.code) or next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(status: int, code: str, message: str, *, hint: str | None = None) -> dict[str, Any]:
    """Return a problem document; ``error`` repeats the message for clients of the older systems."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "code": code,
        "error": message,
        "message": message,
        "request_id": uuid4().hex,
    }
    if hint:
        body["hint"] = hint
    return body


def problem_of(error: MooringError) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body for a refusal."""
    status = status_of(error)
    headers = {"content-type": PROBLEM_JSON}
    if isinstance(error, Exhausted) and error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return status, headers, json.encode(problem(status, error.code, error.message, hint=error.hint))
