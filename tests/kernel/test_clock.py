"""Times: microseconds since 1970 and back without loss, and one way to write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.adapters.clock import SystemClock
from mooring.kernel.clock import EPOCH, from_us, iso, to_us

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_microseconds_lose_nothing(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert datetime.fromisoformat(iso(moment)) == moment


def test_a_time_is_written_in_utc_with_milliseconds_at_least() -> None:
    assert iso(EPOCH) == "1970-01-01T00:00:00.000Z"
    assert iso(EPOCH + timedelta(milliseconds=250)) == "1970-01-01T00:00:00.250Z"
    assert iso(EPOCH + timedelta(microseconds=1)) == "1970-01-01T00:00:00.000001Z"
    assert iso(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("us", [2**63 - 1, -(2**63), 253_402_300_800_000_000])
def test_beyond_the_calendar_is_an_error(us: int) -> None:
    with pytest.raises(OverflowError):
        from_us(us)


async def test_the_systems_clock_agrees_with_itself() -> None:
    clock = SystemClock()
    assert abs(to_us(clock.now()) - clock.now_us()) < 5_000_000
    assert clock.now().tzinfo is not None
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
