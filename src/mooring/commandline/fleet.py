"""``mooring simulate``: robots and recordings that come in through the doors of a running server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mooring.kernel.errors import Invalid

if TYPE_CHECKING:
    from mooring.simulator.fleet import FleetOptions
    from mooring.simulator.tally import Tally

Speed = Annotated[float | None, typer.Option(help="How much faster than recorded; default: about a row a second.")]
Demo = Annotated[bool, typer.Option(help="Also replay four recordings, shipped or of MOORING_RECORDINGS.")]
_KEY_HINT = "make one with: mooring key create USER --name simulator, then MOORING_API_KEY=…"


def simulate(
    *,
    url: Annotated[str, typer.Option(help="The server's address.")] = "http://127.0.0.1:8000",
    key: Annotated[str, typer.Option(envvar="MOORING_API_KEY", help="API key of the devices' owner.")] = "",
    robots: Annotated[int, typer.Option(min=0, max=10_000, help="How many robots.")] = 25,
    replay: Annotated[list[Path] | None, typer.Option(help="CSV file to replay; may be given several times.")] = None,
    speed: Speed = None,
    rate: Annotated[float, typer.Option(min=0.01, max=100, help="Frames a second per robot.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same journeys.")] = 1,
    backfill: Annotated[int, typer.Option(min=0, help="Rows of each recording to post first, as history.")] = 0,
    faults: Annotated[str, typer.Option(help="Misbehave, for example late=0.1,duplicate=0.05,flap=0.001.")] = "",
    prefix: Annotated[str, typer.Option(help="Put before the devices' names.")] = "",
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    demo_recordings: Demo = False,
    united: Annotated[bool, typer.Option(help="Robots of contract C, with two channels each, instead.")] = False,
    serial: Annotated[str, typer.Option(help="With --united: one robot that is known by this serial.")] = "",
    token: Annotated[str, typer.Option(envvar="MOORING_DEVICE_TOKEN", help="The token of --serial.")] = "",
    quiet: Annotated[bool, typer.Option(help="Say only what goes wrong.")] = False,
    tethered: Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Simulate a fleet against a running server: robots that wander, recordings replayed in their own rhythm."""
    from mooring.simulator.faults import Faults
    from mooring.simulator.fleet import FleetOptions

    if united:
        journey = {"robots": robots, "rate_hz": rate, "seed": seed, "prefix": prefix, "duration_s": duration}
        _united(url, key, (serial, token), journey, quiet=quiet)
        return
    options = FleetOptions(
        url=url,
        key=_needed(key),
        robots=robots,
        replays=_recordings(replay, demo=demo_recordings),
        speed=speed,
        rate_hz=rate,
        seed=seed,
        backfill_rows=backfill,
        faults=Faults.of(faults) if faults else Faults(),
        prefix=prefix,
        duration_s=duration,
    )
    _run(options, quiet=quiet, tethered=tethered)


def _needed(key: str) -> str:
    if not key:
        raise Invalid("no API key", hint=_KEY_HINT)
    return key


def _recordings(replay: list[Path] | None, *, demo: bool) -> tuple[Path, ...]:
    from mooring.simulator.fleet import recordings_for_demo

    return (*(replay or ()), *(recordings_for_demo(os.environ.get("MOORING_RECORDINGS")) if demo else ()))


def _run(options: FleetOptions, *, quiet: bool, tethered: bool) -> None:
    from mooring.adapters.clock import SystemClock
    from mooring.commandline.progress import Reporter
    from mooring.simulator.command import simulate as run

    if tethered:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    try:
        with Reporter(quiet=quiet) as reporter:
            tally = run(options, SystemClock(), reporter)
    except asyncio.CancelledError:
        # Asked to end a second time, by an impatient person or by the demo that ends with us: at once, then.
        raise typer.Exit(130) from None
    _tell(tally, quiet=quiet)


def _united(url: str, key: str, known: tuple[str, str], journey: dict[str, Any], *, quiet: bool) -> None:
    from mooring.adapters.clock import SystemClock
    from mooring.commandline.progress import Reporter
    from mooring.simulator.command import simulate_united
    from mooring.simulator.united import UnitedOptions
    from mooring.simulator.united_session import Pair

    options = UnitedOptions(url=url, key=key, pair=Pair(*known) if known[0] else None, **journey)
    with Reporter(quiet=quiet) as reporter:
        tally = simulate_united(options, SystemClock(), reporter)
    _tell(tally, quiet=quiet)


def _tell(tally: Tally, *, quiet: bool) -> None:
    if not quiet:
        _sum_up(tally)


def _sum_up(tally: Tally) -> None:
    typer.echo(
        f"sent {tally.sent}, acknowledged {tally.acked}, duplicates {tally.duplicates}, rejected {tally.rejected}"
    )
    sys.stdout.flush()


def _stop_at_end_of_input() -> None:
    """End with whoever started us, however it ended: its end of our standard input closes with it."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
