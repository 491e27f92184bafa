"""Rows as CSV and NDJSON are safe for whatever opens them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.telemetry.render import csv_text, ndjson_text

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(codec="utf-8"))
)


def test_a_header_then_a_line_a_row() -> None:
    rows = [{"a": 1, "b": "x", "c": None}, {"a": 2.5, "b": 'say "hi", please', "c": True}]
    assert csv_text(rows, ("a", "b", "c")) == 'a,b,c\r\n1,x,\r\n2.5,"say ""hi"", please",true\r\n'
    assert csv_text([], ("a", "b")) == "a,b\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_text_that_would_be_run_is_made_text(text: str) -> None:
    assert next(iter(csv.DictReader(io.StringIO(csv_text([{"a": text}], ("a",)), newline=""))))["a"] == f"'{text}"


def test_numbers_may_be_negative_and_objects_are_json() -> None:
    assert csv_text([{"a": -1.5, "b": {"x": [1]}}], ("a", "b")) == 'a,b\r\n-1.5,"{""x"":[1]}"\r\n'


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), max_size=5))
def test_no_text_survives_as_a_formula(rows: list[dict[str, Any]]) -> None:
    read = list(csv.reader(io.StringIO(csv_text(rows, ("a", "b")), newline="")))
    assert len(read) == len(rows) + 1
    for row, cells in zip(rows, read[1:], strict=True):
        for value, cell in zip((row["a"], row["b"]), cells, strict=True):
            assert not (isinstance(value, str) and cell.startswith(FORMULAS))


@given(st.lists(st.fixed_dictionaries({"a": CELLS}), max_size=5))
def test_every_row_is_one_line_of_json(rows: list[dict[str, Any]]) -> None:
    lines = ndjson_text(rows).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        read = json.loads(line)["a"]
        # A float beyond any integer type is written without its point.
        assert read == row["a"]
