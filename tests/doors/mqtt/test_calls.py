"""Calls in flight: delivered once, answered once, ended in time, bounded."""

from __future__ import annotations

import asyncio

import pytest

from mooring.doors.devices.calls import MAX_CALLS_PER_DEVICE, Call, Calls, CallTimedOut, TooManyCalls


async def test_call_goes_to_the_newest_ear_and_its_answer_comes_back() -> None:
    calls, old, new = Calls(), [], []
    calls.listen("d", old.append)
    calls.listen("d", new.append)
    asking = asyncio.create_task(calls.ask("d", "m", {"x": 1}, timeout_s=5))
    await asyncio.sleep(0)
    assert (old, [(call.number, call.method, call.params) for call in new]) == ([], [(0, "m", {"x": 1})])
    assert calls.answer("d", 0, "yes")
    assert not calls.answer("d", 0, "again")
    assert await asking == "yes"
    assert not calls.answer("d", 0, "late")


async def test_call_waits_for_an_ear_in_order() -> None:
    calls, heard = Calls(), []
    asking = [asyncio.create_task(calls.ask("d", f"m{n}", None, timeout_s=5, oneway=True)) for n in range(3)]
    await asyncio.sleep(0)
    calls.listen("d", lambda call: (heard.append(call.method), call.arrived()))
    await asyncio.gather(*asking)
    assert heard == ["m0", "m1", "m2"]


async def test_call_ends_in_time_and_tells_whether_the_device_was_there() -> None:
    calls: Calls = Calls()
    with pytest.raises(CallTimedOut, match="was not there"):
        await calls.ask("d", "m", None, timeout_s=0.01)
    heard: list[Call] = []
    calls.listen("d", heard.append)
    assert heard == [], "what has ended is not delivered"

    def ear(call: Call) -> None:
        call.arrived()

    calls.listen("d", ear)
    with pytest.raises(CallTimedOut, match="did not answer"):
        await calls.ask("d", "m", None, timeout_s=0.01)
    calls.leave("d", ear)
    with pytest.raises(CallTimedOut):
        await calls.ask("d", "m", None, timeout_s=0.01)
    assert len(heard) == 1


async def test_calls_that_wait_are_bounded() -> None:
    calls = Calls()
    asking = [asyncio.create_task(calls.ask("d", "m", n, timeout_s=5)) for n in range(MAX_CALLS_PER_DEVICE)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyCalls):
        await calls.ask("d", "m", None, timeout_s=5)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    with pytest.raises(CallTimedOut):
        await calls.ask("d", "m", None, timeout_s=0.01)
