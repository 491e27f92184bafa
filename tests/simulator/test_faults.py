"""Faults: read from a line, drawn from a seed."""

from __future__ import annotations

import random

import pytest

from mooring.simulator.errors import FleetOptionsInvalid
from mooring.simulator.faults import Faults, Mischief


def test_faults_are_read_from_a_line() -> None:
    assert Faults.of("late=0.1, flap=0.001,late_s=5") == Faults(late=0.1, flap=0.001, late_s=5.0)
    assert Faults.of("") == Faults()


@pytest.mark.parametrize("text", ["nap=0.1", "late", "late=x", "late=1.5", "late=-1", "late=nan", "late_s=-1"])
def test_faults_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(FleetOptionsInvalid):
        Faults.of(text)


def test_without_faults_nothing_happens() -> None:
    mischief = Mischief(Faults(), random.Random(1))
    assert not any(mischief.sends_twice() or mischief.drops_socket() or mischief.delay_s() for _ in range(100))


def test_late_and_out_of_order_frames_are_held_back() -> None:
    late = [Mischief(Faults(late=1.0, late_s=8.0), random.Random(seed)).delay_s() for seed in range(50)]
    swapped = [Mischief(Faults(out_of_order=1.0), random.Random(seed)).delay_s() for seed in range(50)]
    assert min(late) >= 0 and 6.0 < max(late) <= 8.0
    assert min(swapped) >= 0.5 and max(swapped) <= 3.0
