"""What waits for one WebSocket: in order, bounded, and gone when the socket is."""

from __future__ import annotations

import asyncio
from typing import Any

from mooring.doors.dialects.outbox import Outbox


class Socket:
    """A socket whose reader reads when it is let."""

    def __init__(self, *, reads: bool = True) -> None:
        self.sent: list[Any] = []
        self.reading = asyncio.Event()
        self.broken = False
        if reads:
            self.reading.set()

    async def send(self, message: Any) -> None:
        await self.reading.wait()
        if self.broken:
            raise OSError
        self.sent.append(message.get("text", message.get("code")))


async def test_texts_leave_in_order() -> None:
    socket = Socket()
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(socket.send, tasks)
        for number in range(100):
            assert outbox.put(str(number))
    assert socket.sent == [str(number) for number in range(100)]


async def test_reader_that_does_not_read_is_owed_no_more_than_the_bound() -> None:
    socket = Socket(reads=False)
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(socket.send, tasks, max_bytes=10_000)
        taken = sum(outbox.put("x" * 100) for _ in range(1000))
        assert 40 <= taken <= 60
        socket.reading.set()
    assert len(socket.sent) == taken


async def test_room_waits_until_half_is_read() -> None:
    socket = Socket(reads=False)
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(socket.send, tasks, max_bytes=1000)
        outbox.put_all(["x" * 100] * 20)
        waiting = tasks.create_task(outbox.room())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        socket.reading.set()
    assert waiting.done()


async def test_broken_socket_ends_the_waiting_and_takes_nothing_more() -> None:
    socket = Socket(reads=False)
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(socket.send, tasks, max_bytes=1000)
        outbox.put_all(["x" * 100] * 20)
        waiting = tasks.create_task(outbox.room())
        await asyncio.sleep(0)
        socket.broken = True
        socket.reading.set()
    assert waiting.done() and outbox.closed and not outbox.put("x")


async def test_close_says_why_and_drops_the_rest() -> None:
    socket = Socket()
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(socket.send, tasks)
        outbox.close(1008, "reads too slowly")
        outbox.close(1008, "twice")
        assert not outbox.put("late")
    assert socket.sent == [1008]
