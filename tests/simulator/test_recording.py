"""Recordings: what a CSV file may look like, and what is said about one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.simulator.errors import RecordingInvalid
from mooring.simulator.recording import Recording, read_recording


def read(folder: Path, text: str, name: str = "tank_level.csv") -> Recording:
    path = folder / name
    path.write_bytes(text.encode())
    return read_recording(path)


def test_narrow_file_is_read(tmp_path: Path) -> None:
    recording = read(tmp_path, "timestamp,value\n2026-09-01 00:00:00,1.5\n2026-09-01 00:05:00,2\n")
    assert recording.title == "Tank level"
    assert [column.key for column in recording.columns] == ["level"]
    assert [row.values for row in recording.rows] == [{"level": 1.5}, {"level": 2.0}]
    assert recording.usual_gap_s == 300.0
    assert recording.rows[0].at_us == 1_788_220_800_000_000


def test_wide_file_is_read_with_units_and_holes(tmp_path: Path) -> None:
    recording = read(tmp_path, "time,Inlet temp [°C],Flow (l/min),rpm\n0,20.5,,900\n\n60,20.6,11,\n", "pump.csv")
    assert recording.units == {"inlet_temp": "°C", "flow": "l/min"}
    assert [row.values for row in recording.rows] == [
        {"inlet_temp": 20.5, "rpm": 900.0},
        {"inlet_temp": 20.6, "flow": 11.0},
    ]


@pytest.mark.parametrize(
    "stamp,at_us",
    [
        ("2026-09-01T00:00:00Z", 1_788_220_800_000_000),
        ("2026-09-01T02:00:00+02:00", 1_788_220_800_000_000),
        ("2026-09-01", 1_788_220_800_000_000),
        ("1788220800", 1_788_220_800_000_000),
        ("1788220800.25", 1_788_220_800_250_000),
        ("1788220800000", 1_788_220_800_000_000),
    ],
)
def test_times_are_iso_or_epoch(tmp_path: Path, stamp: str, at_us: int) -> None:
    assert read(tmp_path, f"timestamp,value\n{stamp},1\n").rows[0].at_us == at_us


def test_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    recording = read(tmp_path, "\ufefftimestamp,value\r\n2026-09-01 00:00:00,1\r\n")
    assert len(recording.rows) == 1


def test_bad_rows_are_counted_with_their_line_and_not_fatal(tmp_path: Path) -> None:
    recording = read(
        tmp_path,
        "timestamp,value\n2026-09-01,1\nyesterday,2\n2026-09-02,much\n2026-09-03,nan\n2026-09-04\n2026-09-05,\n"
        "2026-09-06,1e999\n2026-09-07,3\n",
    )
    assert [row.values["level"] for row in recording.rows] == [1.0, 3.0]
    assert recording.bad_rows == 6
    assert recording.bad_lines == [
        "line 3: not a time: 'yesterday'",
        "line 4: not a number: 'much'",
        "line 5: not a finite number: 'nan'",
        "line 6: 1 cells where the header has 2",
        "line 7: no value",
    ]


@pytest.mark.parametrize(
    "text,message",
    [
        ("", "line 1: the header is missing"),
        ("\n", "line 1: the header is missing"),
        ("2026-09-01,1\n", "line 1: the first column is not a time: 2026-09-01"),
        ("value,timestamp\n1,2\n", "line 1: the first column is not a time: value"),
        ("timestamp\n2026-09-01\n", "line 1: 0 value columns"),
        ("timestamp,a,\n2026-09-01,1,2\n", "line 1: column 3 has no name"),
        ("timestamp,a,A\n2026-09-01,1,2\n", "line 1: two columns have the same name: a"),
        ("timestamp,value\n", "no row with a time and a number"),
        ("timestamp,value\nx,1\n", "line 2: not a time: 'x'"),
        ('timestamp,value\n2026-09-01,"' + "x" * 200_000, "line 2: not CSV"),
    ],
)
def test_files_that_cannot_be_replayed_say_where_and_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordingInvalid) as refusal:
        read(tmp_path, text)
    assert message in refusal.value.message
    assert "tank_level.csv" in refusal.value.message


def test_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingInvalid, match="No such file"):
        read_recording(tmp_path / "none.csv")


def test_folder_and_binary_file_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(RecordingInvalid, match="cannot read"):
        read_recording(tmp_path)
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00timestamp")
    with pytest.raises(RecordingInvalid, match="not UTF-8"):
        read_recording(path)


@given(content=st.text(max_size=300))
def test_no_file_content_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(b"timestamp,value\n" + content.encode("utf-8", "surrogatepass"))
    try:
        recording = read_recording(path)
    except RecordingInvalid:
        return
    assert recording.rows
