"""Troubles on purpose: late, doubled and out-of-order frames, and sockets that drop."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields

from mooring.simulator.errors import FleetOptionsInvalid


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities per frame; ``late_s`` is the longest a late frame is held back."""

    late: float = 0.0
    duplicate: float = 0.0
    out_of_order: float = 0.0
    flap: float = 0.0
    late_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("late", "duplicate", "out_of_order", "flap"):
            chance = getattr(self, name)
            if not 0.0 <= chance <= 1.0:
                raise FleetOptionsInvalid(f"not a probability between 0 and 1: {name}={chance}")
        if not 0.0 <= self.late_s <= 86_400.0:
            raise FleetOptionsInvalid(f"not between 0 and 86400 seconds: late_s={self.late_s}")

    @classmethod
    def of(cls, text: str) -> Faults:
        """Read ``late=0.1,duplicate=0.05,flap=0.001``; raises FleetOptionsInvalid."""
        known = [field.name for field in fields(cls)]
        chosen: dict[str, float] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, number = part.partition("=")
            try:
                chosen[known[known.index(name.strip())]] = float(number)
            except ValueError:
                hint = f"one of {', '.join(known)}, as name=0.1"
                raise FleetOptionsInvalid(f"not a fault: {part}", hint=hint) from None
        return cls(**chosen)


class Mischief:
    """Draws from a seed what happens to each frame."""

    def __init__(self, faults: Faults, rng: random.Random) -> None:
        self._faults = faults
        self._rng = rng

    def delay_s(self) -> float:
        """Return how long the next frame is held back: long when late, just past its successor when out of order."""
        if self._happens(self._faults.late):
            return self._rng.uniform(0.0, self._faults.late_s)
        if self._happens(self._faults.out_of_order):
            return self._rng.uniform(0.5, 3.0)
        return 0.0

    def sends_twice(self) -> bool:
        """Say whether a message goes out twice."""
        return self._happens(self._faults.duplicate)

    def drops_socket(self) -> bool:
        """Say whether the socket breaks after a message."""
        return self._happens(self._faults.flap)

    def _happens(self, chance: float) -> bool:
        return chance > 0.0 and self._rng.random() < chance
