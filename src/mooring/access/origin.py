"""Where a browser's request was written: refuses what another site's page sends in a person's name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def origin_allowed(method: str, origin: str | None, host: str | None, allowed: Collection[str] = ()) -> bool:
    """Tell whether a request may come from a page at `origin` to the server called `host`.

    `method` is the HTTP verb, or ``WEBSOCKET`` for a handshake, which is always checked. `allowed` names further
    origins (``https://console.example.org``). No Origin header means no browser page: such a request passes.
    """
    if method.upper() in _SAFE or origin is None:
        return True
    if origin in allowed:
        return True
    return _same_host(origin, host)


def _same_host(origin: str, host: str | None) -> bool:
    # The scheme is not compared: behind a proxy that ends TLS the server cannot know it.
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname or not host:
        return False
    return _bare(parts.netloc, port, parts.scheme) == _bare(host.lower(), None, parts.scheme)


def _bare(netloc: str, port: int | None, scheme: str) -> str:
    text = netloc.lower()
    ending = ":443" if scheme == "https" else ":80"
    return text.removesuffix(ending) if port in (None, 80, 443) else text
