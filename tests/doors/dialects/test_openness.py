"""Which pages may use an open dialect: those of this host and of the reader's own machine."""

from __future__ import annotations

import pytest

from mooring.doors.dialects.openness import is_neighbour


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:80", "http://fleet.lan:3000", "https://fleet.lan"],
)
def test_neighbour_may(origin: str) -> None:
    assert is_neighbour(origin, "fleet.lan:8000")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost.evil.example", "http://fleet.lan.evil.example", "null", "", "file://",
     "http://", "http://evil.example:80@fleet.lan.x", "http://[broken", "ftp://localhost"],
)  # fmt: skip
def test_stranger_may_not(origin: str) -> None:
    assert not is_neighbour(origin, "fleet.lan:8000")
