"""Who is a person of contract C: a token in ``Authorization`` or in ``authentication``, with or without a prefix."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Scope

from mooring.access.guard import Guard
from mooring.doors.dialects.channels.fields import BAD_CREDENTIALS, NO_CREDENTIALS, Refused
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Unauthenticated

_PREFIXES = ("bearer", "jwt", "token")


async def person_of(scope: Scope, guard: Guard) -> Actor:
    """Return who asks; raises Refused with 401."""
    token = _token_of(HTTPConnection(scope))
    if not token:
        raise Refused(401, NO_CREDENTIALS)
    try:
        return await guard.actor_of_token(token)
    except Unauthenticated:
        raise Refused(401, BAD_CREDENTIALS) from None


def _token_of(connection: HTTPConnection) -> str:
    headers = connection.headers
    given = headers.get("authorization") or headers.get("authentication") or headers.get("x-api-key")
    if given is None and connection.scope["type"] == "websocket":
        given = connection.query_params.get("token")
    prefix, _, rest = (given or "").strip().partition(" ")
    return rest.strip() if rest and prefix.lower() in _PREFIXES else (given or "").strip()
