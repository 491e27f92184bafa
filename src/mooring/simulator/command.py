"""The fleet as a command of its own: an event loop, and Ctrl-C as a request to finish well."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from mooring.kernel.clock import Clock
from mooring.simulator.fleet import FleetOptions, Report, run_fleet
from mooring.simulator.tally import Tally


def simulate(options: FleetOptions, clock: Clock, report: Report | None = None) -> Tally:
    """Run a fleet until Ctrl-C, SIGTERM or its duration, deliver what is outstanding, and return the counters."""
    return asyncio.run(_until_signalled(options, clock, report))


async def _until_signalled(options: FleetOptions, clock: Clock, report: Report | None) -> Tally:
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
    return await run_fleet(options, clock, report, stop)
