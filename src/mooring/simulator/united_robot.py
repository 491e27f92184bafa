"""A robot of contract C: a pure model that drives rounds, rests, fails or is led by hand, as it is told."""

from __future__ import annotations

import math
import random
from typing import Any

COMMANDS = ("auto", "idle", "error", "manual")
SPEED = {"auto": 1.2, "idle": 0.0, "error": 0.0, "manual": 0.4}
"""Metres a second in each state."""
ACCELERATION = 0.5
TURN_RATE = 0.2
"""Radians a second while it moves: rounds of twelve metres across."""


class UnitedRobot:
    """Position in metres, heading in radians, speed in metres a second, and the state people command."""

    def __init__(self, number: int, seed: int) -> None:
        rng = random.Random(f"united {seed} {number}")
        self.state = "auto"
        self.speed = 0.0
        self.angle_theta = rng.uniform(0.0, 2 * math.pi)
        self.position_x = rng.uniform(-20.0, 20.0)
        self.position_y = rng.uniform(-20.0, 20.0)

    def step(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        change = ACCELERATION * dt_s
        wanted = SPEED[self.state]
        self.speed += max(-change, min(change, wanted - self.speed))
        if self.speed > 0:
            self.angle_theta = (self.angle_theta + TURN_RATE * dt_s) % (2 * math.pi)
        self.position_x += self.speed * dt_s * math.cos(self.angle_theta)
        self.position_y += self.speed * dt_s * math.sin(self.angle_theta)

    def obey(self, command: Any) -> bool:
        """Take on the state of a command; False if it is none."""
        if command not in COMMANDS:
            return False
        self.state = command
        return True

    def frame(self, number: int, at: str) -> dict[str, Any]:
        """Return a data frame."""
        return {
            "type": 1,
            "id": number,
            "state": self.state,
            "data": {
                "speed": round(self.speed, 3),
                "angle_theta": round(self.angle_theta, 4),
                "position_x": round(self.position_x, 3),
                "position_y": round(self.position_y, 3),
                "datetime": at,
            },
        }
