"""Sessions: a log-in makes one, a refresh carries it on, a log-out or a stolen refresh token ends it."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from typing import Final

from mooring.access import store
from mooring.access.admissions import Admissions
from mooring.access.errors import LogInFailed, NotAuthenticated, RefreshRefused
from mooring.access.fields import name_key
from mooring.access.model import SESSION_LIFETIME, LogIn, Origin, Session, User, actor_by_session
from mooring.access.passwords import Passwords, needs_rehash
from mooring.access.throttle import Throttle
from mooring.access.tokens import AccessTokens
from mooring.kernel.actor import Actor
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Unavailable
from mooring.kernel.ids import digest_of, new_id, new_token
from mooring.storage.database import Database

log = logging.getLogger(__name__)
SESSION_PREFIX: Final = "ms"
REFRESH_PREFIX: Final = "mr"
NOTED_EVERY: Final = timedelta(minutes=5)
_KEPT_AFTER: Final = timedelta(days=30)


class Sessions:
    """Log-ins of people and what follows from them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        passwords: Passwords,
        tokens: AccessTokens,
        throttle: Throttle,
        admissions: Admissions,
    ) -> None:
        """Work on `database` with the room's other parts."""
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._throttle = throttle
        self._admissions = admissions

    async def log_in(self, name: str, password: str, origin: Origin) -> LogIn:
        """Open a session for a username or e-mail address; raises LogInFailed or LogInThrottled."""
        key = name_key(name)
        account = key or ""
        async with self._passwords.turn():
            self._throttle.check(account, origin.address)
            found = await self._look_up(key)
            user, stored = found if found is not None else (None, None)
            right = await self._passwords.matches(stored, password)
        if user is None or stored is None or not right or not user.is_active:
            self._throttle.failed(account, origin.address)
            raise LogInFailed
        self._throttle.succeeded(account, origin.address)
        return await self.open(user, origin, rehashed=await self._rehashed(stored, password))

    async def open(self, user: User, origin: Origin, *, rehashed: str | None = None) -> LogIn:
        """Open a session for a person who has proved who they are."""
        now = self._clock.now()
        cookie, refresh = new_token(SESSION_PREFIX), new_token(REFRESH_PREFIX)
        session = Session(
            id=new_id(),
            user_id=user.id,
            address=origin.address[:64],
            user_agent=origin.user_agent[:200],
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
        noted = {"last_login_at": now} | ({"password_hash": rehashed} if rehashed else {})
        async with self._database.writing() as connection:
            await store.add_session(connection, session, digest_of(cookie))
            await store.add_refresh(connection, digest_of(refresh), session.id, now)
            await store.change_user(connection, user.id, **noted)
        return self._handed_out(user, session.id, refresh, cookie)

    async def refresh(self, token: str) -> LogIn:
        """Change a refresh token for a new one and an access token; one used twice ends its session."""
        digest, now, fresh = digest_of(token), self._clock.now(), new_token(REFRESH_PREFIX)
        async with self._database.reading() as connection:
            found = await store.session_by_refresh(connection, digest)
        if found is None or not found[0].is_open(now) or not found[1].is_active:
            raise RefreshRefused
        session, user = found
        async with self._database.writing() as connection:
            first = await store.use_refresh(connection, digest, now)
            if first:
                await store.add_refresh(connection, digest_of(fresh), session.id, now)
            else:
                await store.end_sessions(connection, user.id, now, only=session.id)
        if not first:
            # RFC 9700, section 4.14.2: somebody else has this token, and we cannot know who is the thief.
            log.warning("a refresh token was used twice, its session is ended: user=%s session=%s", user.id, session.id)
            self._admissions.put_out(user.id, session.id)
            raise RefreshRefused
        return self._handed_out(user, session.id, fresh, None)

    async def renew(self, session_token: str) -> str:
        """Return a fresh access token for the secret of an open session; it may be asked for again and again.

        For clients that keep one long-lived secret and never change it; raises NotAuthenticated.
        """
        if not session_token.startswith(f"{SESSION_PREFIX}_"):
            raise NotAuthenticated
        actor = await self.actor_by_cookie(session_token)
        return self._tokens.sign(actor.id, actor.session_id or "")[0]

    async def end(self, user_id: str, session_id: str) -> None:
        """End one session of a person and everything that hangs on it; ending it twice is harmless."""
        async with self._database.writing() as connection:
            ended = await store.end_sessions(connection, user_id, self._clock.now(), only=session_id)
        if ended:
            self._admissions.put_out(user_id, session_id)

    async def end_all(self, user_id: str) -> None:
        """End every session of a person."""
        async with self._database.writing() as connection:
            await store.end_sessions(connection, user_id, self._clock.now())
        self._admissions.put_out(user_id)

    async def actor_by_cookie(self, token: str) -> Actor:
        """Return who holds the session of this cookie; raises NotAuthenticated."""
        async with self._database.reading() as connection:
            found = await store.session_by_token(connection, digest_of(token))
        return await self._admitted(found)

    async def actor_by_token(self, token: str) -> Actor:
        """Return whose access token this is, while its session is open; raises NotAuthenticated."""
        claims = self._tokens.read(token)
        actor = self._admissions.recall(f"session:{claims.session_id}")
        return actor or await self.actor_by_id(claims.session_id)

    async def actor_by_id(self, session_id: str) -> Actor:
        """Return whose session this is while it is open; raises NotAuthenticated."""
        generation = self._admissions.generation
        async with self._database.reading() as connection:
            found = await store.session_by_id(connection, session_id)
        actor = await self._admitted(found)
        self._admissions.remember(f"session:{session_id}", actor, generation)
        return actor

    async def sweep(self) -> int:
        """Delete sessions that were over long ago; return how many."""
        async with self._database.writing() as connection:
            return await store.sweep_sessions(connection, self._clock.now() - _KEPT_AFTER)

    async def _admitted(self, found: tuple[Session, User] | None) -> Actor:
        now = self._clock.now()
        if found is None or not found[0].is_open(now) or not found[1].is_active:
            raise NotAuthenticated
        session, user = found
        if now - session.last_seen_at >= NOTED_EVERY:
            # A full disk must not lock people out of looking at what is stored.
            with contextlib.suppress(Unavailable):
                async with self._database.writing() as connection:
                    await store.seen_session(connection, session.id, now)
        return actor_by_session(user, session.id)

    async def _look_up(self, key: str | None) -> tuple[User, str] | None:
        if key is None:
            return None
        async with self._database.reading() as connection:
            return await store.user_by_name(connection, key)

    async def _rehashed(self, stored: str, password: str) -> str | None:
        return await self._passwords.hash(password) if needs_rehash(stored) else None

    def _handed_out(self, user: User, session_id: str, refresh: str, cookie: str | None) -> LogIn:
        token, expires_in_s = self._tokens.sign(user.id, session_id)
        return LogIn(
            user=user,
            session_id=session_id,
            access_token=token,
            refresh_token=refresh,
            expires_in_s=expires_in_s,
            session_token=cookie,
        )
