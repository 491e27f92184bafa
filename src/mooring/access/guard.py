"""The guard: turns what a request carries into an Actor, the same way for every door; knows no web framework.

One credential counts: ``Authorization: Bearer`` (access token or API key), else ``X-API-Key``, else ``?token=``
where a socket allows it, else the session cookie. A wrong one is refused even if a right one stands behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from mooring.access.errors import NotAuthenticated
from mooring.access.keys import KEY_PREFIX
from mooring.access.service import AccessService
from mooring.access.sessions import SESSION_PREFIX
from mooring.kernel.actor import Actor
from mooring.kernel.ids import digest_of

COOKIE: Final = "mooring_session"
_TOKEN_MAX: Final = 2048
_SECRET_MAX: Final = 64


class Guard:
    """Recognises callers; remembers each for a second, and not at all once they were put out."""

    def __init__(self, service: AccessService) -> None:
        """Ask `service` about every credential."""
        self._sessions = service.sessions
        self._keys = service.keys
        self._admissions = service.admissions

    async def actor_of(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> Actor:
        """Return who is asking; raises NotAuthenticated. Give `query` only for sockets and streams.

        `headers` are looked up in lower case.
        """
        token = bearer_of(headers)
        if token is None and query is not None:
            token = query.get("token")
        if token is not None:
            return await self.actor_of_token(token)
        return await self.actor_of_cookie(cookies.get(COOKIE, ""))

    async def actor_of_token(self, token: str) -> Actor:
        """Return whose access token or API key this is; raises NotAuthenticated."""
        if is_key(token):
            return await self._known("key", token, self._keys.actor_by_key)
        if len(token) > _TOKEN_MAX or token.count(".") != 2:
            raise NotAuthenticated
        return await self._sessions.actor_by_token(token)

    async def actor_of_cookie(self, cookie: str) -> Actor:
        """Return whose session cookie this is; raises NotAuthenticated."""
        if not cookie.startswith(f"{SESSION_PREFIX}_"):
            raise NotAuthenticated
        return await self._known("cookie", cookie, self._sessions.actor_by_cookie)

    async def stands(self, actor: Actor) -> bool:
        """Tell whether a caller admitted earlier would be admitted again, with the same rights.

        For long-lived sockets, every second or so: ``SessionEnded`` does not reach us from another process.
        """
        if actor.kind != "user" or actor.session_id is None:
            return actor.kind == "system"
        remembered = self._admissions.recall(f"session:{actor.session_id}")
        try:
            return actor == (remembered or await self._again(actor.session_id))
        except NotAuthenticated:
            return False

    async def _again(self, session_id: str) -> Actor:
        try:
            return await self._sessions.actor_by_id(session_id)
        except NotAuthenticated:
            return await self._keys.actor_by_id(session_id)

    async def _known(self, kind: str, secret: str, ask: Callable[[str], Awaitable[Actor]]) -> Actor:
        if len(secret) > _SECRET_MAX:
            raise NotAuthenticated
        credential = f"{kind}:{digest_of(secret)}"
        actor = self._admissions.recall(credential)
        if actor is None:
            generation = self._admissions.generation
            actor = await ask(secret)
            self._admissions.remember(credential, actor, generation)
        return actor


def is_key(token: str) -> bool:
    """Tell whether a token is an API key by its form, so that nobody looks for it elsewhere."""
    return token.startswith(f"{KEY_PREFIX}_")


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """Return the token of the Authorization header, else of X-API-Key, else None; raises NotAuthenticated.

    Another scheme than Bearer is refused rather than passed over.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        return headers.get("x-api-key")
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()
