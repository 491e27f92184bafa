"""What stands behind a session: a robot or a replayed recording, turned into frames at its own pace."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

from mooring.kernel.clock import Clock, iso
from mooring.simulator.geo import metres_between
from mooring.simulator.history import dressed
from mooring.simulator.registration import Application
from mooring.simulator.replay import Pace, Replay
from mooring.simulator.robot import UNITS, Happening, Robot, Said
from mooring.simulator.session import Session

UNIT_FRAMES = 3
"""Units go with the first frames only: they do not change, and a lost first frame must not lose them."""


class Device(Protocol):
    """Something that registers, may have a past, and talks for as long as it is let."""

    @property
    def application(self) -> Application:
        """What it says about itself."""

    async def talk(self, session: Session, clock: Clock) -> None:
        """Offer frames to `session`, without end."""

    def obey(self, command_type: str, parameters: dict[str, Any]) -> tuple[bool, str]:
        """Carry out a command."""


class RobotDevice:
    """A robot that says how it is `rate_hz` times a second."""

    def __init__(self, robot: Robot, rate_hz: float, prefix: str = "") -> None:
        self.robot = robot
        self._period_s = 1.0 / rate_hz
        self._prefix = prefix

    @property
    def application(self) -> Application:
        """Name, town and work area."""
        yard = self.robot.yard
        corners = [
            yard.ground.to_degrees(side * yard.length_m / 2, edge * yard.width_m / 2)
            for side, edge in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        return Application(
            name=f"{self._prefix}{self.robot.name}",
            device_type="robot",
            description=f"Terminal vehicle at {yard.town}, simulated",
            firmware_version="2.4.1",
            group=yard.town,
            configuration={
                "area": [[round(latitude, 6), round(longitude, 6)] for latitude, longitude in corners],
                "area_length_m": round(metres_between(corners[0], corners[1])),
                "cruise_speed": round(self.robot.motion.cruise, 2),
            },
        )

    async def talk(self, session: Session, clock: Clock) -> None:
        """Step the robot and offer what it says, keeping the rhythm."""
        pace = Pace(clock)
        # Robots that were switched on together do not speak at the same instant.
        await pace.wait(self._period_s * (self.robot.number * 0.618034 % 1.0))
        for number in itertools.count():
            said = self.robot.step(self._period_s)
            session.offer(robot_frame(said, iso(clock.now()), with_units=number < UNIT_FRAMES))
            await pace.wait(self._period_s)

    def obey(self, command_type: str, parameters: dict[str, Any]) -> tuple[bool, str]:
        """Hand the command to the robot."""
        return self.robot.obey(command_type, parameters)


class ReplayDevice:
    """A sensor that measures again what a recording holds."""

    def __init__(self, replay: Replay, name: str) -> None:
        self.replay = replay
        self._name = name

    @property
    def application(self) -> Application:
        """Name and where its readings come from."""
        recording = self.replay.recording
        return Application(
            name=self._name,
            device_type="sensor",
            description=f"Replay of {recording.path.name}",
            configuration={"rows": len(recording.rows), "speed": round(self.replay.speed, 3)},
        )

    async def talk(self, session: Session, clock: Clock) -> None:
        """Offer row after row, stamped now, in the rhythm of the recording."""
        pace = Pace(clock)
        units = self.replay.recording.units
        for number, (wait_s, row) in enumerate(self.replay.live()):
            await pace.wait(wait_s)
            worn = units if number < UNIT_FRAMES else {}
            session.offer({"timestamp": iso(clock.now()), "sensor_readings": dressed(dict(row.values), worn)})

    def obey(self, command_type: str, parameters: dict[str, Any]) -> tuple[bool, str]:
        """Refuse: a sensor only measures."""
        return False, f"a sensor takes no commands: {command_type} {sorted(parameters)}"


def robot_frame(said: Said, timestamp: str, *, with_units: bool) -> dict[str, Any]:
    """Return the wire form of what a robot said."""
    frame: dict[str, Any] = {
        "timestamp": timestamp,
        "sensor_readings": dressed(dict(said.readings), UNITS if with_units else {}),
    }
    happening: Happening | None = said.happening
    if happening is not None:
        frame |= {
            "event_type": happening.event_type,
            "message": happening.message,
            "severity": happening.severity,
        }
    if said.device_status is not None:
        frame["device_status"] = said.device_status
    return frame
