"""The five yards the robots work in: where they lie, how large they are, where the lanes and the docks run."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mooring.simulator.geo import Ground

Point = tuple[float, float]
"""Metres along and across a yard, from its middle."""

LANE_M = 100.0
BAY_M = 14.0


@dataclass(frozen=True, slots=True)
class Yard:
    """A terminal: a grid of lanes on real ground, with a row of charging bays along one long side."""

    town: str
    ground: Ground
    length_m: float
    width_m: float
    air_c: float

    def crossings(self) -> tuple[int, int]:
        """Return how many lane crossings there are along and across."""
        return int(self.length_m // LANE_M), int(self.width_m // LANE_M)

    def crossing(self, column: int, row: int) -> Point:
        """Return where two lanes cross."""
        columns, rows = self.crossings()
        return (column - (columns - 1) / 2) * LANE_M, (row - (rows - 1) / 2) * LANE_M

    def bay(self, number: int) -> Point:
        """Return where the charging bay of robot `number` is: off the outermost lane, near the middle."""
        edge = self.crossing(0, 0)[1]
        return (number % 8 - 3.5) * BAY_M, edge - 30.0

    def anywhere(self, rng: random.Random) -> Point:
        """Return a crossing drawn from `rng`."""
        columns, rows = self.crossings()
        return self.crossing(rng.randrange(columns), rng.randrange(rows))

    def way(self, start: Point, goal: Point, *, along_first: bool) -> list[Point]:
        """Return the corners of a way from `start` to `goal` on the lanes, `goal` last."""
        lane = self.crossing(0, 0)[1]
        inner_start = (start[0], max(start[1], lane))
        inner_goal = (goal[0], max(goal[1], lane))
        if inner_start != start or inner_goal != goal:
            along_first = inner_start != start
        corner = (inner_goal[0], inner_start[1]) if along_first else (inner_start[0], inner_goal[1])
        points = [inner_start, corner, inner_goal, goal]
        before = [start, *points[:-1]]
        return [point for point, last in zip(points, before, strict=True) if point != last]


YARDS: tuple[Yard, ...] = (
    Yard("Rotterdam", Ground(51.9545, 4.0290, 112.0), 2200.0, 600.0, 12.0),
    Yard("Hamburg", Ground(53.5035, 9.9345, 168.0), 1400.0, 500.0, 10.0),
    Yard("Antwerp", Ground(51.2880, 4.2310, 152.0), 1800.0, 500.0, 12.5),
    Yard("Gothenburg", Ground(57.6905, 11.8575, 80.0), 1500.0, 500.0, 8.0),
    Yard("Trieste", Ground(45.6370, 13.7520, 118.0), 1100.0, 400.0, 16.0),
)
