"""A figure: what was measured, what it is held against, whether it holds, and how to say so in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(slots=True)
class Figure:
    """One row of the table; `value` meets `target` by being at least it, or at most it if `at_most`."""

    name: str
    value: float
    target: float
    unit: str = ""
    at_most: bool = False
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """True if the target is reached."""
        if math.isnan(self.value):
            return False
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def row(self) -> str:
        """Return the Markdown table row."""
        sign = "≤" if self.at_most else "≥"
        verdict = "yes" if self.met else "**no**"
        held, against = number(self.value) + self.unit, f"{sign} {number(self.target)}{self.unit}"
        return f"| {self.name} | {held} | {against} | {verdict} | {self.note} |"

    def as_json(self) -> dict[str, Any]:
        """Return everything for the record."""
        return {**asdict(self), "met": self.met}


def number(value: float) -> str:
    """Return a figure with as many digits as it deserves."""
    if math.isnan(value):
        return "not measured"
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def paired(durable: Sequence[float], bare: Sequence[float]) -> float:
    """Return the median of the ratios of neighbouring turns: what disturbs one turn disturbs its neighbour too."""
    return median(a / b for a, b in zip(durable, bare, strict=True) if b)
