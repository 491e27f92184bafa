"""What waits for one Socket.IO client: the newest of each subject, bounded, in bursts."""

from __future__ import annotations

from mooring.doors.devices.socketio.outbox import BURST_BYTES, EACH, MAX_BYTES, Outbox


def test_newer_text_takes_the_place_of_the_older_one() -> None:
    outbox = Outbox()
    for number in range(1000):
        outbox.put("speed", str(number))
    outbox.put("battery", "x")
    assert len(outbox) == 2
    assert list(outbox.burst()) == ["999", "x"]
    assert (len(outbox), outbox.size) == (0, 0)


def test_client_that_never_reads_is_owed_no_more_than_the_bound() -> None:
    outbox = Outbox()
    for number in range(100_000):
        outbox.put(number, "x" * 500)
    assert outbox.size <= MAX_BYTES
    assert outbox.dropped == 100_000 - len(outbox)
    assert next(outbox.burst())


def test_burst_takes_a_part_and_always_something() -> None:
    outbox = Outbox()
    outbox.put("fleet", "x" * (MAX_BYTES * 4))
    assert len(outbox) == 1
    assert [len(text) for text in outbox.burst()] == [MAX_BYTES * 4]
    for number in range(400):
        outbox.put(number, "y" * 300)
    before, sent = len(outbox), list(outbox.burst())
    assert 0 < sum(len(text) + EACH for text in sent) <= BURST_BYTES
    assert len(outbox) == before - len(sent)
