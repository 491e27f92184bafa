"""The collector as a whole: two ports, the spool, and the way to the server, for as long as the program runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mooring.collector.forward import Forwarder
from mooring.collector.http import Poster
from mooring.collector.intake import Intake
from mooring.collector.spool import MAX_BYTES, Spool
from mooring.doors.devices.tcp.listener import Listener
from mooring.doors.listening import bind
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Invalid
from mooring.wire.jsonstream import ObjectStream
from mooring.wire.packed import BATTERY
from mooring.wire.tcp import FixedFrames


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """Where to listen (a port of None is off, 0 takes a free one), what to forward to, where to spool."""

    url: str
    spool: Path
    token: str = ""
    host: str = "127.0.0.1"
    battery_port: int | None = 23456
    predictor_port: int | None = 23457
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector: the ports it listens on, and what it has done."""

    addresses: dict[str, str]
    forwarder: Forwarder


@asynccontextmanager
async def collecting(options: CollectOptions, clock: Clock) -> AsyncIterator[Collector]:
    """Listen and forward for the length of a block; what is not confirmed at its end stays in the spool."""
    if options.battery_port is None and options.predictor_port is None:
        raise Invalid("both ports are off", hint="give --battery-port or --predictor-port")
    poster = Poster(options.url, options.token)
    spool = Spool(options.spool, max_bytes=options.max_bytes)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(poster.close)
        spool.open()
        stack.callback(spool.close)
        intake = Intake(spool, clock)
        forwarder = Forwarder(spool, poster, intake, clock)
        await stack.enter_async_context(_running(intake, forwarder))
        addresses = {}
        for name, port, listener in _ports(options, intake):
            sock = bind(options.host, port, setting=f"--{name}-port")
            stack.callback(sock.close)
            addresses[name] = "{}:{}".format(*sock.getsockname()[:2])
            await stack.enter_async_context(listener.listening(sock))
        yield Collector(addresses, forwarder)


def _ports(options: CollectOptions, intake: Intake) -> list[tuple[str, int, Listener]]:
    frames = Listener("battery frames", intake.frames, lambda: FixedFrames(BATTERY.size))
    objects = Listener("battery objects", intake.objects, ObjectStream)
    wanted = (("battery", options.battery_port, frames), ("predictor", options.predictor_port, objects))
    return [(name, port, listener) for name, port, listener in wanted if port is not None]


@asynccontextmanager
async def _running(intake: Intake, forwarder: Forwarder) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(intake.run()), tasks.create_task(forwarder.run())]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
