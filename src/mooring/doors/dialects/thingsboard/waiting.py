"""A sink for one request with many frames: done when the last is on disk, refused when one is."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from mooring.doors.devices.receipts import committed
from mooring.kernel.errors import Exhausted, Invalid, MooringError, StorageFull, Unavailable
from mooring.kernel.frames import Receipt


class SampleRefused(Invalid):
    """A sample could not be stored."""

    code: ClassVar[str] = "sample_refused"


class Stored:
    """Waits for the receipts of `count` frames."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._refused: Receipt | None = None
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not count:
            self._done.set_result(None)

    def settled(self, receipts: list[Receipt]) -> None:
        """Take receipts."""
        for receipt in receipts:
            if receipt.status in ("rejected", "throttled"):
                self._refused = self._refused or receipt
        self._missing -= len(receipts)
        if self._missing <= 0 and not self._done.done():
            self._done.set_result(None)

    async def wait(self, deadline_s: float) -> None:
        """Wait for the last one; raises what the first refused one stands for."""
        await committed(self._done, deadline_s)
        if self._refused is not None:
            raise _error_of(self._refused)


def _error_of(receipt: Receipt) -> MooringError:
    reason = receipt.reason or receipt.status
    if receipt.status == "throttled":
        return Exhausted(reason, retry_after_s=receipt.retry_after_s)
    if reason.startswith("storage_full"):
        return StorageFull(reason)
    return Unavailable(reason) if reason.startswith("unavailable") else SampleRefused(reason)
