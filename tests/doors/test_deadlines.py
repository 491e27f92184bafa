"""Coarse deadlines: they end what takes too long, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from mooring.doors import deadlines
from mooring.doors.deadlines import within


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "SWEEP_S", 0.02)


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError), within(0.06):
        await asyncio.sleep(10)
    await asyncio.sleep(0)


async def test_what_is_quick_is_left_alone() -> None:
    with within(0.06):
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.2)


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def work() -> None:
        with within(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_wait_at_once_each_for_itself() -> None:
    async def one(seconds: float) -> str:
        try:
            with within(0.1):
                await asyncio.sleep(seconds)
        except TimeoutError:
            return "late"
        return "in time"

    ends = await asyncio.gather(*(one(0.01 if number % 2 else 5) for number in range(50)))
    assert ends == ["late", "in time"] * 25


async def test_a_fault_inside_comes_out_as_itself() -> None:
    with pytest.raises(ValueError, match="mine"), within(1):
        raise ValueError("mine")
