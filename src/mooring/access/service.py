"""The room's whole: people, sessions and keys over one database, and registration, which needs all three."""

from __future__ import annotations

import secrets
from typing import Final

from mooring.access import store
from mooring.access.admissions import Admissions
from mooring.access.errors import RegistrationClosed
from mooring.access.keys import Keys
from mooring.access.model import LogIn, Origin
from mooring.access.passwords import Passwords
from mooring.access.people import People
from mooring.access.sessions import Sessions
from mooring.access.throttle import Throttle
from mooring.access.tokens import AccessTokens
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.storage.database import Database

_SIGNING_KEY: Final = "access-tokens"
_SECRET_BYTES: Final = 32


class AccessService:
    """Made by ``open``; its parts are ``people``, ``sessions``, ``keys``, and ``admissions`` for the guard."""

    def __init__(
        self, database: Database, clock: Clock, secret: bytes, *, bus: Bus | None, registration_open: bool
    ) -> None:
        """Join the parts; use ``open``, which fetches the secret."""
        passwords, throttle = Passwords(), Throttle(clock)
        self.registration_open = registration_open
        self.admissions = Admissions(clock, bus)
        self.people = People(database, clock, passwords, self.admissions)
        self.keys = Keys(database, clock, self.admissions)
        self.sessions = Sessions(
            database,
            clock,
            passwords=passwords,
            tokens=AccessTokens(secret, clock),
            throttle=throttle,
            admissions=self.admissions,
        )
        self._throttle = throttle

    @classmethod
    async def open(
        cls, database: Database, clock: Clock, *, bus: Bus | None = None, registration_open: bool = True
    ) -> AccessService:
        """Return the service over a migrated `database`, making its signing secret on the first start."""
        secret = await _signing_secret(database, clock)
        return cls(database, clock, secret, bus=bus, registration_open=registration_open)

    async def ensure_admin(self, username: str, password: str | None = None) -> str | None:
        """Make the first administrator if there is none; return the password when it had to be made up."""
        return await self.people.ensure_admin(username, password)

    async def register(self, username: str, email: str, password: str, origin: Origin) -> tuple[LogIn, str]:
        """Make an account with its first API key and log it in; return the session and the key's text."""
        if not self.registration_open:
            raise RegistrationClosed("registration is closed here", hint="ask an administrator for an account")
        self._throttle.registering(origin.address)
        user = await self.people.add(username, password, email=email)
        _, key = await self.keys.create(user.id, "registration")
        return await self.sessions.open(user, origin), key

    async def sweep(self) -> int:
        """Delete what nobody can use any more; return how many rows. Call it now and then."""
        return await self.sessions.sweep()


async def _signing_secret(database: Database, clock: Clock) -> bytes:
    async with database.reading() as connection:
        known = await store.secret_of(connection, _SIGNING_KEY)
    if known is None:
        known = await _made(database, clock)
    return bytes.fromhex(known)


async def _made(database: Database, clock: Clock) -> str:
    fresh = secrets.token_hex(_SECRET_BYTES)
    async with database.writing() as connection:
        await store.add_secret(connection, _SIGNING_KEY, fresh, clock.now())
    # Another node may have been first: its secret is everybody's.
    async with database.reading() as connection:
        return await store.secret_of(connection, _SIGNING_KEY) or fresh
