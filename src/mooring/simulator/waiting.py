"""Waits that end early: by an event or by the clock, whichever comes first."""

from __future__ import annotations

import asyncio
import random

from mooring.kernel.clock import Clock


async def wait_until(event: asyncio.Event, clock: Clock, seconds: float | None) -> bool:
    """Wait for `event`, at most `seconds` of `clock`; say whether it is set."""
    if seconds is None:
        await event.wait()
        return True
    if event.is_set() or seconds <= 0:
        return event.is_set()
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    waking = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        waking.cancel()
    return event.is_set()


class Patience:
    """Waits between tries of a request; ends at once when the run is to stop."""

    LONGEST_S = 10.0
    LONGEST_TOLD_S = 60.0

    def __init__(self, clock: Clock, rng: random.Random, stop: asyncio.Event | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._stop = stop or asyncio.Event()

    @property
    def over(self) -> bool:
        """True when the run is to stop."""
        return self._stop.is_set()

    async def wait(self, attempt: int, told_s: float | None = None) -> bool:
        """Wait before the try after `attempt`, or as long as the server told; say whether there is to be one."""
        bound = min(self.LONGEST_S, 0.25 * 2.0 ** min(attempt, 20))
        wait_s = bound * self._rng.uniform(0.5, 1.0) if told_s is None else min(told_s, self.LONGEST_TOLD_S)
        return not await wait_until(self._stop, self._clock, wait_s)


class Backoff:
    """Doubling waits with jitter, so a fleet that lost its server does not come back in one wave."""

    def __init__(self, rng: random.Random, *, first_s: float = 0.5, longest_s: float = 30.0) -> None:
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """Return how long to wait now: between half and all of a bound that doubles each time."""
        bound = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 20))
        self._failures += 1
        return bound * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start small again."""
        self._failures = 0
