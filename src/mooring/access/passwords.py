"""Passwords: argon2id in a thread, few at a time, so a crowd at the log-in costs neither memory nor the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from mooring.access.errors import LogInThrottled

# OWASP password storage: argon2id, 19 MiB, t=2, p=1.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE: Final = 2
_WAITING: Final = 256
# What an unknown name is checked against: made with the same cost, matching no password anybody has.
_NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$TekCbJKnQ9cEDrKMBKQ2Ow$yCvC/RKoC3Wfflia6Ub3tYhKI5sZ/97KhwDUFHllGzI"


class Passwords:
    """The one place that hashes; at most two at a time, at most 256 waiting."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn to hash; raises LogInThrottled when the queue is full."""
        if self._waiting >= _WAITING:
            raise LogInThrottled("too many people are logging in at once", retry_after_s=5.0)
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of `password`."""
        async with self.turn():
            return await asyncio.to_thread(_HASHER.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` made `stored`; takes as long for None. Call it within ``turn()``."""
        return await asyncio.to_thread(_matches, stored, password)


def needs_rehash(stored: str) -> bool:
    """Tell whether `stored` was made with other costs than today's."""
    return _HASHER.check_needs_rehash(stored)


def _matches(stored: str | None, password: str) -> bool:
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False
    return stored is not None
