"""The spool: nothing leaves before its receipt, and the oldest goes when it is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mooring.simulator.spool import Spool


def test_frames_go_in_order_and_stay_until_settled() -> None:
    spool = Spool()
    for seq in (1, 2, 3):
        spool.add(seq, b"x", 0.0)
    assert [entry.seq for entry in spool.take(1.0, 2)] == [1, 2]
    assert (len(spool), spool.in_flight) == (3, 2)
    assert spool.settle(1) is not None
    assert spool.settle(1) is None
    assert (len(spool), spool.in_flight) == (2, 1)


def test_lost_connection_puts_everything_back_oldest_first() -> None:
    spool = Spool()
    for seq in (1, 2, 3, 4):
        spool.add(seq, b"x", float(seq))
    spool.take(2.0, 10)
    spool.put_all_back(5.0)
    assert spool.in_flight == 0
    assert [entry.seq for entry in spool.take(5.0, 10)] == [1, 2, 3, 4]


def test_frame_that_is_not_due_waits() -> None:
    spool = Spool()
    spool.add(1, b"x", 9.0)
    spool.add(2, b"x", 0.0)
    assert [entry.seq for entry in spool.take(1.0, 10)] == [2]
    assert spool.next_at() == 9.0
    spool.put_all_back(1.0)
    assert [entry.seq for entry in spool.take(1.0, 10)] == [2]
    assert [entry.seq for entry in spool.take(9.0, 10)] == [1]
    assert spool.next_at() is None


def test_full_spool_lets_the_oldest_go_and_counts_it() -> None:
    spool = Spool(capacity=2)
    for seq in (1, 2, 3):
        spool.add(seq, b"x", 0.0)
    assert spool.dropped == 1
    assert [entry.seq for entry in spool.take(0.0, 10)] == [2, 3]


def test_put_back_waits_its_time() -> None:
    spool = Spool()
    spool.add(1, b"x", 0.0)
    spool.take(0.0, 1)
    spool.put_back(1, 4.0)
    spool.put_back(1, 4.0)
    spool.put_back(99, 4.0)
    assert spool.take(3.0, 1) == []
    assert [entry.sends for entry in spool.take(4.0, 1)] == [2]
    assert spool.take(4.0, 1) == []


@given(st.lists(st.tuples(st.sampled_from("atsbp"), st.integers(1, 12)), max_size=60))
def test_every_frame_is_waiting_in_flight_or_gone(steps: list[tuple[str, int]]) -> None:
    spool, added, gone, now = Spool(capacity=8), 0, 0, 0.0
    for action, number in steps:
        now += 1.0
        if action == "a":
            added += 1
            spool.add(added, b"x", now)
        elif action == "t":
            assert all(entry.sent_at == now for entry in spool.take(now, number))
        elif action == "s":
            gone += spool.settle(number) is not None
        elif action == "b":
            spool.put_back(number, now)
        else:
            spool.put_all_back(now)
        assert len(spool) == added - gone - spool.dropped
        oldest = spool.oldest_in_flight()
        assert (oldest is None) == (spool.in_flight == 0)
    spool.put_all_back(now + 1)
    left = spool.take(now + 1, 100)
    assert [entry.seq for entry in left] == sorted(entry.seq for entry in left)
    assert len(left) == len(spool)
