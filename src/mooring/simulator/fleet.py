"""A whole fleet in one call: register, tell the past, connect, run until stopped, and report on the way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError
from mooring.simulator.device import Device, ReplayDevice, RobotDevice
from mooring.simulator.errors import FleetOptionsInvalid, KeyRefused, RunStopped, ServerUnreachable, TokenRefused
from mooring.simulator.faults import Faults
from mooring.simulator.history import HistoryPoster
from mooring.simulator.http_client import Address, HttpClient
from mooring.simulator.naming import recordings_for_demo
from mooring.simulator.recording import Recording, read_recording
from mooring.simulator.registration import Credential, Registrar
from mooring.simulator.replay import SPEED, Replay, ReplayOptions
from mooring.simulator.robot import Robot
from mooring.simulator.session import Line, Session
from mooring.simulator.tally import Progress, Stage, Tally
from mooring.simulator.waiting import Patience, wait_until

__all__ = ["FleetOptions", "Progress", "Tally", "recordings_for_demo", "run_fleet"]

MOST_ROBOTS = 10_000
AT_ONCE = 4
"""Registrations at a time: a stranger does not flood the door it wants to come in by."""
REPORT_EVERY_S = 1.0

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What runs where; `speed` None lets each recording give about one row a second, `duration_s` None runs on."""

    url: str = "http://127.0.0.1:8000"
    key: str = field(default="", repr=False)
    robots: int = 25
    replays: Sequence[Path] = ()
    speed: float | None = None
    rate_hz: float = 1.0
    seed: int = 1
    backfill_rows: int = 0
    faults: Faults = field(default_factory=Faults)
    prefix: str = ""
    duration_s: float | None = None

    def __post_init__(self) -> None:
        Address.of(self.url)
        if not self.key or not self.key.isascii() or not self.key.isprintable():
            raise FleetOptionsInvalid(
                "an API key is needed",
                hint="make one in the console or with `mooring key create`, and give it as --key",
            )
        _between("robots", self.robots, 0, MOST_ROBOTS)
        _between("rate", self.rate_hz, 0.01, 1000)
        _between("backfill", self.backfill_rows, 0, 1_000_000)
        if self.speed is not None:
            _between("speed", self.speed, *SPEED)
        if not self.robots and not self.replays:
            raise FleetOptionsInvalid(
                "nothing to simulate: 0 robots and no recording", hint="give --robots or --replay"
            )


async def run_fleet(
    options: FleetOptions, clock: Clock, report: Report | None = None, stop: asyncio.Event | None = None
) -> Tally:
    """Run a fleet until `stop` is set, the duration is over or the task is cancelled; return what was counted.

    Raises RecordingInvalid, KeyRefused or ServerUnreachable before anything runs. A single device that is refused
    is reported and left out, unless all are.
    """
    fleet = Fleet(options, clock, report, stop or asyncio.Event())
    return await fleet.run()


class Fleet:
    """The devices of one run and what they have in common."""

    def __init__(self, options: FleetOptions, clock: Clock, report: Report | None, stop: asyncio.Event) -> None:
        self.tally = Tally()
        self._options = options
        self._clock = clock
        self._report = report
        self._stop = stop
        self._rng = random.Random(f"fleet {options.seed}")
        self._client = HttpClient(Address.of(options.url), options.key)
        self._patience = Patience(clock, self._rng, stop)
        self._registrar = Registrar(self._client, self._patience, on_wait=self._told_to_wait)
        self._door = asyncio.Semaphore(AT_ONCE)
        self._groups: dict[str, str] = {}
        self._admitted = 0
        self._refusals: list[MooringError] = []
        self._total = 0

    async def run(self) -> Tally:
        """Run all devices to the end."""
        devices = await asyncio.to_thread(devices_of, self._options)
        self._total = len(devices)
        self.tally.bad_rows = sum(d.replay.recording.bad_rows for d in devices if isinstance(d, ReplayDevice))
        self._tell("registering", 0, f"registering {self._total} devices")
        towns = sorted({device.application.group for device in devices if device.application.group})
        with contextlib.suppress(RunStopped):
            self._groups = await self._registrar.groups(towns) if towns else {}
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._live(device)) for device in devices]
                watching = tasks.create_task(self._watch())
                await asyncio.wait(running)
                watching.cancel()
        except* MooringError as failures:
            # The first reason is the one to tell; the others say the same.
            raise failures.exceptions[0] from None
        self._tell("done", self._admitted, "stopped")
        return self.tally

    async def _live(self, device: Device) -> None:
        try:
            credential = await self._admit(device)
            if credential is None:
                return
            self._admitted += 1
            self._tell("registering", self._admitted, f"registered {device.application.name}")
            if isinstance(device, ReplayDevice) and device.replay.history_rows:
                await self._tell_past(device, credential)
            await self._speak(device, credential)
        except (KeyRefused, ServerUnreachable):
            raise
        except MooringError as refusal:
            self._refused(refusal)

    async def _admit(self, device: Device) -> Credential | None:
        application = device.application
        async with self._door:
            while not self._stop.is_set():
                try:
                    return await self._registrar.admit(application, self._groups.get(application.group or ""))
                except RunStopped:
                    break
                except ServerUnreachable as failure:
                    # Once some of the fleet is in, an outage is something to sit out.
                    if not self._admitted:
                        raise
                    self._tell("registering", self._admitted, failure.message)
        return None

    async def _tell_past(self, device: ReplayDevice, credential: Credential) -> None:
        replay = device.replay
        name = device.application.name
        rows = list(replay.history(self._clock.now_us()))
        poster = HistoryPoster(self._client, self._patience, self.tally)
        try:
            await poster.post(
                credential.device_id,
                rows,
                replay.recording.units,
                lambda done: self._tell("history", done, f"history of {name}", total=len(rows)),
            )
        except ServerUnreachable as failure:
            self.tally.last_reason = failure.message
            self._tell("history", 0, f"history of {name} is incomplete: {failure.message}", total=len(rows))

    async def _speak(self, device: Device, credential: Credential) -> None:
        address = self._client.address
        session = Session(
            Line(address.websocket("/ws/device"), credential.token, proxied=not address.is_loopback),
            self._clock,
            tally=self.tally,
            faults=self._options.faults,
            rng=random.Random(f"session {self._options.seed} {device.application.name}"),
            obey=device.obey,
        )
        refused: TokenRefused | None = None
        async with asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(device.talk(session, self._clock))
            stopping = tasks.create_task(self._hush(talking, session))
            try:
                await session.run()
            except TokenRefused as refusal:
                # Raised outside, or the group would wrap it.
                refused = refusal
            finally:
                talking.cancel()
                stopping.cancel()
        if refused is not None:
            self.tally.dropped += session.outstanding
            raise refused

    async def _hush(self, talking: asyncio.Task[None], session: Session) -> None:
        await self._stop.wait()
        talking.cancel()
        session.stop()

    async def _watch(self) -> None:
        """Report once a second, and end the run when its time is over."""
        started = self._clock.monotonic()
        while not self._stop.is_set():
            await wait_until(self._stop, self._clock, REPORT_EVERY_S)
            if self._admitted:
                self._tell("running", self.tally.connected, f"{self.tally.connected} connected")
            duration_s = self._options.duration_s
            if duration_s is not None and self._clock.monotonic() - started >= duration_s:
                self._stop.set()
        self._tell("stopping", self.tally.connected, "delivering what is outstanding")

    def _told_to_wait(self, reason: str) -> None:
        self._tell("registering", self._admitted, f"waiting: {reason}")

    def _refused(self, refusal: MooringError) -> None:
        self._refusals.append(refusal)
        self.tally.last_reason = refusal.message
        self._tell("registering", self._admitted, refusal.message)
        if len(self._refusals) == self._total:
            raise refusal

    def _tell(self, stage: Stage, done: int, message: str, *, total: int | None = None) -> None:
        if self._report is not None:
            self._report(Progress(stage, done, self._total if total is None else total, message, self.tally.copy()))


def devices_of(options: FleetOptions) -> list[Device]:
    """Return robots first, then one sensor for each recording; one that is named twice starts elsewhere in the file."""
    devices: list[Device] = [
        RobotDevice(Robot(number, options.seed), options.rate_hz, options.prefix) for number in range(options.robots)
    ]
    read: dict[Path, Recording] = {}
    titles: dict[str, int] = {}
    for path in options.replays:
        if path not in read:
            read[path] = read_recording(path)
        repeat = sum(1 for device in devices if _plays(device, read[path]))
        recording = read[path]
        titles[recording.title] = titles.get(recording.title, 0) + 1
        count = titles[recording.title]
        name = f"{options.prefix}{recording.title}" + (f" {count}" if count > 1 else "")
        # The golden ratio spreads any number of repeats over the file.
        share = repeat * 0.618034 % 1.0
        replay = Replay(recording, ReplayOptions(options.speed, options.backfill_rows, share))
        devices.append(ReplayDevice(replay, name))
    return devices


def _plays(device: Device, recording: Recording) -> bool:
    return isinstance(device, ReplayDevice) and device.replay.recording is recording


def _between(name: str, number: float, least: float, most: float) -> None:
    if not least <= number <= most:
        raise FleetOptionsInvalid(f"{name} is not between {least:g} and {most:g}: {number:g}")
