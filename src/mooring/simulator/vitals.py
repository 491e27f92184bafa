"""What a robot's inside does over time: battery, processor, memory, motor temperature."""

from __future__ import annotations

import math
import random
from typing import Literal

State = Literal["driving", "idle", "charging", "error"]

CHARGE_RATE = 0.19
"""Percent a second below the taper: empty to 80 % in seven minutes, so a demo shows whole cycles."""
TAPER_FROM = 80.0
REST_DRAIN = 0.005
SPEED_DRAIN = 0.0042
"""Percent per metre: about an hour of driving on one charge."""

CPU_BY_STATE: dict[State, float] = {"driving": 47.0, "idle": 19.0, "charging": 9.0, "error": 64.0}
MOTOR_LAG_S = 150.0
RAM_MB = (900.0, 2900.0)


class Vitals:
    """Slow quantities, each a small physical or statistical model driven by state and speed."""

    def __init__(self, rng: random.Random, air_c: float) -> None:
        self._rng = rng
        self._air_c = air_c
        self.battery = rng.uniform(30.0, 98.0)
        self.cpu = 20.0
        self.ram_mb = rng.uniform(1100.0, 1900.0)
        self.motor_c = air_c + rng.uniform(4.0, 14.0)

    def step(self, dt_s: float, state: State, speed: float) -> None:
        """Let `dt_s` seconds pass in `state` at `speed` m/s."""
        self._drain(dt_s, state, speed)
        self._warm(dt_s, speed)
        self._compute(dt_s, state)

    def _drain(self, dt_s: float, state: State, speed: float) -> None:
        if state == "charging":
            taper = 1.0 if self.battery < TAPER_FROM else max(0.15, (101.0 - self.battery) / (101.0 - TAPER_FROM))
            self.battery = min(100.0, self.battery + CHARGE_RATE * taper * dt_s)
        else:
            self.battery = max(0.0, self.battery - (REST_DRAIN + SPEED_DRAIN * speed) * dt_s)

    def _warm(self, dt_s: float, speed: float) -> None:
        """First-order lag towards air temperature plus friction and copper losses."""
        goal = self._air_c + 5.0 + 1.1 * speed * speed
        self.motor_c += (goal - self.motor_c) * -math.expm1(-dt_s / MOTOR_LAG_S) + self._rng.gauss(0.0, 0.04)

    def _compute(self, dt_s: float, state: State) -> None:
        pull = -math.expm1(-dt_s / 6.0)
        self.cpu += (CPU_BY_STATE[state] - self.cpu) * pull + self._rng.gauss(0.0, 3.0) * math.sqrt(pull)
        self.cpu = max(1.0, min(99.0, self.cpu))
        self.ram_mb += self._rng.gauss(0.35, 4.0) * math.sqrt(dt_s)
        low, high = RAM_MB
        if not low <= self.ram_mb <= high:
            # A service was restarted and gave its memory back.
            self.ram_mb = self._rng.uniform(1050.0, 1300.0)
