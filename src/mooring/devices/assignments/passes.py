"""Passes: what a robot gets for its serial and token, and shows when it opens its channels within five minutes."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from mooring.devices.admission import Admission
from mooring.devices.assignments import store
from mooring.devices.model import AdmittedDevice
from mooring.kernel.clock import Clock
from mooring.kernel.ids import digest_of
from mooring.storage.database import Database

LIFETIME: Final = timedelta(seconds=300)
_BYTES: Final = 32
_CHARS: Final = 2 * _BYTES


class Passes:
    """Makes passes and reads them; one ends with its credential, whatever its own time."""

    def __init__(self, database: Database, clock: Clock, admission: Admission) -> None:
        self._database = database
        self._clock = clock
        self._admission = admission

    async def issue(self, serial: str, token: str) -> str | None:
        """Return a fresh pass of 64 hex digits, None if serial (a device's name or id) and token do not fit."""
        device = await self._admission.admit(token)
        if device is None or serial not in (device.name, device.id):
            return None
        fresh, now = secrets.token_hex(_BYTES), self._clock.now()
        async with self._database.writing() as connection:
            await store.add_pass(
                connection, digest_of(fresh), device.id, credential=digest_of(token), now=now, until=now + LIFETIME
            )
        return fresh

    async def device_of(self, given: str) -> AdmittedDevice | None:
        """Return the device a pass stands for, None if it is wrong or over."""
        if len(given) != _CHARS:
            return None
        async with self._database.reading() as connection:
            return await store.device_by_pass(connection, digest_of(given), self._clock.now())
