"""Durable against bare, turn by turn: WebSocket frames, HTTP frames, HTTP batches against DuckDB alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from statistics import median

from bench.figure import Figure, paired
from bench.fleet import Device, Mooring
from bench.load.frames import READINGS
from bench.load.http import Route, batch_body, post, single_body
from bench.load.socket import Target
from bench.load.tally import Pressure, Tally
from bench.load.ws import flood
from bench.run import Run, boot, play
from bench.server import REPO, SERVER_CORE, Server, bare

SOCKETS, CONNECTIONS = 64, 128
BATCH, BATCH_CONNECTIONS = 500, 8


def clocked(pressure: Pressure, server: Server) -> Pressure:
    """Return `pressure` with the CPU clock of `server`."""
    return replace(pressure, clock=lambda: server.cpu_s)


def flood_devices(server: Server, devices: list[Device], pressure: Pressure) -> Tally:
    """Flood over one socket per device."""
    return play(flood(Target(server.url, [one.token for one in devices]), clocked(pressure, server), boot_id=boot()))


def post_devices(server: Server, devices: list[Device], pressure: Pressure, *, batch: int = 1) -> Tally:
    """Post over one connection per device: single frames, or bodies of `batch`."""
    name = boot()
    routes = [Route(server.url, f"/api/devices/{one.id}/data", one.token, batch) for one in devices]
    if batch == 1:
        bodies = [single_body(boot_id=name, salt=at) for at in range(len(devices))]
    else:
        bodies = [batch_body(batch, boot_id=name, salt=at) for at in range(len(devices))]
    return play(post(routes, bodies, clocked(pressure, server)))


def ws(run: Run) -> None:
    """Measure frames stored and receipted over WebSocket against the bare loop."""
    with Mooring() as mooring, bare() as yardstick, run.watched("ws"):
        devices = mooring.devices(SOCKETS)
        turns = Turns()
        for _ in range(run.turns):
            turns.durable(run.check("ws durable", flood_devices(mooring.server, devices, run.pressure)))
            turns.bare(run.check("ws bare", flood_devices(yardstick, devices, run.pressure)))
    run.add(
        Figure(
            "WebSocket, durable ÷ bare decode-and-answer loop",
            paired(durable, plain),
            0.55,
            note=f"{median(durable):,.0f} of {median(plain):,.0f} frames/s, {SOCKETS} sockets, "
            f"{median(durable) * READINGS:,.0f} readings/s stored",
            detail={"durable": durable, "bare": plain},
        )
    )


def http(run: Run) -> None:
    """Measure single frames over HTTP against the bare Starlette route."""
    with Mooring() as mooring, bare() as yardstick, run.watched("http"):
        devices = mooring.devices(CONNECTIONS)
        durable, plain = [], []
        for _ in range(run.turns):
            durable.append(run.check("http durable", post_devices(mooring.server, devices, run.pressure)))
            plain.append(run.check("http bare", post_devices(yardstick, devices, run.pressure)))
    run.known["http"] = median(durable)
    run.add(
        Figure(
            "HTTP single frames, durable ÷ bare Starlette + msgspec",
            paired(durable, plain),
            0.6,
            note=f"{median(durable):,.0f} of {median(plain):,.0f} frames/s, {CONNECTIONS} connections",
            detail={"durable": durable, "bare": plain},
        )
    )


def duckdb_alone(seconds: float) -> dict[str, float]:
    """Return readings per second by rows per commit, on the server's core."""
    command = [sys.executable, "-m", "bench.bare.duckdb_insert", str(seconds)]
    with_core = ["taskset", "-c", str(SERVER_CORE), *command]
    done = subprocess.run(with_core, cwd=REPO, capture_output=True, text=True, check=True, timeout=120)
    return {size: float(rate) for size, rate in json.loads(done.stdout).items()}


def batch(run: Run) -> None:
    """Measure batches of 500 frames over HTTP against DuckDB inserting the same columns alone."""
    with Mooring() as mooring, run.watched("batch"):
        devices = mooring.devices(BATCH_CONNECTIONS)
        durable, alone, large = [], [], []
        for _ in range(run.turns):
            tally = post_devices(mooring.server, devices, run.pressure, batch=BATCH)
            durable.append(run.check("batches of 500", tally) * READINGS)
            found = duckdb_alone(1.5)
            run.say(f"duckdb alone: {found}")
            alone.append(found["2500"])
            large.append(found["10000"])
    run.known["batch"] = median(durable) / READINGS
    run.add(
        Figure(
            f"HTTP batches of {BATCH} frames, readings/s ÷ DuckDB insert alone",
            paired(durable, alone),
            0.2,
            note=f"{median(durable):,.0f} of {median(alone):,.0f} readings/s, {BATCH_CONNECTIONS} connections; "
            f"DuckDB with 10,000 rows a commit {median(large):,.0f}",
            detail={"durable": durable, "alone_2500": alone, "alone_10000": large},
        )
    )
