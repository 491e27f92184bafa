"""The robot of contract C as a model: what a command changes, and what a frame says."""

from __future__ import annotations

import pytest

from mooring.simulator.united_robot import COMMANDS, UnitedRobot


def test_robot_told_to_rest_comes_to_a_stand() -> None:
    robot = UnitedRobot(0, 1)
    for _ in range(50):
        robot.step(0.1)
    assert robot.speed == pytest.approx(1.2)
    assert robot.obey("idle")
    before = robot.speed
    robot.step(0.1)
    assert 0 < robot.speed < before
    for _ in range(50):
        robot.step(0.1)
    assert robot.speed == 0.0


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_the_state_of_the_next_frame(command: str) -> None:
    robot = UnitedRobot(0, 1)
    assert robot.obey(command)
    assert robot.frame(1, "now")["state"] == command


@pytest.mark.parametrize("command", [None, "fly", 5, ["auto"]])
def test_unknown_command_changes_nothing(command: object) -> None:
    robot = UnitedRobot(0, 1)
    before = robot.frame(1, "now")
    assert not robot.obey(command)
    assert robot.frame(1, "now") == before


def test_frame_has_the_contracts_fields() -> None:
    frame = UnitedRobot(0, 1).frame(7, "2026-11-20T10:00:00Z")
    assert list(frame) == ["type", "id", "state", "data"]
    assert list(frame["data"]) == ["speed", "angle_theta", "position_x", "position_y", "datetime"]
    assert (frame["type"], frame["id"]) == (1, 7)


def test_same_seed_drives_the_same_way() -> None:
    one, other = UnitedRobot(3, 9), UnitedRobot(3, 9)
    for _ in range(100):
        one.step(0.1)
        other.step(0.1)
    assert one.frame(1, "x") == other.frame(1, "x") != UnitedRobot(4, 9).frame(1, "x")
