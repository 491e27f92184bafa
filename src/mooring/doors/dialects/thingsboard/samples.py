"""Telemetry of this API on its way into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from mooring.kernel.clock import Clock
from mooring.kernel.frames import Frame
from mooring.telemetry.batch import Sink
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire.thingsboard import Sample

READINGS_PER_FRAME: Final = 1_000
# Before 1973 a clock was never set; more than a day ahead it is wrong. Such a time is kept, but not believed.
_EARLIEST_MS: Final = 100_000_000_000
_AHEAD_MS: Final = 86_400_000
DEVICE_TIME: Final = "device_timestamp"


def frames_of(samples: Iterable[Sample], clock: Clock) -> list[Frame]:
    """Return the frames that hold `samples`; one without values says nothing."""
    frames: list[Frame] = []
    for sample in samples:
        stamp, values = sample
        if stamp is not None:
            values, stamp = _timed(values, stamp, clock)
        if dict in set(map(type, values.values())):
            # As a reading {"value": …} has a meaning of its own; what is nested is wrapped, and so kept as it is.
            values = {key: {"value": value} if type(value) is dict else value for key, value in values.items()}
        if len(values) > READINGS_PER_FRAME:
            frames += _split(values, stamp)
        elif values:
            frames.append(Frame(values, timestamp=stamp))
    return frames


def accept(ingest: Ingest, source: Source, frames: Sequence[Frame], sink: Sink | None) -> None:
    """Hand frames to ingest; `sink` gets a receipt for each."""
    for frame in frames:
        ingest.accept(source, frame, sink)


def _timed(values: dict[str, Any], ts: int, clock: Clock) -> tuple[dict[str, Any], int | None]:
    """Return values and their time in µs, or, of a time that cannot be, the values with it among them and no time."""
    if _EARLIEST_MS <= ts <= clock.now_us() // 1000 + _AHEAD_MS:
        return values, ts * 1000
    return ({**values, DEVICE_TIME: ts} if values else values), None


def _split(values: dict[str, Any], stamp: int | None) -> Iterator[Frame]:
    items = iter(values.items())
    while part := dict(islice(items, READINGS_PER_FRAME)):
        yield Frame(part, timestamp=stamp)
