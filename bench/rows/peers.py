"""Against the stack people write by hand: Flask + sqlite3, one commit per post, on the same core in the same run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from bench.figure import Figure, paired
from bench.fleet import Device, Mooring
from bench.load.frames import READINGS
from bench.peers.server import Peer, enrol
from bench.rows.rates import BATCH, BATCH_CONNECTIONS, CONNECTIONS, SOCKETS, flood_devices, post_devices
from bench.run import Run

TIMES = " times"
PEER_CONNECTIONS = 16  # where it is fastest: one per thread of its server


def peers(run: Run) -> None:
    """Measure both ways in against the peer's HTTP route."""
    hand = [Device(str(number), f"token-{number}") for number in range(PEER_CONNECTIONS)]
    rates: dict[str, list[float]] = {"peer": [], "ws": [], "http": [], "batch": []}
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder, run.watched("peers"):
        enrol(Path(folder), {one.id: one.token for one in hand})
        with Mooring() as mooring, Peer(Path(folder)) as peer:
            devices = mooring.devices(CONNECTIONS)
            for _ in range(run.turns):
                rates["peer"].append(run.check("peer", post_devices(peer, hand, run.pressure)))
                rates["ws"].append(run.check("ws", flood_devices(mooring.server, devices[:SOCKETS], run.pressure)))
                rates["http"].append(run.check("http", post_devices(mooring.server, devices, run.pressure)))
                some = devices[:BATCH_CONNECTIONS]
                rates["batch"].append(
                    run.check("batches", post_devices(mooring.server, some, run.pressure, batch=BATCH))
                )
    logged = with_log(run)
    plain = median(rates["peer"]) * READINGS
    note_wal = f"{logged * READINGS:,.0f} with SQLite's WAL"
    peer_note = f"peer {plain:,.0f} readings/s"
    for name, way, target in (("batches of 500 by HTTP", "batch", 20), ("single frames by HTTP", "http", 20)):
        note = f"{median(rates[way]) * READINGS:,.0f} readings/s; {peer_note}"
        run.add(Figure(f"Flask + sqlite3, {name}", paired(rates[way], rates["peer"]), target, TIMES, note=note))
    run.add(
        Figure(
            "Flask + sqlite3, by WebSocket",
            paired(rates["ws"], rates["peer"]),
            100,
            TIMES,
            note=f"{median(rates['ws']) * READINGS:,.0f} readings/s; {peer_note}, {note_wal}",
            detail={**rates, "peer_wal": [logged]},
        )
    )


def with_log(run: Run) -> float:
    """Return the peer's rate when its author knows to switch SQLite to the write-ahead log."""
    hand = [Device(str(number), f"token-{number}") for number in range(PEER_CONNECTIONS)]
    os.environ["PEER_JOURNAL"] = "wal"
    try:
        with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
            enrol(Path(folder), {one.id: one.token for one in hand})
            with Peer(Path(folder)) as peer:
                return run.check("peer with WAL", post_devices(peer, hand, run.pressure))
    finally:
        del os.environ["PEER_JOURNAL"]
