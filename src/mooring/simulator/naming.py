"""From file names to words people read: device titles, series keys, and which recordings a demo plays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

SHIPPED_FOLDER = Path(__file__).parent / "recordings"
SHIPPED_UNITS = {"cold_store_temperature": "°C", "pump_vibration": "mm/s"}
DEMO_SERIES = 4
MOST_LOOKED_AT = 200

QUANTITIES = (
    "temperature", "humidity", "pressure", "vibration", "voltage", "current", "power", "energy", "speed", "flow",
    "level", "occupancy", "latency", "utilization", "co2", "weight",
)  # fmt: skip
LABELS = frozenset({"system", "failure", "failures", "fault", "anomaly", "anomalies", "misconfiguration", "recording"})
"""Words at the end of a file name that tell what happens in it, not what was measured."""
ACRONYMS = frozenset({"cpu", "gpu", "ram", "rpm", "hvac", "ups", "plc", "agv", "asg", "rds", "api", "io"})
PLAIN_COLUMNS = frozenset({"value", "val", "v", "y", "reading"})


def title_of(stem: str) -> str:
    """Return a device name for a file name: ``ambient_temperature_system_failure`` → ``Ambient temperature``."""
    words = _words(stem)
    while len(words) > 1 and words[-1].lower() in LABELS:
        words.pop()
    shown = [_cased(word) for word in words]
    title = " ".join(shown)[:80] or "Recording"
    return title[0].upper() + title[1:]


def series_key(column: str, stem: str) -> str:
    """Return the key of a series: the column's name, or what the file's name measures when that says only "value"."""
    key = re.sub(r"[^0-9a-z]+", "_", column.strip().lower()).strip("_")
    if key in PLAIN_COLUMNS:
        return quantity_of(stem) or key
    return key[:64]


def quantity_of(stem: str) -> str | None:
    """Return the measured quantity a file name speaks of, if it does."""
    words = [word.lower() for word in _words(stem)]
    return next((quantity for quantity in QUANTITIES if quantity in words), None)


def units_of_shipped(path: Path) -> str | None:
    """Return the unit of a recording that came with the program."""
    return SHIPPED_UNITS.get(path.stem) if path.parent == SHIPPED_FOLDER else None


def shipped_recordings() -> list[Path]:
    """Return the recordings that came with the program."""
    return sorted(SHIPPED_FOLDER.glob("*.csv"))


def recordings_for_demo(folder: str | None) -> list[Path]:
    """Return four recordings to replay: of `folder`, as different as their names tell, else the shipped ones.

    A path that comes twice is meant to be replayed twice, the second time from elsewhere in the file.
    """
    found = _fitting(Path(folder)) if folder else []
    chosen = _different(found)[:DEMO_SERIES] or shipped_recordings()
    if not chosen:
        return []
    return [chosen[position % len(chosen)] for position in range(DEMO_SERIES)]


def _fitting(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    names = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    return [path for path in names[:MOST_LOOKED_AT] if _has_time_header(path)]


def _has_time_header(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = lines.readline(4096)
            second = lines.readline(4096)
    except (OSError, UnicodeDecodeError):
        return False
    return first.lower().startswith(("timestamp,", "time,", "datetime,", "date,", "ts,")) and "," in second


def _different(paths: Sequence[Path]) -> list[Path]:
    """Order paths so that each quantity comes once, then what has none by first word, then all others."""
    ranked: list[tuple[int, Path]] = []
    seen: set[str] = set()
    for path in paths:
        quantity = quantity_of(path.stem)
        character = quantity or _words(path.stem)[0].lower()
        rank = 2 if character in seen else 0 if quantity else 1
        seen.add(character)
        ranked.append((rank, path))
    return [path for _, path in sorted(ranked, key=lambda pair: pair[0])]


def _words(stem: str) -> list[str]:
    words = [word for word in re.split(r"[^0-9A-Za-zÀ-ɏ]+", stem) if word]
    return words or ["recording"]


def _cased(word: str) -> str:
    lower = word.lower()
    short_with_digit = len(word) <= 4 and any(letter.isdigit() for letter in word) and word[0].isalpha()
    return word.upper() if lower in ACRONYMS or short_with_digit else lower
