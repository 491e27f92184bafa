"""Durable against bare, turn by turn: WebSocket frames, HTTP frames, HTTP batches against DuckDB alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from bench.figure import Figure, paired
from bench.fleet import Device, Mooring
from bench.load.frames import READINGS
from bench.load.http import Route, batch_body, lone_body, post
from bench.load.socket import Target
from bench.load.tally import Pressure, Tally
from bench.load.ws import flood
from bench.run import Run, boot, play
from bench.server import REPO, SERVER_CORE, Server, bare

Take = Callable[[Server, list[Device], Pressure], Tally]
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
        bodies = [lone_body(boot_id=name, salt=at) for at in range(len(devices))]
    else:
        bodies = [batch_body(batch, boot_id=name, salt=at) for at in range(len(devices))]
    return play(post(routes, bodies, clocked(pressure, server)))


def against_bare(run: Run, label: str, take: Take, count: int) -> tuple[float, str, dict[str, list[float]]]:
    """Let Mooring and the bare loop take turns over `count` devices; return their ratio, a note and what was found."""
    found: dict[str, list[float]] = {"durable": [], "bare": [], "durable_cpu_us": [], "bare_cpu_us": []}
    with Mooring() as mooring, bare() as yardstick, run.watched(label):
        devices, receipts = mooring.devices(count), 0
        for _ in range(run.turns):
            for side, server in (("durable", mooring.server), ("bare", yardstick)):
                tally = take(server, devices, run.pressure)
                found[side].append(run.check(f"{label} {side}", tally))
                found[f"{side}_cpu_us"].append(tally.cpu_us)
                receipts += tally.receipts if side == "durable" else 0
        run.compare(label, receipts, mooring.call("GET", "/api/overview")["readings"]["total"])
    note = (
        f"{median(found['durable']):,.0f} of {median(found['bare']):,.0f} frames/s; "
        f"{median(found['durable_cpu_us']):.1f} against {median(found['bare_cpu_us']):.1f} µs of CPU a frame, "
        f"which is {paired(found['bare_cpu_us'], found['durable_cpu_us']):.2f}"
    )
    return paired(found["durable"], found["bare"]), note, found


def ws(run: Run) -> None:
    """Measure frames stored and receipted over WebSocket against the bare loop."""
    ratio, note, found = against_bare(run, "ws", flood_devices, SOCKETS)
    name = f"WebSocket, {SOCKETS} sockets, durable ÷ bare decode-and-answer loop"
    run.add(Figure(name, ratio, 0.55, note=note, detail=found))


def http(run: Run) -> None:
    """Measure single frames over HTTP against the bare Starlette route."""
    ratio, note, found = against_bare(run, "http", post_devices, CONNECTIONS)
    name = f"HTTP single frames, {CONNECTIONS} connections, durable ÷ bare Starlette + msgspec"
    run.add(Figure(name, ratio, 0.6, note=note, detail=found))


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
