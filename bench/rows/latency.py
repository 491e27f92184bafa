"""How long a receipt takes at half of the maximum rate, and how long a frame takes to a live viewer."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from bench.figure import Figure
from bench.fleet import Mooring
from bench.load.live import watch
from bench.load.socket import Target
from bench.load.ws import steady
from bench.rows.rates import SOCKETS, clocked, flood_devices
from bench.run import Run, boot, play

BLOCK = 8  # frames a device sends at once, at the maximum and at half of it
LIVE_RATE, LIVE_DEVICES = 5_000, 500


def latency(run: Run) -> None:
    """Measure p99 of receipts at half of the maximum rate, three times; the median counts."""
    with Mooring() as mooring, run.watched("latency"):
        devices = mooring.devices(SOCKETS)
        pressure = clocked(replace(run.pressure, block=BLOCK), mooring.server)
        most = run.check("most", flood_devices(mooring.server, devices, pressure))
        target = Target(mooring.url, [one.token for one in devices])
        found = []
        for _ in range(max(3, run.turns)):
            tally = play(steady(target, most / 2, pressure, boot_id=boot()))
            run.check("half", tally)
            found.append((tally.quantile_ms(0.99), tally.quantile_ms(0.5), tally.rate))
    rate, middle = median(rate for *_, rate in found), median(p50 for _, p50, _ in found)
    note = f"at {rate:,.0f} of {most:,.0f} frames/s over {SOCKETS} sockets, {BLOCK} at once; p50 {middle:.1f} ms"
    worst = [p99 for p99, *_ in found]
    name = "receipt latency p99 at half of the maximum rate"
    run.add(Figure(name, median(worst), 25, " ms", True, note, {"p99_ms": worst}))


def live(run: Run) -> None:
    """Measure p99 from a frame's sending until a live subscriber was shown it or a newer one of the same device."""
    with Mooring() as mooring, run.watched("live"):
        devices = mooring.devices(100 if run.quick else LIVE_DEVICES)
        found = []
        for _ in range(max(3, run.turns)):
            tally = play(watch(mooring.url, mooring.token, devices, LIVE_RATE, run.pressure.seconds, boot_id=boot()))
            run.check("live", tally)
            found.append((tally.quantile_ms(0.99), tally.quantile_ms(0.5), tally.share_shown))
    note = (
        f"{LIVE_RATE:,} frames/s of {len(devices)} devices; p50 {median(p for _, p, _ in found):.0f} ms; "
        f"{median(s for *_, s in found):.0%} of frames shown themselves, the rest by a newer one"
    )
    worst = [p99 for p99, *_ in found]
    run.add(Figure("frame sent → shown on /ws/live, p99", median(worst), 100, " ms", True, note, {"p99_ms": worst}))
