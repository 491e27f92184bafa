"""Who comes in by a dialect: whoever shows a credential, and anybody at all where the dialect is open.

A visitor without credentials of an open dialect sees and does what the default owner may with his own devices.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from mooring.access.errors import NotAuthenticated
from mooring.access.guard import COOKIE, Guard, bearer_of
from mooring.access.origin import origin_allowed
from mooring.devices.admission import Admission
from mooring.doors.dialects.arrivals import Arrivals
from mooring.kernel.actor import Actor

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SYNONYMS = {"united": "channels"}


class Callers:
    """Recognises who is behind a connection of a dialect."""

    def __init__(
        self,
        guard: Guard,
        admission: Admission,
        arrivals: Arrivals,
        *,
        open_dialects: Iterable[str] = (),
        origins: tuple[str, ...] = (),
    ) -> None:
        """Let visitors without credentials into `open_dialects`; pages of `origins` may use a person's cookie."""
        self._guard = guard
        self._admission = admission
        self._arrivals = arrivals
        self._open = frozenset(SYNONYMS.get(name, name) for name in open_dialects)
        self._origins = origins

    def is_open(self, dialect: str) -> bool:
        """Tell whether a dialect answers without credentials."""
        return dialect in self._open

    def page_may(self, scope: Scope, dialect: str) -> bool:
        """Tell whether a browser's page may use a dialect; where no page is behind it, it may.

        An open dialect serves pages of any port of this server's own host and of the reader's own machine: that is
        where the front-ends of the earlier systems come from.
        """
        connection = HTTPConnection(scope)
        origin, host = connection.headers.get("origin"), connection.headers.get("host")
        if origin_allowed("WEBSOCKET", origin, host, self._origins):
            return True
        return self.is_open(dialect) and is_neighbour(origin or "", host or "")

    async def actor(self, scope: Scope, dialect: str, *, given: str | None = None) -> Actor:
        """Return who is there; raises NotAuthenticated. `given` is a credential handed over in another place."""
        connection = HTTPConnection(scope)
        token = given or bearer_of(connection.headers) or connection.headers.get("x-device-token")
        if token is None:
            token = connection.query_params.get("token")
        if token is not None:
            return await self._by_token(token)
        cookie = connection.cookies.get(COOKIE)
        if cookie and origin_allowed(
            "WEBSOCKET", connection.headers.get("origin"), connection.headers.get("host"), self._origins
        ):
            return await self._guard.actor_of_cookie(cookie)
        if not self.is_open(dialect):
            raise NotAuthenticated
        return await self._arrivals.owner()

    async def _by_token(self, token: str) -> Actor:
        device = await self._admission.admit(token)
        if device is not None:
            return Actor(kind="device", id=device.id, name=device.name)
        return await self._guard.actor_of_token(token)


def is_neighbour(origin: str, host: str) -> bool:
    """Tell whether a page comes from this server's own host, whatever the port, or from the reader's own machine."""
    try:
        page, server = urlsplit(origin), urlsplit(f"//{host}")
    except ValueError:
        return False
    if page.scheme not in ("http", "https") or not page.hostname:
        return False
    return page.hostname in LOOPBACK or page.hostname == server.hostname


def cors_headers(scope: Scope) -> dict[str, str]:
    """Return what lets the page that asks read the answer; never with cookies."""
    origin = HTTPConnection(scope).headers.get("origin")
    return {} if origin is None else {"access-control-allow-origin": origin, "vary": "origin"}


def preflight_headers(scope: Scope) -> dict[str, str]:
    """Return the answer to a browser that asks before it asks."""
    return {
        **cors_headers(scope),
        "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
        "access-control-allow-headers": "authorization, content-type, x-api-key, x-token, authentication",
        "access-control-max-age": "600",
    }
