"""Post what a sensor measured before it came to us, in batches over HTTP, each safe to send again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mooring.kernel.clock import from_us, iso
from mooring.kernel.ids import new_id
from mooring.simulator.errors import ServerUnreachable
from mooring.simulator.http_client import Answer, HttpClient
from mooring.simulator.receipts import comes_again
from mooring.simulator.recording import Row
from mooring.simulator.tally import Tally
from mooring.simulator.waiting import Patience

FrameBody = dict[str, Any]

BATCH = 500
PASSING = frozenset({408, 429, 500, 502, 503, 504, 507})
TRIES = 10


class HistoryPoster:
    """Posts rows of one device; a batch whose answer was lost is posted again under the same numbers."""

    def __init__(self, client: HttpClient, patience: Patience, tally: Tally) -> None:
        self._client = client
        self._patience = patience
        self._tally = tally

    async def post(
        self, device_id: str, rows: list[Row], units: dict[str, str], progress: Callable[[int], None] | None = None
    ) -> int:
        """Post all `rows` and return how many were taken; `progress` hears how many are done."""
        boot_id = f"{new_id()[:8]}-past"
        taken = 0
        for start in range(0, len(rows), BATCH):
            if self._patience.over:
                break
            batch = rows[start : start + BATCH]
            frames = {seq: history_frame(boot_id, seq, row, units) for seq, row in enumerate(batch, start=start + 1)}
            taken += await self._post_batch(device_id, frames)
            if progress is not None:
                progress(start + len(batch))
        self._tally.history += taken
        return taken

    async def _post_batch(self, device_id: str, frames: dict[int, FrameBody]) -> int:
        """Post frames until each is taken or refused for good; return how many were taken."""
        taken = 0
        for attempt in range(TRIES):
            told_s = None
            try:
                body = {"frames": list(frames.values())}
                answer = await self._client.request("POST", f"/api/devices/{device_id}/data", body)
            except ServerUnreachable:
                if attempt + 1 == TRIES:
                    raise
            else:
                taken += self._settle(frames, answer)
                if not frames:
                    return taken
                told_s = answer.retry_after_s
            if not await self._patience.wait(attempt, told_s):
                return taken
        self._give_up(frames, "the server was not able to store it")
        return taken

    def _settle(self, frames: dict[int, FrameBody], answer: Answer) -> int:
        """Take out of `frames` what is done with, by its receipt or else by the status; count what was taken."""
        receipts = receipts_of(answer.body)
        if receipts:
            return sum(self._settle_one(frames, receipt) for receipt in receipts)
        if answer.ok:
            taken = len(frames)
            frames.clear()
            return taken
        if answer.status not in PASSING:
            self._give_up(frames, answer.reason)
        return 0

    def _settle_one(self, frames: dict[int, FrameBody], receipt: dict[str, Any]) -> bool:
        seq: Any = receipt.get("seq")
        if comes_again(receipt) or frames.pop(seq, None) is None:
            return False
        if receipt.get("status") == "rejected":
            self._tally.rejected += 1
            self._tally.last_reason = str(receipt.get("reason") or "rejected")
            return False
        self._tally.duplicates += receipt.get("status") == "duplicate"
        return True

    def _give_up(self, frames: dict[int, FrameBody], reason: str) -> None:
        if frames:
            self._tally.rejected += len(frames)
            self._tally.last_reason = reason
            frames.clear()


def history_frame(boot_id: str, seq: int, row: Row, units: dict[str, str]) -> FrameBody:
    """Return the frame of a past row; the first of a device tells the units."""
    return {
        "seq": seq,
        "boot_id": boot_id,
        "timestamp": iso(from_us(row.at_us)),
        "sensor_readings": dressed(row.values, units if seq == 1 else {}),
    }


def dressed(readings: dict[str, Any], units: dict[str, str]) -> dict[str, Any]:
    """Return readings as the wire wants them: with units where told, and objects never mistaken for {value, unit}."""
    worn: dict[str, Any] = {}
    for key, value in readings.items():
        if key in units:
            worn[key] = {"value": value, "unit": units[key]}
        else:
            worn[key] = {"value": value} if isinstance(value, dict) else value
    return worn


def receipts_of(body: Any) -> list[dict[str, Any]]:
    """Return the receipts in the answer to a batch."""
    receipts = body.get("receipts") if isinstance(body, dict) else body
    return [receipt for receipt in receipts if isinstance(receipt, dict)] if isinstance(receipts, list) else []
