"""The robot model: same seed, same life; never outside its yard, its lanes, or what a machine can do."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from mooring.simulator.geo import metres_between, turned
from mooring.simulator.harbours import LANE_M, YARDS
from mooring.simulator.robot import MISHAPS, UNITS, Robot, Said


def life(number: int, seed: int, steps: int, dt_s: float = 1.0) -> list[Said]:
    robot = Robot(number, seed)
    return [robot.step(dt_s) for _ in range(steps)]


def of(said: Said, key: str) -> Any:
    return said.readings[key]


def test_same_seed_gives_the_same_track() -> None:
    assert life(3, 7, 1500) == life(3, 7, 1500)


def test_another_seed_or_another_number_gives_another_track() -> None:
    assert life(3, 7, 300) != life(3, 8, 300)
    assert life(3, 7, 300) != life(8, 7, 300)


@pytest.mark.parametrize("number", range(10))
def test_quantities_stay_where_they_can_be(number: int) -> None:
    for said in life(number, 1, 5400):
        assert 0.0 <= of(said, "battery") <= 100.0
        assert 0.0 <= of(said, "cpu") <= 100.0
        assert 500 <= of(said, "ram") <= 4096
        assert 0.0 <= of(said, "heading") < 360.0
        assert 0.0 <= of(said, "speed") <= 5.8
        assert 0.0 < of(said, "motor_temperature") < 80.0
        assert of(said, "state") in {"driving", "idle", "charging", "error"}


@pytest.mark.parametrize("number", range(5))
def test_battery_is_never_run_flat_on_the_way_home(number: int) -> None:
    assert min(of(said, "battery") for said in life(number, 2, 3 * 3600)) > 3.0


@pytest.mark.parametrize("number", range(10))
def test_robot_stays_in_its_area_and_on_its_lanes(number: int) -> None:
    robot = Robot(number, 4)
    yard = robot.yard
    across_lanes = [yard.crossing(0, row)[1] for row in range(yard.crossings()[1])]
    along_lanes = [yard.crossing(column, 0)[0] for column in range(yard.crossings()[0])]
    bay = yard.bay(robot.place)
    for _ in range(5400):
        robot.step(1.0)
        along, across = robot.motion.at
        assert abs(along) <= yard.length_m / 2
        assert abs(across) <= yard.width_m / 2
        on_row = min(abs(across - lane) for lane in across_lanes) < 0.1
        on_column = min(abs(along - lane) for lane in along_lanes) < 0.1
        assert on_row or on_column or abs(along - bay[0]) < 0.1


def test_positions_cover_the_ground_that_the_speed_says() -> None:
    for before, after in zip(track := life(1, 3, 3600), track[1:], strict=False):
        moved = metres_between(
            (of(before, "latitude"), of(before, "longitude")), (of(after, "latitude"), of(after, "longitude"))
        )
        assert moved <= 5.5 + 0.3
        assert of(after, "odometer") >= of(before, "odometer")
        assert abs(of(after, "speed") - of(before, "speed")) <= 2.6


def test_driving_robot_looks_where_it_goes() -> None:
    robot = Robot(0, 5)
    off = []
    for _ in range(1200):
        before = robot.motion.at
        said = robot.step(1.0)
        moved = math.dist(before, robot.motion.at)
        if moved > 3.0 and of(said, "state") == "driving":
            d_along, d_across = robot.motion.at[0] - before[0], robot.motion.at[1] - before[1]
            off.append(abs(turned(robot.motion.heading_deg, robot.yard.ground.compass(d_along, d_across))))
    assert len(off) > 100
    assert max(off) < 30.0


def test_long_steps_keep_the_promises_too() -> None:
    for said in life(2, 1, 500, dt_s=20.0):
        assert 0.0 <= of(said, "battery") <= 100.0
        assert 0.0 <= of(said, "speed") <= 5.8


def test_events_happen_and_say_what_they_are() -> None:
    happenings = [said.happening for said in life(0, 1, 3 * 3600) if said.happening is not None]
    kinds = {happening.event_type for happening in happenings}
    assert {"docked", "undocked", "obstacle", "low_battery", "error", "recovered"} <= kinds
    assert all(happening.message for happening in happenings)
    assert {h.message for h in happenings if h.event_type == "error"} <= set(MISHAPS)


def test_status_is_told_first_and_then_only_when_it_changes() -> None:
    told = [said.device_status for said in life(0, 1, 3 * 3600)]
    assert told[0] is not None
    changes = [status for status in told if status is not None]
    assert len(changes) < 200
    assert all(a != b for a, b in itertools.pairwise(changes))
    assert set(changes) == {"ok", "low_battery", "charging", "error"}


def test_charging_fills_and_driving_drains() -> None:
    track = life(4, 1, 3 * 3600)
    for before, after in itertools.pairwise(track):
        if of(before, "state") == of(after, "state") == "charging":
            assert of(after, "battery") >= of(before, "battery")
        elif of(before, "state") == of(after, "state") == "driving":
            assert of(after, "battery") <= of(before, "battery")


def test_pose_comes_now_and_then_and_bumper_is_a_boolean() -> None:
    track = life(0, 1, 600)
    poses = [said.readings["pose"] for said in track if "pose" in said.readings]
    assert 55 <= len(poses) <= 62
    assert all(isinstance(pose, dict) and {"x", "y", "theta", "frame"} == pose.keys() for pose in poses)
    assert all(isinstance(of(said, "bumper"), bool) for said in track)
    assert set(UNITS) <= track[0].readings.keys()


def test_twenty_five_robots_fill_five_towns_with_names_of_their_own() -> None:
    robots = [Robot(number, 1) for number in range(25)]
    assert len({robot.name for robot in robots}) == 25
    assert {robot.yard.town for robot in robots} == {yard.town for yard in YARDS}
    assert robots[0].name == "Rotterdam 01"


@pytest.mark.parametrize("yard", YARDS, ids=lambda yard: yard.town)
def test_yards_are_one_to_three_kilometres_of_believable_ground(yard: Any) -> None:
    a = yard.ground.to_degrees(-yard.length_m / 2, -yard.width_m / 2)
    b = yard.ground.to_degrees(yard.length_m / 2, yard.width_m / 2)
    assert metres_between(a, b) == pytest.approx(math.hypot(yard.length_m, yard.width_m), rel=0.01)
    assert 1000 <= math.hypot(yard.length_m, yard.width_m) <= 3000
    assert yard.crossings()[0] >= 10 and yard.crossings()[1] >= 4
    assert yard.bay(0)[1] > -yard.width_m / 2
    assert LANE_M > 0


def test_robot_obeys_dock_stop_and_resume() -> None:
    robot = Robot(0, 1)
    for _ in range(60):
        robot.step(1.0)
    assert robot.obey("stop", {}) == (True, "stopped")
    for _ in range(15):
        robot.step(1.0)
    standing = robot.position
    robot.step(30.0)
    assert robot.position == standing
    assert robot.state == "idle"
    robot.obey("resume", {})
    robot.obey("dock", {})
    states = set()
    for _ in range(1200):
        robot.step(1.0)
        states.add(robot.state)
    assert "charging" in states


def test_unknown_command_is_refused_in_words() -> None:
    done, response = Robot(0, 1).obey("fly", {"height": 3})
    assert not done
    assert "fly" in response


@pytest.mark.parametrize("a,b,turn", [(0, 90, 90), (350, 10, 20), (10, 350, -20), (0, 180, -180)])
def test_turns_take_the_short_way(a: float, b: float, turn: float) -> None:
    assert turned(a, b) == turn
