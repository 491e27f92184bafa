"""Where a device puts its token: ``Authorization: Bearer``, ``X-Device-Token``, or ``?token=`` on a WebSocket."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.types import Scope


def device_token(scope: Scope) -> str | None:
    """Return the token a device sent along, if any."""
    for name, value in scope["headers"]:
        if name == b"x-device-token":
            return str(value.decode("latin-1"))
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].strip().decode("latin-1"))
    if scope["type"] == "websocket" and scope["query_string"]:
        return query_token(scope)
    return None


def _is_json(content_type: bytes) -> bool:
    """Tell whether a body is to be read as JSON; what programs say that were not told any better counts as such."""
    return b"json" in content_type or b"x-www-form-urlencoded" in content_type


_UNUSUAL = frozenset({b"origin", b"content-encoding", b"expect", b"transfer-encoding", b"cookie", b"x-api-key"})


def plain_token(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return a device's token if nothing else in the headers has a say in what becomes of the request."""
    token = None
    for name, value in headers:
        if name in _UNUSUAL or (name == b"content-type" and not _is_json(value)):
            return None
        if name == b"x-device-token":
            token = value
        elif name == b"authorization":
            if value[:7].lower() != b"bearer ":
                return None
            token = value[7:].strip() if token is None else token
    return None if token is None else token.decode("latin-1")


def query_token(scope: Scope) -> str | None:
    """Return ``?token=`` of a handshake."""
    given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("token")
    return given[0] if given else None
