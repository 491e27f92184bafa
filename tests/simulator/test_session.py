"""The session against a real WebSocket server: nothing lost, nothing confirmed twice, every wait bounded."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.simulator.toys import Harbour, RealClock, harbour_open, store, until

from mooring.simulator.errors import TokenRefused
from mooring.simulator.faults import Faults
from mooring.simulator.session import Line, Session, SessionLimits
from mooring.simulator.waiting import Backoff

QUICK = SessionLimits(
    open_s=2.0, resume_s=0.2, receipt_s=0.4, retry_s=0.05, first_backoff_s=0.01, longest_backoff_s=0.05, drain_s=3.0
)


def make(harbour: Harbour, limits: SessionLimits = QUICK, **more: Any) -> Session:
    return Session(Line(harbour.url, "secret"), RealClock(), limits=limits, rng=random.Random(1), **more)


@asynccontextmanager
async def running(session: Session) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(session.run())
    try:
        yield task
    finally:
        session.stop()
        async with asyncio.timeout(10):
            await task


def reading(number: int) -> dict[str, Any]:
    return {"sensor_readings": {"n": number}}


async def test_frames_are_numbered_sent_in_order_and_confirmed() -> None:
    async with harbour_open(Harbour()) as harbour:
        session = make(harbour)
        async with running(session):
            for number in range(100):
                session.offer(reading(number))
            await until(lambda: session.outstanding == 0)
    assert harbour.order == list(range(1, 101))
    assert [frame["sensor_readings"]["n"] for frame in harbour.stored.values()] == list(range(100))
    assert session.tally.acked == session.tally.offered == session.tally.sent == 100
    assert harbour.tokens == ["Bearer secret"]
    assert {boot for boot, _ in harbour.stored} == {session.line.boot_id}


async def test_each_start_has_a_boot_id_of_its_own() -> None:
    assert Line("ws://x", "t").boot_id != Line("ws://x", "t").boot_id


async def test_dropped_socket_loses_nothing_and_confirms_nothing_twice() -> None:
    heard = 0

    def cut_now_and_then(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        """Every 23rd frame is stored, but its receipt and the socket are lost."""
        nonlocal heard
        heard += 1
        receipt = store(harbour, frame)
        if heard % 23 == 0:
            harbour.drop_all()
            return None
        return receipt

    async with harbour_open(Harbour(cut_now_and_then)) as harbour:
        session = make(harbour, SessionLimits(**{**fields_of(QUICK), "batch": 1}))
        async with running(session):
            for number in range(300):
                session.offer(reading(number))
                if number % 20 == 0:
                    await asyncio.sleep(0.01)
            await until(lambda: session.outstanding == 0, 20)
    tally = session.tally
    assert sorted(seq for _, seq in harbour.stored) == list(range(1, 301))
    assert tally.acked == 300
    assert tally.stray == 0
    assert tally.reconnects >= 5
    assert tally.duplicates >= 1
    assert harbour.resumes == harbour.connections
    assert session.last_seq_there is not None


def fields_of(limits: SessionLimits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in SessionLimits.__dataclass_fields__}


async def test_backlog_of_an_outage_goes_in_batches_oldest_first() -> None:
    async with harbour_open(Harbour()) as harbour:
        harbour.refuse_with = 503
        session = make(harbour)
        for number in range(200):
            session.offer(reading(number))
        async with running(session):
            await until(lambda: len(harbour.tokens) >= 3)
            assert session.outstanding == 200
            harbour.refuse_with = None
            await until(lambda: session.outstanding == 0)
    assert harbour.order == list(range(1, 201))
    assert any(isinstance(said, list) and len(said) == QUICK.batch for said in harbour.heard)


async def test_throttled_frame_waits_as_long_as_it_was_told() -> None:
    refusals = 3
    times: list[float] = []

    def throttle(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal refusals
        times.append(asyncio.get_running_loop().time())
        if refusals:
            refusals -= 1
            return {"seq": frame["seq"], "status": "throttled", "reason": "rate", "retry_after_s": 0.15}
        return store(harbour, frame)

    async with harbour_open(Harbour(throttle)) as harbour:
        session = make(harbour)
        async with running(session):
            session.offer(reading(1))
            await until(lambda: session.outstanding == 0)
    assert session.tally.throttled == 3
    assert session.tally.acked == 1
    assert all(later - sooner >= 0.14 for sooner, later in itertools.pairwise(times))


async def test_full_disk_is_not_the_fault_of_the_frame() -> None:
    full = True

    def judge(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        if full:
            return {"seq": frame["seq"], "status": "rejected", "reason": "storage_full: no room"}
        return store(harbour, frame)

    async with harbour_open(Harbour(judge)) as harbour:
        session = make(harbour)
        async with running(session):
            session.offer(reading(1))
            await until(lambda: session.tally.throttled >= 2)
            full = False
            await until(lambda: session.outstanding == 0)
    assert (session.tally.acked, session.tally.rejected) == (1, 0)


async def test_rejected_frame_is_counted_and_not_sent_again() -> None:
    def judge(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        return {"seq": frame["seq"], "status": "rejected", "reason": "invalid: too hot"}

    async with harbour_open(Harbour(judge)) as harbour:
        session = make(harbour)
        async with running(session):
            session.offer(reading(1))
            await until(lambda: session.outstanding == 0)
            await asyncio.sleep(0.05)
    assert (session.tally.rejected, session.tally.acked, session.tally.sent) == (1, 0, 1)
    assert session.tally.last_reason == "invalid: too hot"


async def test_receipt_that_never_comes_ends_the_connection_and_the_frame_goes_again() -> None:
    deaf = True

    def judge(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        return None if deaf else store(harbour, frame)

    async with harbour_open(Harbour(judge)) as harbour:
        session = make(harbour)
        async with running(session):
            session.offer(reading(1))
            await until(lambda: harbour.connections >= 3)
            deaf = False
            await until(lambda: session.outstanding == 0)
    assert session.tally.acked == 1
    assert session.tally.rejected == 0


async def test_frame_that_the_server_chokes_on_does_not_block_the_others_for_ever() -> None:
    def judge(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        if frame["seq"] == 1:
            return {"error": "cannot read this", "code": "invalid"}
        return store(harbour, frame)

    async with harbour_open(Harbour(judge)) as harbour:
        session = make(harbour, SessionLimits(**{**fields_of(QUICK), "batch": 1}))
        async with running(session):
            session.offer(reading(1))
            session.offer(reading(2))
            await until(lambda: session.outstanding == 0)
    assert (session.tally.acked, session.tally.rejected) == (1, 1)


async def test_server_without_resume_is_served_all_the_same() -> None:
    async with harbour_open(Harbour()) as harbour:
        harbour.knows_resume = False
        session = make(harbour)
        async with running(session):
            session.offer(reading(1))
            await until(lambda: session.outstanding == 0)
    assert session.tally.acked == 1


async def test_refused_token_ends_the_session_after_a_few_tries() -> None:
    async with harbour_open(Harbour()) as harbour:
        harbour.refuse_with = 403
        session = make(harbour)
        with pytest.raises(TokenRefused, match="403"):
            async with asyncio.timeout(5):
                await session.run()
    assert len(harbour.tokens) == 3


async def test_stop_delivers_what_is_outstanding() -> None:
    async with harbour_open(Harbour()) as harbour:
        session = make(harbour)
        task = asyncio.create_task(session.run())
        await until(lambda: harbour.connections == 1)
        for number in range(500):
            session.offer(reading(number))
        session.stop()
        async with asyncio.timeout(5):
            await task
    assert len(harbour.stored) == session.tally.acked == 500
    assert session.tally.connected == 0


async def test_stop_sees_to_it_that_a_flapping_socket_loses_nothing() -> None:
    def cut(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
        if len(harbour.stored) == 1:
            harbour.drop_all()
        return store(harbour, frame)

    async with harbour_open(Harbour(cut)) as harbour:
        session = make(harbour, SessionLimits(**{**fields_of(QUICK), "batch": 1}))
        task = asyncio.create_task(session.run())
        await until(lambda: harbour.connections == 1)
        for number in range(3):
            session.offer(reading(number))
        session.stop()
        async with asyncio.timeout(5):
            await task
    assert len(harbour.stored) == session.tally.acked == 3
    assert session.tally.reconnects == 1


async def test_stop_ends_even_when_nobody_listens() -> None:
    limits = SessionLimits(**{**fields_of(QUICK), "drain_s": 0.2})
    session = Session(Line("ws://127.0.0.1:9", "t"), RealClock(), limits=limits)
    session.offer(reading(1))
    task = asyncio.create_task(session.run())
    await asyncio.sleep(0.05)
    session.stop()
    async with asyncio.timeout(5):
        await task
    assert session.outstanding == 1


async def test_cancelled_session_closes_its_socket() -> None:
    async with harbour_open(Harbour()) as harbour:
        task = asyncio.create_task(make(harbour).run())
        await until(lambda: harbour.connections == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: harbour.sockets[0].close_code is not None)
        assert harbour.sockets[0].close_code == 1000


async def test_faults_change_the_order_and_the_count_but_never_the_outcome() -> None:
    async with harbour_open(Harbour()) as harbour:
        faults = Faults(late=0.2, duplicate=0.3, flap=0.05, late_s=0.3)
        session = make(harbour, SessionLimits(**{**fields_of(QUICK), "batch": 4}), faults=faults)
        async with running(session):
            for number in range(200):
                session.offer(reading(number))
            await until(lambda: session.outstanding == 0, 20)
    assert sorted(seq for _, seq in harbour.stored) == list(range(1, 201))
    assert harbour.order != sorted(harbour.order)
    assert session.tally.acked == 200
    assert session.tally.duplicates > 0
    assert session.tally.reconnects > 0


async def test_spool_is_bounded_and_the_loss_is_counted() -> None:
    session = Session(Line("ws://127.0.0.1:9", "t"), RealClock(), limits=SessionLimits(capacity=10))
    for number in range(25):
        session.offer(reading(number))
    assert session.outstanding == 10
    assert session.tally.dropped == 15


async def test_command_is_carried_out_once_and_answered_each_time() -> None:
    obeyed: list[tuple[str, dict[str, Any]]] = []

    def obey(command_type: str, parameters: dict[str, Any]) -> tuple[bool, str]:
        obeyed.append((command_type, parameters))
        return True, "done"

    async with harbour_open(Harbour()) as harbour:
        session = make(harbour, obey=obey)
        async with running(session):
            await until(lambda: harbour.resumes == 1)
            command = json.dumps({"type": "command", "id": "c1", "command_type": "dock", "parameters": {"bay": 2}})
            await harbour.sockets[0].send(command)
            await harbour.sockets[0].send(command)
            await until(lambda: len(harbour.heard) == 3)
    assert obeyed == [("dock", {"bay": 2})]
    assert harbour.heard[1:] == [{"type": "command_result", "id": "c1", "status": "executed", "response": "done"}] * 2


async def test_nonsense_from_the_server_is_borne() -> None:
    async with harbour_open(Harbour()) as harbour:
        session = make(harbour)
        async with running(session):
            await until(lambda: harbour.resumes == 1)
            for text in (
                "not json",
                "[1,2]",
                "7",
                "null",
                '{"seq":"x","status":"stored"}',
                '{"seq":99,"status":"stored"}',
            ):
                await harbour.sockets[0].send(text)
            session.offer(reading(1))
            await until(lambda: session.tally.acked == 1)
    assert session.tally.stray == 1
    assert harbour.connections == 1


def test_backoff_doubles_with_jitter_up_to_a_bound() -> None:
    backoff = Backoff(random.Random(1), first_s=1.0, longest_s=8.0)
    waits = [backoff.next_s() for _ in range(8)]
    for wait_s, bound in zip(waits, (1, 2, 4, 8, 8, 8, 8, 8), strict=True):
        assert bound / 2 <= wait_s <= bound
    assert len(set(waits)) == 8
    backoff.reset()
    assert backoff.next_s() <= 1.0
