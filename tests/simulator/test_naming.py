"""Names for people, and the choice of recordings for a demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from mooring.simulator.naming import recordings_for_demo, series_key, shipped_recordings, title_of
from mooring.simulator.recording import read_recording


@pytest.mark.parametrize(
    "stem,title",
    [
        ("ambient_temperature_system_failure", "Ambient temperature"),
        ("cold_store_temperature", "Cold store temperature"),
        ("pump-vibration", "Pump vibration"),
        ("ec2_cpu_utilization_24ae8d", "EC2 CPU utilization 24ae8d"),
        ("failure", "Failure"),
        ("___", "Recording"),
        ("größe", "Größe"),
    ],
)
def test_file_names_become_titles(stem: str, title: str) -> None:
    assert title_of(stem) == title


@pytest.mark.parametrize(
    "column,stem,key",
    [
        ("value", "ambient_temperature_system_failure", "temperature"),
        ("value", "something", "value"),
        ("Inlet Temp", "something", "inlet_temp"),
    ],
)
def test_a_plain_value_column_takes_the_quantity_of_its_file(column: str, stem: str, key: str) -> None:
    assert series_key(column, stem) == key


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("timestamp,value\n2026-09-01 00:00:00,1\n2026-09-01 00:05:00,2\n")


def test_demo_takes_four_of_different_character(tmp_path: Path) -> None:
    make(tmp_path, "a_temperature.csv", "b_temperature.csv", "c_speed.csv", "d_walk.csv", "e_latency.csv", "f.csv")
    (tmp_path / "notes.csv").write_text("hello\n")
    (tmp_path / "windows.json").write_text("{}")
    chosen = [path.name for path in recordings_for_demo(str(tmp_path))]
    assert chosen == ["a_temperature.csv", "c_speed.csv", "e_latency.csv", "d_walk.csv"]


def test_fewer_than_four_come_twice(tmp_path: Path) -> None:
    make(tmp_path, "a_temperature.csv")
    assert [path.name for path in recordings_for_demo(str(tmp_path))] == ["a_temperature.csv"] * 4


@pytest.mark.parametrize("folder", [None, "/nowhere/at/all"])
def test_without_a_folder_the_shipped_ones_play_twice_each(folder: str | None) -> None:
    chosen = recordings_for_demo(folder)
    assert len(chosen) == 4
    assert len(set(chosen)) == 2


def test_shipped_recordings_are_small_and_sound() -> None:
    units: dict[str, str] = {}
    for path in shipped_recordings():
        recording = read_recording(path)
        assert path.stat().st_size <= 120_000
        assert recording.bad_rows == 0
        assert len(recording.rows) == 14 * 288
        assert recording.usual_gap_s == 300.0
        units |= recording.units
    assert units == {"temperature": "°C", "vibration": "mm/s"}
