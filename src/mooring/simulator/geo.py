"""Metres on the ground to degrees and back, good to a few centimetres over a harbour's few kilometres."""

from __future__ import annotations

import math
from dataclasses import dataclass

METRES_PER_DEGREE = 111_320.0
"""One degree of latitude, and of longitude at the equator: 40,075 km / 360."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A flat patch around a point; ``bearing_deg`` is the compass direction of its long axis."""

    latitude: float
    longitude: float
    bearing_deg: float

    def to_degrees(self, along_m: float, across_m: float) -> tuple[float, float]:
        """Return (latitude, longitude) of a point `along_m` on the axis and `across_m` to its right."""
        turn = math.radians(self.bearing_deg)
        north = along_m * math.cos(turn) - across_m * math.sin(turn)
        east = along_m * math.sin(turn) + across_m * math.cos(turn)
        shrink = math.cos(math.radians(self.latitude))
        return (
            self.latitude + north / METRES_PER_DEGREE,
            self.longitude + east / (METRES_PER_DEGREE * shrink),
        )

    def compass(self, d_along: float, d_across: float) -> float:
        """Return the compass bearing in degrees of a move on this ground."""
        return (self.bearing_deg + math.degrees(math.atan2(d_across, d_along))) % 360.0


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance in metres of two (latitude, longitude) points that are near each other."""
    north = (b[0] - a[0]) * METRES_PER_DEGREE
    east = (b[1] - a[1]) * METRES_PER_DEGREE * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)


def turned(from_deg: float, to_deg: float) -> float:
    """Return the shortest turn in degrees, -180 to 180, from one compass bearing to another."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0
