"""A device as contract A shows it: always seven keys, whole numbers, a pair of coordinates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mooring.devices.model import Device
from mooring.doors.dialects.robots.card import card

BORN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
ROBOT = Device(
    id="i", owner_id="o", name="R2", device_type="robot", description="", ip_address=None, mac_address=None,
    status="never", device_status=None, lifecycle="registered", last_seen=None, firmware_version=None, group_id=None,
    configuration={}, created_at=BORN,
)  # fmt: skip


def shown(device: Device = ROBOT, **values: Any) -> dict[str, Any]:
    latest = {key: {"value": value, "timestamp": "2026-11-20T10:00:00.123Z"} for key, value in values.items()}
    return card(device, latest, robot_id=device.name, online=False)


def test_robot_that_never_spoke_has_every_key() -> None:
    assert shown() == {
        "Robot ID": "R2", "Online/Offline": False, "Battery Percentage": 0, "CPU Usage": 0, "RAM Consumption": 0,
        "Last Updated": "2026-11-01 08:00:00", "Location Coordinates": [0.0, 0.0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "percent"), [(81.6, 82), (-5, 0), (130, 100), (True, 0), ("full", 0), (float("inf"), 0)]
)
def test_battery_is_a_whole_percentage(given: Any, percent: int) -> None:
    battery = shown(battery=given)["Battery Percentage"]
    assert (battery, type(battery)) == (percent, int)


@pytest.mark.parametrize("key", ["cpu", "cpu_usage", "cpu_percent"])
def test_names_of_readings_vary(key: str) -> None:
    assert shown(**{key: 12.6})["CPU Usage"] == 13


def test_place_is_of_the_readings_else_of_the_configuration_else_nowhere() -> None:
    placed = replace(ROBOT, configuration={"latitude": 1.5, "longitude": 2})
    assert shown(placed, latitude=53.5, longitude=10)["Location Coordinates"] == [53.5, 10.0]
    assert shown(placed, latitude=53.5)["Location Coordinates"] == [1.5, 2.0]
    assert shown(replace(ROBOT, configuration={"latitude": "x"}), latitude=None)["Location Coordinates"] == [0.0, 0.0]
    assert shown(replace(ROBOT, configuration={"latitude": 99, "longitude": 2}))["Location Coordinates"] == [0.0, 0.0]


def test_last_updated_is_the_newest_reading_else_the_last_sign_of_life() -> None:
    assert shown(t=1)["Last Updated"] == "2026-11-20 10:00:00"
    seen = replace(ROBOT, last_seen=datetime(2026, 11, 19, 7, 6, 5, tzinfo=UTC))
    assert shown(seen)["Last Updated"] == "2026-11-19 07:06:05"
