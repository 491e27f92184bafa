"""A way in beside the native doors: it looks at a connection and returns who serves it, or None if that is not it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import Receive, Scope, Send

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Way(Protocol):
    """A dialect, or a transport of its own on the HTTP port."""

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves this connection; it checks origin, credentials and body itself."""
