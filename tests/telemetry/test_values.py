"""Stored values become what the device meant; only known aggregates exist."""

from __future__ import annotations

from typing import Any

import pytest

from mooring.kernel.errors import Invalid
from mooring.telemetry.series import (
    AGGREGATES,
    KIND_BIG,
    KIND_BOOL,
    KIND_FLOAT,
    KIND_INT,
    KIND_JSON,
    KIND_TEXT,
)
from mooring.telemetry.values import check_aggregate, value_from


@pytest.mark.parametrize(
    ("kind", "stored", "meant"),
    [
        (KIND_FLOAT, 21.5, 21.5),
        (KIND_INT, 3.0, 3),
        (KIND_INT, -(2.0**53), -(2**53)),
        (KIND_BOOL, 1.0, True),
        (KIND_BOOL, 0.0, False),
        (KIND_TEXT, "3", "3"),
        (KIND_JSON, '{"a":[1,null]}', {"a": [1, None]}),
        (KIND_JSON, "[]", []),
        (KIND_BIG, "9223372036854775807", 2**63 - 1),
        (KIND_BIG, "-9223372036854775808", -(2**63)),
    ],
)
def test_a_stored_value_becomes_what_was_meant(kind: int, stored: Any, meant: Any) -> None:
    found = value_from(kind, stored)
    assert (type(found), found) == (type(meant), meant)


@pytest.mark.parametrize("name", [*AGGREGATES, "p0", "p5", "p50", "p95", "p99.9", "p99.999", "p100"])
def test_known_aggregates_are_accepted(name: str) -> None:
    assert check_aggregate(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "AVG",
        "p",
        "p101",
        "p-1",
        "p1e1",
        "p99.9999",
        "p50)",
        "median; DROP TABLE series",
        "avg(value)",
        "p५०",
        " p5",
    ],
)
def test_other_aggregates_are_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(Invalid, match="unknown aggregate") as refusal:
        check_aggregate(name)
    assert "avg" in str(refusal.value.hint)
