"""API keys: made for a person, shown once, known afterwards by their digest only."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from mooring.access import store
from mooring.access.admissions import Admissions
from mooring.access.errors import FieldInvalid, KeysExhausted, KeyUnknown, NotAuthenticated
from mooring.access.fields import is_id, label_of, scopes_of
from mooring.access.model import MAX_KEYS, ApiKey, User, actor_by_key
from mooring.kernel.actor import Actor
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Unavailable
from mooring.kernel.ids import digest_of, new_id, new_token
from mooring.storage.database import Database

KEY_PREFIX: Final = "mk"
SHOWN: Final = 9
NOTED_EVERY: Final = timedelta(minutes=1)


class Keys:
    """What can be done with API keys, and who comes by one."""

    def __init__(self, database: Database, clock: Clock, admissions: Admissions) -> None:
        """Work on `database`; put callers out through `admissions`."""
        self._database = database
        self._clock = clock
        self._admissions = admissions

    async def create(
        self, user_id: str, name: str, *, scopes: Sequence[str] = ("*",), expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key of a person and return it with its secret text, which is not kept."""
        now, secret = self._clock.now(), new_token(KEY_PREFIX)
        if expires_at is not None and expires_at <= now:
            raise FieldInvalid("a key must end in the future", hint="leave expires_at out for a key without end")
        key = ApiKey(
            id=new_id(),
            user_id=user_id,
            name=label_of(name),
            prefix=secret[:SHOWN],
            scopes=scopes_of(list(scopes)),
            created_at=now,
            expires_at=expires_at,
            last_used_at=None,
        )
        async with self._database.writing() as connection:
            if len(await store.list_keys(connection, user_id)) >= MAX_KEYS:
                raise KeysExhausted(f"an account has at most {MAX_KEYS} keys", hint="revoke one that is not used")
            await store.add_key(connection, key, digest_of(secret))
        return key, secret

    async def list(self, user_id: str) -> list[ApiKey]:
        """Return a person's keys, oldest first."""
        async with self._database.reading() as connection:
            return await store.list_keys(connection, user_id)

    async def by_id(self, key_id: str) -> tuple[ApiKey, User]:
        """Return a key and its owner; raises KeyUnknown."""
        found = await self._find(key_id)
        if found is None:
            raise KeyUnknown("no such key")
        return found

    async def revoke(self, user_id: str, key_id: str) -> None:
        """Delete a person's key and put out whoever came by it; raises KeyUnknown."""
        if not is_id(key_id):
            raise KeyUnknown("no such key")
        async with self._database.writing() as connection:
            if not await store.delete_key(connection, key_id, user_id):
                raise KeyUnknown("no such key")
        self._admissions.put_out(user_id, key_id)

    async def actor_by_key(self, secret: str) -> Actor:
        """Return who stands behind an API key; raises NotAuthenticated."""
        async with self._database.reading() as connection:
            found = await store.key_by_digest(connection, digest_of(secret))
        return await self._admitted(found)

    async def actor_by_id(self, key_id: str) -> Actor:
        """Return who stands behind the key of this id; raises NotAuthenticated."""
        return await self._admitted(await self._find(key_id))

    async def _find(self, key_id: str) -> tuple[ApiKey, User] | None:
        if not is_id(key_id):
            return None
        async with self._database.reading() as connection:
            return await store.key_by_id(connection, key_id)

    async def _admitted(self, found: tuple[ApiKey, User] | None) -> Actor:
        now = self._clock.now()
        if found is None or not found[0].is_valid(now) or not found[1].is_active:
            raise NotAuthenticated
        key, user = found
        if key.last_used_at is None or now - key.last_used_at >= NOTED_EVERY:
            # A full disk must not lock programs out of reading what is stored.
            with contextlib.suppress(Unavailable):
                async with self._database.writing() as connection:
                    await store.seen_key(connection, key.id, now)
        return actor_by_key(user, key)
