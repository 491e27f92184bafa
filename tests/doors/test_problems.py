"""Kinds of refusal on the wire: the status, the document, and what a client needs to act on it."""

from __future__ import annotations

import json

import pytest

from mooring.doors.problems import problem, problem_of, status_of
from mooring.doors.request import BodyTooLarge, BodyTooSlow, EncodingUnsupported
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
from mooring.telemetry.errors import SeqConflict, TooManyKeys


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Invalid, 422),
        (Unauthenticated, 401),
        (Denied, 403),
        (Missing, 404),
        (Conflict, 409),
        (SeqConflict, 409),
        (Exhausted, 429),
        (TooManyKeys, 429),
        (Unavailable, 503),
        (StorageFull, 507),
        (BodyTooLarge, 413),
        (BodyTooSlow, 408),
        (EncodingUnsupported, 415),
        (MooringError, 500),
    ],
)
def test_every_kind_has_its_status(kind: type[MooringError], status: int) -> None:
    error = kind("because", hint="do this")
    assert status_of(error) == status
    told, headers, body = problem_of(error)
    document = json.loads(body)
    assert told == document["status"] == status
    assert headers["content-type"] == "application/problem+json"
    assert (document["code"], document["hint"]) == (kind.code, "do this")
    assert document["error"] == document["message"] == document["detail"] == "because"
    assert ("www-authenticate" in headers) is (status == 401)


def test_when_to_come_back_is_told_in_whole_seconds() -> None:
    assert problem_of(Exhausted("slow down", retry_after_s=0.2))[1]["retry-after"] == "1"
    assert problem_of(Exhausted("slow down", retry_after_s=7.6))[1]["retry-after"] == "8"
    assert "retry-after" not in problem_of(Exhausted("used up"))[1]


def test_every_answer_can_be_found_in_the_log() -> None:
    ids = {problem(500, "internal", "x")["request_id"] for _ in range(100)}
    assert len(ids) == 100
