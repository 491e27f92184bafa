"""The TCP listener with real sockets: cutting, holding back, patience, and no room for too many."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from mooring.doors.devices.tcp.listener import Listener, Part, Patience
from mooring.doors.listening import bind
from mooring.telemetry.errors import QueueFull
from mooring.wire.jsonstream import ObjectStream
from mooring.wire.tcp import FixedFrames

Open = Callable[..., AbstractAsyncContextManager["Port"]]


class Target:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.calls = 0
        self.here: list[str] = []
        self.full = False
        self.emptied = asyncio.Event()

    async def room(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self.emptied.wait()
        except TimeoutError:
            raise QueueFull("full") from None

    def take(self, parts: list[Part]) -> None:
        self.calls += 1
        self.parts += parts

    def opened(self, address: str) -> None:
        self.here.append(address)

    def closed(self, address: str) -> None:
        self.here.remove(address)

    @property
    def data(self) -> bytes:
        """Return all that came, joined."""
        return b"".join(data for _, data in self.parts)


class Port:
    """A listener on a free port, and its target."""

    def __init__(self, listener: Listener, target: Target, number: int) -> None:
        self.listener = listener
        self.target = target
        self.number = number

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)


@pytest.fixture
def opened() -> Open:
    @asynccontextmanager
    async def serve(**options: object) -> AsyncIterator[Port]:
        target = Target()
        listener = Listener("test", target, lambda: FixedFrames(16), **options)
        sock = bind("127.0.0.1", 0, setting="none")
        async with listener.listening(sock):
            yield Port(listener, target, sock.getsockname()[1])

    return serve


async def until(true: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 (whatever it waits for tells nobody)
            await asyncio.sleep(0.01)


async def test_frames_arrive_whole_however_they_are_split(opened: Open) -> None:
    async with opened() as port:
        _, writer = await port.connect()
        sent = bytes(range(256)) * 3
        for byte in sent:
            writer.write(bytes([byte]))
            await writer.drain()
        await until(lambda: port.target.data == sent)
        assert all(len(data) % 16 == 0 for _, data in port.target.parts)
        writer.close()


async def test_many_connections_do_not_mix_their_bytes(opened: Open) -> None:
    async with opened() as port:
        writers = [(await port.connect())[1] for _ in range(50)]
        for half in (0, 1):
            for number, writer in enumerate(writers):
                writer.write(bytes([number]) * 8)
            await asyncio.gather(*(writer.drain() for writer in writers))
            await asyncio.sleep(0.02 * (1 - half))
        await until(lambda: len(port.target.data) == 50 * 16)
        frames = {port.target.data[at : at + 16] for at in range(0, 50 * 16, 16)}
        assert frames == {bytes([number]) * 16 for number in range(50)}
        for writer in writers:
            writer.close()


async def test_half_a_frame_at_the_end_of_a_connection_is_dropped(opened: Open) -> None:
    async with opened() as port:
        _, writer = await port.connect()
        writer.write(b"a" * 16 + b"b" * 7)
        writer.close()
        await until(lambda: port.target.parts and not port.target.here)
        assert port.target.data == b"a" * 16
        assert port.listener.connections == 0


async def test_nothing_is_ever_answered(opened: Open) -> None:
    async with opened() as port:
        reader, writer = await port.connect()
        writer.write(b"x" * 160)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.close()


async def test_a_full_target_stops_the_reading_and_not_the_connection(opened: Open) -> None:
    async with opened() as port:
        port.target.full = True
        reader, writer = await port.connect()
        await until(lambda: port.listener.connections)
        sent = 0
        # The kernel's buffers fill up; then the sender is held back.
        with pytest.raises(TimeoutError):
            while sent < 1 << 28:
                writer.write(b"y" * 65_536)
                await asyncio.wait_for(writer.drain(), 0.3)
                sent += 65_536
        assert len(port.target.data) <= 1 << 20
        port.target.full = False
        port.target.emptied.set()
        await until(lambda: len(port.target.data) >= sent, 20)
        assert not reader.at_eof()
        writer.close()


@pytest.mark.parametrize(
    ("said", "patience"),
    [
        (b"", Patience(first_s=0.1)),
        (b"half", Patience(first_s=60, inside_s=0.1)),
        (b"w" * 16, Patience(first_s=0.2, inside_s=60, silent_s=0.1)),
    ],
    ids=["never a word", "half a frame", "silent since"],
)
async def test_nobody_holds_a_socket_for_nothing(opened: Open, said: bytes, patience: Patience) -> None:
    async with opened(patience=patience) as port:
        port.listener._patience = patience
        reader, writer = await port.connect()
        writer.write(said)
        if patience.first_s > 1:
            # The sweep is seldom where patience is long: look by hand.
            await until(lambda: port.listener.connections)
            await asyncio.sleep(0.15)
            [connection] = port.listener._connections
            connection.check(asyncio.get_running_loop().time(), patience)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_bytes_that_make_no_message_gain_no_time() -> None:
    target = Target()
    listener = Listener("test", target, ObjectStream, patience=Patience(first_s=0.2))
    sock = bind("127.0.0.1", 0, setting="none")
    async with listener.listening(sock):
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])

        async def babble() -> None:
            while True:
                writer.write(b"babble ")
                await writer.drain()
                await asyncio.sleep(0.02)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(babble(), 5)
        assert listener.skipped > 0
        writer.close()
        del reader


async def test_too_many_connections_are_refused_and_the_others_go_on(opened: Open) -> None:
    async with opened(max_connections=2) as port:
        kept = [await port.connect() for _ in range(2)]
        await until(lambda: port.listener.connections == 2)
        reader, writer = await port.connect()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        kept[0][1].write(b"z" * 16)
        await until(lambda: port.target.data == b"z" * 16)
        for _, writer in kept:
            writer.close()
        await until(lambda: not port.listener.connections)


async def test_closing_the_port_ends_the_connections(opened: Open) -> None:
    async with opened() as port:
        reader, writer = await port.connect()
        await until(lambda: port.listener.connections)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_port_that_is_taken_names_itself_and_the_setting() -> None:
    from mooring.kernel.errors import Unavailable

    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {number} on 127.0.0.1 is taken") as caught:
            bind("127.0.0.1", number, setting="MOORING_BATTERY_PORT")
        assert "MOORING_BATTERY_PORT" in (caught.value.hint or "")


async def test_connections_leave_nothing_behind(opened: Open) -> None:
    async with opened() as port:
        for _ in range(200):
            _, writer = await port.connect()
            writer.write(b"q" * 16)
            writer.close()
            await writer.wait_closed()
        await until(lambda: len(port.target.data) == 3200 and not port.listener.connections)
        gc.collect()
        from mooring.doors.devices.tcp.listener import Connection

        assert sum(isinstance(one, Connection) for one in gc.get_objects()) < 10
