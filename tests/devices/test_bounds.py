"""Bounds: what people and devices may write about a device, whatever they try."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.devices import bounds
from mooring.devices.errors import FieldInvalid, QueryInvalid
from mooring.devices.model import DeviceQuery, NewDevice
from mooring.devices.paging import pack, unpack


@pytest.mark.parametrize("token", ["short", "has a space in the middle", "zwölf-zeichen-und-mehr", "x" * 300, 5])
def test_weak_or_unfit_token_is_refused(token: object) -> None:
    with pytest.raises(FieldInvalid):
        bounds.token(token)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "nul\0", "half\ud800", "line\nbreak", 5, None])
def test_name_that_is_not_a_name_is_refused(name: Any) -> None:
    with pytest.raises(FieldInvalid):
        bounds.fields_of(NewDevice(name=name))


@pytest.mark.parametrize("name", ["روبوت", "🦾👩‍🔧", "a/b?c#d", "x" * 200, "'; drop table devices; --"])
def test_name_may_be_in_any_language(name: str) -> None:
    assert bounds.fields_of(NewDevice(name=f" {name} "))["name"] == name


def _deep(levels: int) -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(levels):
        deep = {"a": [deep]}
    return deep


@pytest.mark.parametrize(
    "configuration",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 2**63},
        {"a\0": 1},
        {5: 1},
        {"a": "\ud800"},
        {"a": "x" * 70_000},
        {"a": object()},
        _deep(2000),
        [],
    ],
)
def test_configuration_no_store_can_hold_is_refused(configuration: Any) -> None:
    with pytest.raises(FieldInvalid):
        bounds.fields_of(NewDevice(name="a", configuration=configuration))


def test_only_what_people_may_change_is_taken() -> None:
    told = {"name": "n", "id": "x", "user_id": "u", "status": "online", "created_at": 0, "lifecycle": "deleted"}
    assert bounds.changes(told) == {"name": "n"}


@pytest.mark.parametrize("query", [DeviceQuery(q="nul\0"), DeviceQuery(q="\ud800"), DeviceQuery(group_id="x" * 201)])
def test_filter_no_database_can_compare_is_refused(query: DeviceQuery) -> None:
    with pytest.raises(QueryInvalid):
        bounds.query(query)


@given(st.text(st.characters(exclude_categories=[])), st.integers(1, 50))
def test_whatever_a_device_writes_becomes_storable(said: str, longest: int) -> None:
    kept = bounds.clipped(said, longest)
    assert len(kept) <= longest
    assert bounds.is_storable(kept)
    kept.encode()


@given(st.text(min_size=500, max_size=900))
def test_search_text_fits_an_index_row(said: str) -> None:
    folded = bounds.search_text({"name": "n", "description": said})
    assert len(folded.encode()) <= bounds.MAX_SEARCH_BYTES


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.integers(-(2**63) + 1, 2**63 - 1))
def test_cursor_gives_back_what_it_was_made_of(name: str, number: int) -> None:
    assert unpack(pack("name", [name, number]), "name", [str, int]) == [name, number]


@given(st.text(st.characters(exclude_categories=[])))
def test_cursor_from_a_stranger_is_refused_and_nothing_worse(cursor: str) -> None:
    with pytest.raises(QueryInvalid):
        unpack(cursor, "name", [str, int])
