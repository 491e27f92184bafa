"""``mooring simulate --united``: robots of contract C, registered with an API key or given by serial and token."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError
from mooring.simulator.errors import FleetOptionsInvalid
from mooring.simulator.fleet import Report
from mooring.simulator.http_client import Address, HttpClient
from mooring.simulator.registration import Application, Registrar
from mooring.simulator.tally import Progress, Stage, Tally
from mooring.simulator.united_robot import UnitedRobot
from mooring.simulator.united_session import Pair, UnitedSession
from mooring.simulator.waiting import Patience, wait_until

REPORT_EVERY_S = 1.0
MOST_ROBOTS = 1000


@dataclass(frozen=True, slots=True)
class UnitedOptions:
    """What runs where; with `pair` it is one robot that is known already, and no key is needed."""

    url: str
    key: str = field(default="", repr=False)
    pair: Pair | None = None
    robots: int = 1
    rate_hz: float = 1.0
    seed: int = 1
    prefix: str = ""
    duration_s: float | None = None

    def __post_init__(self) -> None:
        Address.of(self.url)
        if self.pair is None and not self.key:
            raise FleetOptionsInvalid("an API key, or a serial and a token, is needed")
        if not 1 <= self.robots <= MOST_ROBOTS:
            raise FleetOptionsInvalid(f"robots is not between 1 and {MOST_ROBOTS}: {self.robots}")
        if not 0.01 <= self.rate_hz <= 1000:
            raise FleetOptionsInvalid(f"rate is not between 0.01 and 1000: {self.rate_hz:g}")


async def run_united(options: UnitedOptions, clock: Clock, report: Report | None, stop: asyncio.Event) -> Tally:
    """Run the robots until `stop` or until their time is over; raises TokenRefused or what registration raises."""
    return await _Run(options, clock, report, stop).run()


class _Run:
    """One run and its counters."""

    def __init__(self, options: UnitedOptions, clock: Clock, report: Report | None, stop: asyncio.Event) -> None:
        self._options = options
        self._clock = clock
        self._report = report
        self._stop = stop
        self._tally = Tally()
        self._total = 1 if options.pair else options.robots
        self._client = HttpClient(Address.of(options.url), options.key)

    async def run(self) -> Tally:
        self._tell("registering", 0, f"registering {self._total} robots")
        pairs = [self._options.pair] if self._options.pair else await self._registered()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._live(number, pair)) for number, pair in enumerate(pairs)]
                watching = tasks.create_task(self._watch())
                await asyncio.wait(running)
                watching.cancel()
        except* MooringError as failures:
            raise failures.exceptions[0] from None
        self._tell("done", self._total, "stopped")
        return self._tally

    async def _registered(self) -> list[Pair]:
        patience = Patience(self._clock, random.Random(f"united {self._options.seed}"), self._stop)
        registrar = Registrar(self._client, patience)
        pairs = []
        for number in range(self._options.robots):
            serial = f"{self._options.prefix}United {number + 1:02d}"
            credential = await registrar.admit(Application(serial, "robot", "Robot with two channels, simulated"))
            pairs.append(Pair(serial, credential.token))
            self._tell("registering", number + 1, f"registered {serial}")
        return pairs

    async def _live(self, number: int, pair: Pair) -> None:
        robot = UnitedRobot(number, self._options.seed)
        session = UnitedSession(self._client, pair, robot, self._clock, tally=self._tally)
        await session.run(self._stop, self._options.rate_hz)

    async def _watch(self) -> None:
        """Report once a second, and end the run when its time is over."""
        started, duration_s = self._clock.monotonic(), self._options.duration_s
        while not self._stop.is_set():
            left_s = None if duration_s is None else started + duration_s - self._clock.monotonic()
            if left_s is not None and left_s <= 0:
                self._stop.set()
                return
            await wait_until(self._stop, self._clock, REPORT_EVERY_S if left_s is None else min(REPORT_EVERY_S, left_s))
            self._tell("running", self._tally.connected, f"{self._tally.connected} connected")

    def _tell(self, stage: Stage, done: int, message: str) -> None:
        if self._report is not None:
            self._report(Progress(stage, done, self._total, message, self._tally.copy()))
