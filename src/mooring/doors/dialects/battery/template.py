"""What a battery is made for and where its limits lie: the defaults, and a pack's own configuration over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPECS: Mapping[str, Any] = {
    "nominal_capacity": 100.0,
    "nominal_voltage": 355.2,
    "max_cycles": 1000,
    "operating_temp_min": -20.0,
    "operating_temp_max": 60.0,
    "max_current": 500.0,
    "min_current": -500.0,
    "chemistry": "LiFePO4",
    "configuration": "96S72P",
    "max_power": 5000.0,
}
THRESHOLDS: Mapping[str, Mapping[str, float]] = {
    "voltage": {"min": 300.0, "max": 370.0, "critical_min": 280.0, "critical_max": 380.0},
    "current": {"min": -500.0, "max": 500.0, "critical_min": -600.0, "critical_max": 600.0},
    "temperature": {"min": -20.0, "max": 60.0, "critical_min": -30.0, "critical_max": 70.0},
    "health": {"min": 70.0, "warning": 80.0, "critical": 60.0},
}


def specs_of(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pack is made for; its ``configuration`` may say otherwise under ``specs``."""
    return {**SPECS, **_said(configuration, "specs")}


def thresholds_of(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pack's limits; its ``configuration`` may say otherwise under ``thresholds``, limit by limit."""
    said = _said(configuration, "thresholds")
    merged = {name: {**limits, **_said(said, name)} for name, limits in THRESHOLDS.items()}
    return {**merged, **{name: limits for name, limits in said.items() if name not in THRESHOLDS}}


def _said(configuration: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    said = configuration.get(name)
    return said if isinstance(said, Mapping) else {}
