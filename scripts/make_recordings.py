"""Make the two recordings that ship with the simulator: invented, but shaped like the real thing.

    python scripts/make_recordings.py            write them into src/mooring/simulator/recordings
    python scripts/make_recordings.py --check    say whether the files there are what this script makes

One fixed seed draws everything, so the files can be made again bit for bit.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src" / "mooring" / "simulator" / "recordings"
SEED = 20260901
START = datetime(2026, 9, 1)  # noqa: DTZ001 - recordings carry plain UTC times, like most loggers
STEP_MIN = 5
DAYS = 14
ROWS = DAYS * 24 * 60 // STEP_MIN
SUBSTEP_MIN = 1.0


def cold_store_temperature(rng: random.Random) -> Iterator[float]:
    """Yield °C in a freezer room: compressor cycles, two defrosts a day, doors by day, a compressor failure on day 11.

    The room follows Newton's law of cooling towards the hall outside; the compressor pulls while it runs, which a
    thermostat with two degrees of play decides.
    """
    room, cooling, door_min, slow = -20.0, True, 0.0, 0.0
    fails_from, fails_to = 10.6 * 1440, 10.6 * 1440 + 430
    for row in range(ROWS):
        for sub in range(STEP_MIN):
            minute = row * STEP_MIN + sub
            hour = minute / 60 % 24
            hall = 17.0 + 4.0 * math.sin((hour - 9) / 24 * 2 * math.pi) + 2.0 * math.sin(minute / 1440 / 5)
            if room > -19.0:
                cooling = True
            elif room < -21.0:
                cooling = False
            defrosting = hour % 12 < 0.4 and hour >= 0.0
            broken = fails_from <= minute < fails_to
            busy = 6 <= hour < 18 and int(minute / 1440) % 7 not in (4, 5)
            if door_min <= 0 and rng.random() < (1 / 75 if busy else 1 / 1500):
                door_min = rng.choice((2.0, 3.0, 4.0, 6.0, 14.0))
            leak = 0.00040 + (0.0075 if door_min > 0 else 0.0)
            door_min -= SUBSTEP_MIN
            pull = 0.0 if broken or defrosting or not cooling else 0.105
            room += (hall - room) * leak - pull + (0.11 if defrosting else 0.0) + rng.gauss(0.0, 0.012)
        slow += 0.02 * -slow + rng.gauss(0.0, 0.01)
        yield room + slow + rng.gauss(0.0, 0.06)


def pump_vibration(rng: random.Random) -> Iterator[float]:
    """Yield mm/s RMS at a pump's bearing: two speeds, standstills, wear that grows from day 8, a new bearing on day 13.

    Wear raises the level exponentially and makes it ragged; 4.5 mm/s is where ISO 10816 begins to be unhappy.
    """
    level, hum, until, running = 1.3, 0.0, 90, True
    for row in range(ROWS):
        day = row * STEP_MIN / 1440
        hour = day % 1 * 24
        if row >= until:
            running = not running or rng.random() < 0.7
            until = row + (rng.randint(30, 160) if running else rng.randint(4, 14))
        fast = 7 <= hour < 19
        wear = 0.0 if not 7.5 <= day < 12.55 else 0.09 * math.expm1((day - 7.5) / 1.18)
        repair = 12.55 <= day < 12.75
        healthy = 1.05 if day >= 12.75 else 1.3
        goal = 0.06 if repair or not running else healthy * (1.28 if fast else 1.0) + wear
        level += (goal - level) * 0.75
        hum = 0.9 * hum + rng.gauss(0.0, 0.022)
        ragged = abs(rng.gauss(0.0, 0.18)) * wear if running and not repair else 0.0
        knock = rng.uniform(0.4, 1.2) if running and not repair and rng.random() < 0.002 + 0.012 * min(wear, 4) else 0.0
        yield max(0.01, level + (hum if goal > 0.5 else hum * 0.1) + ragged + knock + rng.gauss(0.0, 0.015))


RECORDINGS: dict[str, tuple[Callable[[random.Random], Iterator[float]], int]] = {
    "cold_store_temperature": (cold_store_temperature, 2),
    "pump_vibration": (pump_vibration, 3),
}


def text_of(name: str) -> str:
    """Return the CSV text of a recording."""
    series, digits = RECORDINGS[name]
    values = series(random.Random(f"{SEED} {name}"))
    lines = ["timestamp,value"]
    for row, value in enumerate(values):
        lines.append(f"{START + timedelta(minutes=row * STEP_MIN)},{value:.{digits}f}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file differs")
    check = parser.parse_args().check
    differing = 0
    for name in RECORDINGS:
        path, text = FOLDER / f"{name}.csv", text_of(name)
        if check:
            same = path.is_file() and path.read_text(encoding="utf-8") == text
            differing += not same
            print(f"{'same' if same else 'differs'}: {path.name}")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {len(text):,} bytes: {path.name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
