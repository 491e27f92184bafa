"""``mooring collect``: the battery ports alone, forwarding to a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mooring.collector.service import CollectOptions


def collect(
    *,
    url: Annotated[str, typer.Option(help="The server's address.")] = "http://127.0.0.1:8000",
    key: Annotated[
        str, typer.Option(envvar="MOORING_API_KEY", help="API key or device token; none for an open server.")
    ] = "",
    host: Annotated[str, typer.Option(envvar="MOORING_HOST", help="Address to listen on.")] = "127.0.0.1",
    battery_port: Annotated[
        int, typer.Option(min=0, max=65535, envvar="MOORING_BATTERY_PORT", help="Port of packed frames; 0 is off.")
    ] = 23456,
    predictor_port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, envvar="MOORING_PREDICTOR_PORT", help="Port of the predictor's JSON objects; 0 is off."
        ),
    ] = 23457,
    spool: Annotated[Path, typer.Option(help="Folder for what the server has not confirmed.")] = Path("mooring-spool"),
    max_spool_mb: Annotated[int, typer.Option(min=16, help="Size at which the oldest of it is dropped, in MB.")] = 1024,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Listen on the two battery ports and forward to a server, through a spool on disk that outlives both."""
    from mooring.collector.service import CollectOptions

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr, level=log_level.upper())
    options = CollectOptions(
        url=url,
        token=key,
        host=host,
        battery_port=battery_port or None,
        predictor_port=predictor_port or None,
        spool=spool,
        max_bytes=max_spool_mb << 20,
    )
    asyncio.run(_collect(options))


async def _collect(options: CollectOptions) -> None:
    from mooring.adapters.clock import SystemClock
    from mooring.adapters.lock import folder_lock
    from mooring.collector.service import collecting

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    options.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder_lock(options.spool):
        async with collecting(options, SystemClock()) as collector:
            told = " ".join(f"{name}={address}" for name, address in collector.addresses.items())
            typer.echo(f"ready: {told}")
            sys.stdout.flush()
            await stopped.wait()
    tally = collector.forwarder.tally
    typer.echo(f"stored {tally.stored}, duplicates {tally.duplicates}, refused {tally.refused}")
