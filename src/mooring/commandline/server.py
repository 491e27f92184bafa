"""``mooring serve`` and ``mooring demo``."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mooring.commandline.given import settings as given_settings
from mooring.kernel.errors import MooringError, Unavailable
from mooring.settings import DIALECTS, Settings

if TYPE_CHECKING:
    import uvicorn

    from mooring.app import Mooring

Host = Annotated[str | None, typer.Option(help="Address to listen on (MOORING_HOST).")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="HTTP port, 0 takes a free one (MOORING_PORT).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder for everything that is kept (MOORING_DATA_DIR).")]


def serve(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run the server until it is stopped with Ctrl-C or SIGTERM."""
    _run(_serve(given_settings(host=host, port=port, data_dir=data_dir)))


def demo(
    port: Port = None,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the data in this folder.")] = None,
    robots: Annotated[int, typer.Option(min=0, max=1000, help="How many robots to simulate.")] = 25,
    recordings: Annotated[
        Path | None, typer.Option(envvar="MOORING_RECORDINGS", help="Folder of CSV files to replay.")
    ] = None,
) -> None:
    """Run a server with a fresh data folder and a simulated fleet, on this machine only."""
    with contextlib.ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mooring-demo-")))
        settings = given_settings(
            host="127.0.0.1",
            port=port,
            data_dir=folder,
            database_url="",
            open_dialects=[name for name in DIALECTS if name != "united"],
        )
        _run(_demo(settings, robots, recordings))


def _run(work: Coroutine[None, None, None]) -> None:
    import uvloop

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        uvloop.run(work)
    except KeyboardInterrupt:
        return
    except BaseExceptionGroup as group:
        refusals = group.subgroup(MooringError)
        if refusals is None:
            raise
        raise _first(refusals) from None
    finally:
        # What stays frozen is never freed, and the readings' database says so at length when the program ends.
        gc.unfreeze()
        gc.enable()


def _first(group: BaseExceptionGroup[MooringError]) -> MooringError:
    """Return the first refusal in a task group's errors: the sentence a person can act on."""
    inner = group.exceptions[0]
    return inner if isinstance(inner, MooringError) else _first(inner)


async def _serve(settings: Settings) -> None:
    gc.disable()  # until _calm_collector: looking for cycles in what is just being imported is a tenth of the start
    from mooring.app import running
    from mooring.doors.listening import bind

    logging.getLogger().setLevel(settings.log_level.upper())
    sock = bind(settings.host, settings.port, setting="--port or MOORING_PORT")
    with contextlib.closing(sock):
        async with running(settings) as mooring, contextlib.AsyncExitStack() as ports:
            await _open_ports(settings, mooring, ports)
            _introduce(settings, mooring)
            await _listen(settings, mooring, sock)


async def _open_ports(
    settings: Settings, mooring: Mooring, ports: contextlib.AsyncExitStack, *, needed: bool = True
) -> None:
    """Serve the ports beside the HTTP one; where they are not `needed`, one that is taken is said and left out."""
    from mooring.doors.listening import bind

    for listener in mooring.listeners:
        try:
            sock = bind(settings.host, listener.port, setting=listener.setting)
        except Unavailable as error:
            if needed:
                raise
            typer.echo(f"{error.message}; going on without {listener.name}", err=True)
            continue
        ports.enter_context(contextlib.closing(sock))
        await ports.enter_async_context(listener.serving.listening(sock))


async def _listen(settings: Settings, mooring: Mooring, sock: socket.socket) -> None:
    server, address = _server(settings, mooring), _address(settings, sock)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[sock]))
        await _started(server, serving)
        typer.echo(f"ready: {address}")
        sys.stdout.flush()


async def _demo(settings: Settings, robots: int, recordings: Path | None) -> None:
    gc.disable()
    from mooring.app import running
    from mooring.doors.listening import bind

    try:
        sock = bind(settings.host, settings.port, setting="--port or MOORING_PORT")
    except Unavailable as error:
        typer.echo(f"{error.message}; taking a free port instead", err=True)
        sock = bind(settings.host, 0, setting="--port")
    with contextlib.closing(sock):
        async with running(settings) as mooring, contextlib.AsyncExitStack() as ports:
            await _open_ports(settings, mooring, ports, needed=False)
            _introduce(settings, mooring)
            typer.echo(f"open without credentials, on this machine only: {', '.join(settings.open_dialects)}")
            admin = await mooring.access.people.by_name(settings.admin_username)
            _, key = await mooring.access.keys.create(admin.id, "demo fleet")
            server, address = _server(settings, mooring), _address(settings, sock)
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.serve(sockets=[sock]))
                await _started(server, serving)
                typer.echo(f"ready: {address}")
                sys.stdout.flush()
                fleet = await _start_fleet(address, key, robots, recordings)
                await asyncio.wait([serving])
                await _stop_fleet(fleet)


async def _start_fleet(url: str, key: str, robots: int, recordings: Path | None) -> asyncio.subprocess.Process:
    """Start the simulator as a process of its own: a stranger that comes in through the doors."""
    arguments = ["simulate", "--url", url, "--robots", str(robots), "--demo-recordings", "--backfill", "2000"]
    environment = {**os.environ, "MOORING_API_KEY": key}
    if recordings is not None:
        environment["MOORING_RECORDINGS"] = str(recordings)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mooring", *arguments, "--quiet", "--tethered"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
    )


async def _stop_fleet(fleet: asyncio.subprocess.Process) -> None:
    if fleet.returncode is not None:
        return
    fleet.terminate()
    try:
        async with asyncio.timeout(8):
            await fleet.wait()
    except TimeoutError:
        fleet.kill()


def _server(settings: Settings, mooring: Mooring) -> uvicorn.Server:
    from mooring.doors.listening import server

    return server(
        mooring.app,
        mooring.post,
        max_connections=settings.max_connections,
        max_frame=settings.max_frame_bytes,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        log_level=settings.log_level,
    )


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    deadline = time.monotonic() + 30
    while not server.started:
        if serving.done() or time.monotonic() > deadline:
            raise Unavailable("the HTTP server did not start")
        await asyncio.sleep(0.005)
    _calm_collector()


def _calm_collector() -> None:
    """Look for cycles seldom and not among what lives as long as the server: it cost a sixth of every frame."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _introduce(settings: Settings, mooring: Mooring) -> None:
    if mooring.made_password:
        typer.echo(f"administrator: {settings.admin_username}")
        typer.echo(f"password: {mooring.made_password}   (shown once; change it with: mooring user passwd)")
        sys.stdout.flush()


def _address(settings: Settings, sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    shown = settings.host if settings.host not in ("0.0.0.0", "::") else host  # noqa: S104 (only compared)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
