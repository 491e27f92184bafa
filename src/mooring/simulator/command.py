"""The fleet as a command of its own: an event loop, and Ctrl-C as a request to finish well."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

from mooring.kernel.clock import Clock
from mooring.simulator.fleet import FleetOptions, Report, run_fleet
from mooring.simulator.tally import Tally
from mooring.simulator.united import UnitedOptions, run_united


def simulate(options: FleetOptions, clock: Clock, report: Report | None = None) -> Tally:
    """Run a fleet until Ctrl-C, SIGTERM or its duration, deliver what is outstanding, and return the counters."""
    return asyncio.run(_until_signalled(lambda stop: run_fleet(options, clock, report, stop)))


def simulate_united(options: UnitedOptions, clock: Clock, report: Report | None = None) -> Tally:
    """Run robots of contract C, in the same way."""
    return asyncio.run(_until_signalled(lambda stop: run_united(options, clock, report, stop)))


async def _until_signalled(run: Callable[[asyncio.Event], Awaitable[Tally]]) -> Tally:
    stop = asyncio.Event()
    task = asyncio.current_task()

    def ask() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Where the platform has no such handlers, Ctrl-C cancels the loop, which also closes every socket.
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, ask)
    return await run(stop)
