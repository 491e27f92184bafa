"""One mobile robot: a pure model, the same from the same seed, that is stepped through time and says what it sees."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Literal

from mooring.kernel.frames import Value
from mooring.simulator.harbours import YARDS, Yard
from mooring.simulator.motion import Motion
from mooring.simulator.vitals import State, Vitals

UNITS: dict[str, str] = {
    "latitude": "°",
    "longitude": "°",
    "speed": "m/s",
    "heading": "°",
    "battery": "%",
    "cpu": "%",
    "ram": "MB",
    "motor_temperature": "°C",
    "odometer": "km",
}
LOW_BATTERY = 27.0
CHARGED = (88.0, 97.0)
OBSTACLE_EVERY_S = 260.0
ERROR_EVERY_S = 2400.0
POSE_EVERY_S = 10.0
MISHAPS = (
    "localisation lost: lidar sees no landmarks",
    "drive fault: left motor over current",
    "load sensor does not answer",
    "lane blocked for longer than 30 s",
)
STATUS_OF: dict[State, str] = {"driving": "ok", "idle": "ok", "charging": "charging", "error": "error"}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth an event of its own."""

    event_type: str
    message: str
    severity: Literal["info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class Said:
    """What a device says in one frame; ``device_status`` only when it has changed."""

    readings: dict[str, Value] = field(default_factory=dict)
    happening: Happening | None = None
    device_status: str | None = None


class Robot:
    """A yard robot: tours between crossings, rests, charges at its bay, now and then meets an obstacle or fails."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.yard: Yard = YARDS[number % len(YARDS)]
        self.place = number // len(YARDS)
        self.name = f"{self.yard.town} {self.place + 1:02d}"
        self._rng = random.Random(f"robot {seed} {number}")
        self.vitals = Vitals(self._rng, self.yard.air_c)
        self.state: State = "idle"
        self.odometer_m = self._rng.uniform(2e5, 4e6)
        self._cruise = self._rng.uniform(4.0, 5.4)
        self.motion = Motion(
            self.yard,
            self.yard.anywhere(self._rng),
            cruise=self._cruise,
            heading_deg=self.yard.ground.bearing_deg,
        )
        self._homeward = False
        self._stopped = False
        self._hold_s = self._rng.uniform(0.0, 4.0)
        self._bumper_s = 0.0
        self._pose_in_s = self._rng.uniform(0.0, POSE_EVERY_S)
        self._told: str | None = None
        if self.place % 5 == 4:
            self._start_docked()

    @property
    def position(self) -> tuple[float, float]:
        """Latitude and longitude in degrees."""
        return self.yard.ground.to_degrees(*self.motion.at)

    @property
    def status(self) -> str:
        """The word told as ``device_status``."""
        if self.state in ("driving", "idle") and self.vitals.battery < LOW_BATTERY:
            return "low_battery"
        return STATUS_OF[self.state]

    def step(self, dt_s: float) -> Said:
        """Let `dt_s` seconds pass and return what there is to say."""
        happening = self._live(dt_s)
        self.vitals.step(dt_s, self.state, self.motion.speed)
        self._bumper_s = max(0.0, self._bumper_s - dt_s)
        status = self.status
        changed = status if status != self._told else None
        self._told = status
        return Said(self._readings(dt_s), happening, changed)

    def obey(self, command_type: str, parameters: dict[str, Any]) -> tuple[bool, str]:
        """Carry out ``dock``, ``stop`` or ``resume``; return whether it was done and a sentence about it."""
        if command_type == "dock":
            self._stopped = False
            self._go_home()
            return True, "on the way to the dock"
        if command_type == "stop":
            self._stopped = True
            return True, "stopped"
        if command_type == "resume":
            self._stopped = False
            return True, "resumed"
        return False, f"unknown command: {command_type} {sorted(parameters)}"

    def _start_docked(self) -> None:
        self.motion.at = self.yard.bay(self.place)
        self.state = "charging"
        self.vitals.battery = self._rng.uniform(30.0, 70.0)

    def _live(self, dt_s: float) -> Happening | None:
        if self._stopped and self.state in ("driving", "idle"):
            self.state = "idle"
            self.odometer_m += self.motion.step(dt_s, braking=True)
            return None
        if self.state == "driving":
            return self._drive(dt_s)
        if self.state == "charging":
            return self._charge()
        return self._wait(dt_s)

    def _drive(self, dt_s: float) -> Happening | None:
        self.odometer_m += self.motion.step(dt_s, braking=self._hold_s > 0)
        if self._hold_s > 0:
            self._hold_s -= dt_s
            return None
        if self.motion.arrived:
            return self._arrive()
        if self.vitals.battery < LOW_BATTERY and not self._homeward:
            self._go_home()
            return Happening("low_battery", f"battery at {self.vitals.battery:.0f} %, returning to dock", "warning")
        return self._mishap(dt_s)

    def _arrive(self) -> Happening | None:
        if self._homeward:
            self._homeward = False
            self.state = "charging"
            return Happening("docked", f"docked in bay {self.place + 1} at {self.vitals.battery:.0f} %")
        self.state = "idle"
        self._hold_s = self._rng.uniform(4.0, 20.0)
        return None

    def _mishap(self, dt_s: float) -> Happening | None:
        if self._rng.random() < dt_s / OBSTACLE_EVERY_S:
            self._hold_s = self._rng.uniform(3.0, 9.0)
            touched = self._rng.random() < 0.35
            self._bumper_s = 2.5 if touched else 0.0
            return Happening("obstacle", "bumper touched" if touched else "obstacle ahead, waiting", "warning")
        if self._rng.random() < dt_s / ERROR_EVERY_S:
            self.state = "error"
            self._hold_s = self._rng.uniform(20.0, 50.0)
            return Happening("error", self._rng.choice(MISHAPS), "error")
        return None

    def _charge(self) -> Happening | None:
        if self.vitals.battery < CHARGED[0] + (CHARGED[1] - CHARGED[0]) * (self.number % 7) / 6:
            return None
        self._go_on()
        return Happening("undocked", f"left the dock at {self.vitals.battery:.0f} %")

    def _wait(self, dt_s: float) -> Happening | None:
        self.odometer_m += self.motion.step(dt_s, braking=True)
        self._hold_s -= dt_s
        if self._hold_s > 0:
            return None
        self._hold_s = 0.0
        failed = self.state == "error"
        if self.motion.way:
            self.state = "driving"
        else:
            self._go_on()
        return Happening("recovered", "fault cleared, going on") if failed else None

    def _go_on(self) -> None:
        goal = self.yard.anywhere(self._rng)
        self.motion.follow(self.yard.way(self.motion.at, goal, along_first=self._rng.random() < 0.5))
        # Now loaded, now empty: no two legs are driven alike.
        self.motion.cruise = self._cruise * self._rng.uniform(0.72, 1.0)
        self.state = "driving"

    def _go_home(self) -> None:
        if self.state == "charging":
            return
        self._homeward = True
        # Finish the lane first: turning round between crossings would cut through the stacks.
        lane_end = [self.motion.way[0]] if self.motion.way else []
        start = lane_end[0] if lane_end else self.motion.at
        self.motion.follow(lane_end + self.yard.way(start, self.yard.bay(self.place), along_first=False))
        if self.state == "idle":
            self.state = "driving"

    def _measured_speed(self) -> float:
        """Return the speed as wheel sensors see it: a little unsteady, but zero at a stand."""
        speed = self.motion.speed
        return max(0.0, speed + self._rng.gauss(0.0, 0.015 * speed))

    def _readings(self, dt_s: float) -> dict[str, Value]:
        latitude, longitude = self.position
        readings: dict[str, Value] = {
            "latitude": round(latitude, 6),
            "longitude": round(longitude, 6),
            "speed": round(self._measured_speed(), 2),
            "heading": round(self.motion.heading_deg, 1) % 360.0,
            "battery": round(self.vitals.battery, 1),
            "cpu": round(self.vitals.cpu, 1),
            "ram": round(self.vitals.ram_mb),
            "motor_temperature": round(self.vitals.motor_c, 2),
            "state": self.state,
            "odometer": round(self.odometer_m / 1000.0, 3),
            "bumper": self._bumper_s > 0,
        }
        self._pose_in_s -= dt_s
        if self._pose_in_s <= 0:
            self._pose_in_s += max(POSE_EVERY_S, dt_s)
            along, across = self.motion.at
            readings["pose"] = {
                "x": round(along, 2),
                "y": round(across, 2),
                "theta": round(self.motion.heading_deg, 1),
                "frame": self.yard.town.lower(),
            }
        return readings
