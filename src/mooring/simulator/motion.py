"""How a robot moves along the lanes: it speeds up, brakes before corners, turns, and stops at the end of its way."""

from __future__ import annotations

import math
from collections import deque

from mooring.simulator.geo import turned
from mooring.simulator.harbours import Point, Yard

ACCELERATION = 0.6
"""m/s²; an empty terminal vehicle does a little more, a loaded one a little less."""
BRAKING = 0.9
CORNER_SPEED = 1.2
CREEP = 0.3
TURN_RATE = 40.0
"""Degrees a second."""
SUBSTEP_S = 0.5
ARRIVED_M = 0.05


class Motion:
    """A point on a yard with speed, heading and the way still to go."""

    def __init__(self, yard: Yard, at: Point, *, cruise: float, heading_deg: float) -> None:
        self.yard = yard
        self.at = at
        self.cruise = cruise
        self.heading_deg = heading_deg
        self.speed = 0.0
        self.way: deque[Point] = deque()

    @property
    def arrived(self) -> bool:
        """True when there is no way left and the robot stands still."""
        return not self.way and self.speed == 0.0

    def follow(self, way: list[Point]) -> None:
        """Replace what is left of the way."""
        self.way = deque(way)

    def step(self, dt_s: float, *, braking: bool) -> float:
        """Move for `dt_s` seconds and return the metres covered; `braking` brings the robot to a stand."""
        covered = 0.0
        while dt_s > 1e-9:
            slice_s = min(dt_s, SUBSTEP_S)
            covered += self._slice(slice_s, braking=braking)
            dt_s -= slice_s
        return covered

    def _slice(self, dt_s: float, *, braking: bool) -> float:
        if not self.way:
            self.speed = max(0.0, self.speed - BRAKING * dt_s)
            return 0.0
        goal = self.way[0]
        d_along, d_across = goal[0] - self.at[0], goal[1] - self.at[1]
        distance = math.hypot(d_along, d_across)
        bearing = self.yard.ground.compass(d_along, d_across)
        off = abs(turned(self.heading_deg, bearing))
        if self.speed > 0 or not braking:
            self._turn(bearing, dt_s)
        self.speed = self._speed_next(0.0 if braking else self._limit(distance, off), dt_s)
        move = min(self.speed * dt_s, distance)
        self._advance(goal, move, distance)
        return move

    def _turn(self, bearing: float, dt_s: float) -> None:
        most = TURN_RATE * dt_s
        turn = max(-most, min(most, turned(self.heading_deg, bearing)))
        self.heading_deg = (self.heading_deg + turn) % 360.0

    def _limit(self, distance: float, off_deg: float) -> float:
        """Return the fastest speed from which the next corner or the end can still be met: v² = w² + 2as."""
        if off_deg > 25.0:
            return CREEP
        last = len(self.way) == 1
        then = 0.0 if last else CORNER_SPEED
        return max(CREEP, min(self.cruise, math.sqrt(then * then + 2 * BRAKING * distance)))

    def _speed_next(self, limit: float, dt_s: float) -> float:
        if limit >= self.speed:
            return min(limit, self.speed + ACCELERATION * dt_s)
        return max(limit, self.speed - 2 * BRAKING * dt_s)

    def _advance(self, goal: Point, move: float, distance: float) -> None:
        if distance - move <= ARRIVED_M:
            self.at = goal
            self.way.popleft()
            if not self.way:
                self.speed = 0.0
            return
        share = move / distance
        self.at = (
            self.at[0] + (goal[0] - self.at[0]) * share,
            self.at[1] + (goal[1] - self.at[1]) * share,
        )
