"""Who a device token stands for: a bounded table in memory before the store, so that a post costs one look-up."""

from __future__ import annotations

from mooring.devices import store
from mooring.devices.model import AdmittedDevice
from mooring.kernel.ids import digest_of
from mooring.storage.database import Database

REMEMBERED = 100_000
_MAX_TOKEN_CHARS = 512


class Admission:
    """Admits devices by token; forgets at once what the registry revokes."""

    def __init__(self, database: Database, *, remembered: int = REMEMBERED) -> None:
        """Look tokens up in `database` and remember at most `remembered` of them."""
        self._database = database
        self._limit = remembered
        self._by_digest: dict[str, AdmittedDevice] = {}
        self._digests: dict[str, set[str]] = {}
        self._revocations = 0

    def admit_cached(self, digest: str) -> AdmittedDevice | None:
        """Return the device of a token's digest if it is remembered; never waits."""
        return self._by_digest.get(digest)

    async def admit(self, token: str) -> AdmittedDevice | None:
        """Return the device `token` stands for, or None."""
        if not token or len(token) > _MAX_TOKEN_CHARS:
            return None
        digest = digest_of(token)
        return self._by_digest.get(digest) or await self._look_up(digest)

    def forget(self, device_id: str) -> None:
        """Drop everything remembered of a device: its token, owner or name is no longer what it was."""
        self._revocations += 1
        for digest in self._digests.pop(device_id, ()):
            self._by_digest.pop(digest, None)

    async def _look_up(self, digest: str) -> AdmittedDevice | None:
        while True:
            before = self._revocations
            async with self._database.reading() as connection:
                device = await store.admitted_by_digest(connection, digest)
            # What was read before a revocation may be the very thing revoked: read again.
            if before == self._revocations:
                break
        if device is not None:
            self._remember(digest, device)
        return device

    def _remember(self, digest: str, device: AdmittedDevice) -> None:
        while len(self._by_digest) >= self._limit:
            oldest = next(iter(self._by_digest))
            self._evict(oldest)
        self._by_digest[digest] = device
        self._digests.setdefault(device.id, set()).add(digest)

    def _evict(self, digest: str) -> None:
        """Drop one remembered token; the store still knows it."""
        device = self._by_digest.pop(digest, None)
        if device is None:
            return
        others = self._digests[device.id]
        others.discard(digest)
        if not others:
            del self._digests[device.id]
