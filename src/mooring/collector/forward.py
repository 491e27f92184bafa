"""From the spool to the server: in order, a batch at a time, confirmed before the next one goes."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mooring.collector.http import Answer, Poster
from mooring.collector.intake import AS_PERFORMANCE, FRAMES, Intake
from mooring.collector.spool import Entry, Spool
from mooring.doors.dialects.battery.model import DATA, DEVICE_TIMESTAMP, PERFORMANCE, PREDICTION
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Exhausted, MooringError, Unavailable
from mooring.wire import json
from mooring.wire.packed import BATTERY

log = logging.getLogger(__name__)

MAX_FRAMES = 4_000
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 30.0
# The request itself is at fault; sending it again changes nothing.
_NEVER = frozenset({400, 409, 413, 415, 422})


@dataclass(slots=True)
class Tally:
    """What has become of what arrived."""

    stored: int = 0
    duplicates: int = 0
    refused: int = 0


class Forwarder:
    """Sends what the spool holds, again and again until it is confirmed or refused for good."""

    def __init__(self, spool: Spool, poster: Poster, intake: Intake, clock: Clock) -> None:
        self.tally = Tally()
        self._spool = spool
        self._poster = poster
        self._intake = intake
        self._clock = clock

    async def run(self) -> None:
        """Send until cancelled."""
        wait_s = FIRST_WAIT_S
        while True:
            batch = self._batch()
            if not batch:
                self._intake.arrived.clear()
                await self._intake.arrived.wait()
                continue
            try:
                await self._send(batch)
            except MooringError as error:
                told = error.retry_after_s if isinstance(error, Exhausted) else None
                log.warning("%s; %d bytes wait", error.message, self._spool.waiting_bytes)
                await self._clock.sleep(told or wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                continue
            wait_s = FIRST_WAIT_S
            self._spool.confirm(batch[-1].end)

    def _batch(self) -> list[Entry]:
        """Return the oldest entries that go in one request: frames together, an object alone."""
        entries = self._spool.entries()
        first = next(entries, None)
        if first is None or first.kind != FRAMES:
            return [] if first is None else [first]
        batch, count = [first], len(first.body) // BATTERY.size
        for entry in islice(entries, MAX_FRAMES):
            count += len(entry.body) // BATTERY.size
            if entry.kind != FRAMES or count > MAX_FRAMES:
                break
            batch.append(entry)
        return batch

    async def _send(self, batch: Sequence[Entry]) -> None:
        """Send a batch; returns once it need not be sent again, raises why it must be."""
        first = batch[0]
        if first.kind == FRAMES:
            frames = [frame for entry in batch for frame in _frames(entry)]
            self.tally.refused += sum(len(entry.body) for entry in batch) // BATTERY.size - len(frames)
            if frames:
                answer = await self._post(f"/api/{DATA.name}/frames", json.encode({"frames": frames}))
                self._settle(answer, len(frames))
            return
        kind = PERFORMANCE if first.kind == AS_PERFORMANCE else PREDICTION
        # Numbered apart from the frames, which have numbers of their own under the same start.
        key = f"{first.boot_id}.objects:{first.seq}"
        self._settle(await self._post(f"/api/{kind.name}", first.body, key=key), 1)

    async def _post(self, path: str, body: bytes, *, key: str | None = None) -> Answer:
        headers = {} if key is None else {"idempotency-key": key}
        answer = await asyncio.to_thread(self._poster.post, path, body, **headers)
        if answer.status < 300 or answer.status in _NEVER:
            return answer
        message = f"{self._poster.url} refuses: {answer.reason}"
        if answer.status == 429:
            raise Exhausted(message, retry_after_s=answer.retry_after_s)
        raise Unavailable(message)

    def _settle(self, answer: Answer, count: int) -> None:
        """Count what an answer says; raises if a part of it must be sent again."""
        if answer.status in _NEVER:
            self._refuse(count, answer.reason)
            return
        receipts = answer.body.get("receipts") if isinstance(answer.body, dict) else None
        if receipts is None:
            self.tally.stored += count
            return
        for receipt in receipts:
            reason = str(receipt.get("reason", ""))
            if receipt["status"] == "throttled" or reason.startswith(("unavailable", "storage_full")):
                raise Exhausted(f"{self._poster.url}: {reason}", retry_after_s=receipt.get("retry_after_s"))
        statuses = [receipt["status"] for receipt in receipts]
        self.tally.stored += statuses.count("stored")
        self.tally.duplicates += statuses.count("duplicate")
        if refused := statuses.count("rejected"):
            self._refuse(refused, next(str(one.get("reason")) for one in receipts if one["status"] == "rejected"))

    def _refuse(self, count: int, reason: str) -> None:
        self.tally.refused += count
        log.error("the server will never take %d of what was sent: %s", count, reason)


def _frames(entry: Entry) -> list[dict[str, Any]]:
    """Return the frames of an entry as the server takes them; what holds no numbers is left out."""
    columns = BATTERY.decode(entry.body)
    rows = zip(*(columns[name].tolist() for name in BATTERY.names), strict=True)
    return [
        {
            "boot_id": entry.boot_id,
            "seq": entry.seq + index,
            "timestamp": entry.at_us + index,
            "sensor_readings": {
                DEVICE_TIMESTAMP: stamp if math.isfinite(stamp) else 0.0,
                **dict(zip(DATA.fields, values, strict=True)),
            },
        }
        for index, (stamp, *values) in enumerate(rows)
        if all(map(math.isfinite, values))
    ]
