"""The Clock port: the only way any room learns what time it is or waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def now_us(self) -> int:
        """Return the wall time in microseconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of monotonic time."""


def to_us(moment: datetime) -> int:
    """Return microseconds since 1970 UTC of an aware `moment`, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(moment_us: int) -> datetime:
    """Return the aware UTC time of microseconds since 1970; raises OverflowError outside years 1–9999."""
    return EPOCH + timedelta(microseconds=moment_us)


def iso(moment: datetime) -> str:
    """Return ISO 8601 in UTC with a ``Z`` and milliseconds (microseconds when they say more)."""
    utc = moment.astimezone(UTC)
    spec = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")
