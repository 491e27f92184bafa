"""What the server weighs: idle memory, memory per idle socket, and the time until it is ready over a full store."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.figure import Figure
from bench.fleet import Device, Mooring
from bench.load.frames import FIRST_SEQ, READINGS, list_block
from bench.load.http import Body, Route, post
from bench.load.socket import Socket, Target
from bench.load.tally import Pressure, Tally
from bench.load.ws import hang_up, open_all
from bench.run import Run, boot, play

IDLE_SOCKETS = 5_000
STORED = 10_000_000
STORE_DEVICES, STORE_BATCH, STORE_CONNECTIONS = 200, 500, 8
STEP_MS = 30_000
STORE = Path(tempfile.gettempdir()) / "mooring-bench-store"


def memory(run: Run) -> None:
    """Measure resident memory right after the start, and per idle device socket."""
    sockets = 1_000 if run.quick else IDLE_SOCKETS
    with Mooring() as mooring:
        time.sleep(2)
        idle = mooring.server.rss_bytes
        run.add(Figure("idle server, resident memory", idle / 2**20, 160, " MiB", True, "two seconds after ready"))
        devices = mooring.devices(sockets)
        time.sleep(1)
        before = mooring.server.rss_bytes
        grown = play(hold(mooring, devices)) - before
    note = f"{sockets:,} connected; {before / 2**20:.0f} → {(before + grown) / 2**20:.0f} MiB"
    run.add(Figure("memory per idle WebSocket device", grown / sockets / 1024, 40, " KiB", True, note))


async def hold(mooring: Mooring, devices: list[Device]) -> int:
    """Connect all `devices`, let them idle and return the server's resident bytes."""
    tally = Tally()
    target = Target(mooring.url, [one.token for one in devices])
    sockets = [Socket(target, one.token, tally) for one in devices]
    await open_all(sockets)
    await asyncio.sleep(3)
    if tally.lost_connections:
        raise RuntimeError(f"{tally.lost_connections} idle sockets were closed by the server")
    held = mooring.server.rss_bytes
    await hang_up(sockets)
    return held


def start(run: Run) -> None:
    """Measure process start to ready over ten million stored readings; the store is made once and kept."""
    wanted = STORED // 10 if run.quick else STORED
    folder = STORE.with_name(f"{STORE.name}-{wanted}")
    if not (folder / "complete").exists():
        fill(run, folder, wanted)
    found, lines = [], []
    for _ in range(3):
        with Mooring(folder) as mooring:
            mooring.log_in()
            stored = mooring.call("GET", "/api/overview")["readings"]["total"]
            found.append(mooring.server.ready_s)
            lines.append(mooring.server.ready_line_s)
            run.say(f"ready after {mooring.server.ready_s:.2f} s over {stored:,} readings")
    note = f"{stored:,} readings; process start to first `/readyz` 200; `ready:` line after {median(lines):.2f} s"
    run.add(
        Figure(
            f"start to ready with {wanted // 10**6} M stored readings",
            median(found),
            3,
            " s",
            True,
            note,
            {"ready_s": found},
        )
    )


def fill(run: Run, folder: Path, wanted: int) -> None:
    """Store `wanted` readings by HTTP batches, as a fleet would have over some days."""
    run.say(f"filling {folder} with {wanted:,} readings, once")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Mooring(folder) as mooring:
        devices = mooring.devices(STORE_DEVICES)
        each = wanted // READINGS // STORE_DEVICES
        for at in range(0, STORE_DEVICES, STORE_CONNECTIONS):
            play(fill_devices(mooring, devices[at : at + STORE_CONNECTIONS], each))
    (folder / "complete").touch()


async def fill_devices(mooring: Mooring, devices: list[Device], each: int) -> None:
    """Post `each` frames of each device, `STEP_MS` apart and ending now."""
    routes = [Route(mooring.url, f"/api/devices/{one.id}/data", one.token, STORE_BATCH) for one in devices]
    name = boot()
    bodies = [history_body(each, boot_id=name, salt=at) for at in range(len(devices))]
    wanted = each * len(devices)
    tally = await post(routes, bodies, Pressure(60, 0), until=wanted)
    if tally.stored < wanted:
        raise RuntimeError(f"the store could not be filled: {tally.doubt}")


def history_body(each: int, *, boot_id: str, salt: int) -> Body:
    """Return the bodies of a device's history: stamps that end now, however fast they are sent."""
    block = list_block(STORE_BATCH, boot_id=boot_id, salt=salt)
    block.step_ms = STEP_MS
    first_ms = time.time_ns() // 1_000_000 - each * STEP_MS

    def body(seq: int) -> bytes:
        stamp_ms = first_ms + (seq - FIRST_SEQ + STORE_BATCH) * STEP_MS
        return b'{"frames":[' + block.take(seq, stamp_ms=min(stamp_ms, time.time_ns() // 1_000_000))[:-1] + b"]}"

    return body
