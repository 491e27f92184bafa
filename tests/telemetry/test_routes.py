"""Times in addresses: ISO 8601 and epoch in seconds or milliseconds, within what a date can say."""

from __future__ import annotations

import pytest

from mooring.kernel.errors import Invalid
from mooring.telemetry.routes import moment_us

NOON = 1_790_000_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "1790000000",
        "1790000000.0",
        "1.79e9",
        "1790000000000",
        "2026-09-21T14:13:20Z",
        "2026-09-21T14:13:20+00:00",
        "2026-09-21T14:13:20 00:00",
        "2026-09-21T16:13:20+02:00",
        "2026-09-21T14:13:20",
        "2026-09-21 14:13:20",
    ],
)
def test_every_spelling_of_a_time_is_the_same_time(text: str) -> None:
    assert moment_us("start_date", text) == NOON


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_is_no_time(text: str | None) -> None:
    assert moment_us("start_date", text) is None


@pytest.mark.parametrize(
    "text", ["yesterday", "nan", "inf", "-inf", "1e300", "9" * 40, "2026-13-01", "10000-01-01", "\0"]
)
def test_what_is_no_time_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(Invalid, match="end_date"):
        moment_us("end_date", text)
