"""Posting to one server over one connection that is kept; blocking, for a thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mooring.kernel.errors import Invalid, Unavailable

TIMEOUT_S = 60.0
MAX_ANSWER = 16 << 20


class Answer(NamedTuple):
    """A status, the body if it was JSON, and when to come again if that was said."""

    status: int
    body: Any
    retry_after_s: float | None

    @property
    def reason(self) -> str:
        """Return the server's own sentence, or the bare status."""
        detail = self.body.get("detail") if isinstance(self.body, dict) else None
        return str(detail)[:200] if detail else f"HTTP status {self.status}"


class Poster:
    """One server, and the credential shown to it, if any."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise Invalid(f"not an address: {url}", hint="it looks like http://127.0.0.1:8000")
        self.url = url
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, port or (443 if self._secure else 80)
        self._path = parts.path.rstrip("/")
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, **headers: str) -> Answer:
        """Post JSON and return the answer; raises ``Unavailable`` when there is none."""
        sent = {"content-type": "application/json", **headers}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        try:
            connection = self._connected()
            connection.request("POST", self._path + path, body, sent)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unavailable(f"no server at {self.url}: {str(error) or type(error).__name__}") from error
        return Answer(answer.status, _json(content), _seconds(answer.headers.get("retry-after")))

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None and self._secure:
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)
        elif self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return self._connection

    def close(self) -> None:
        """Let the connection go; a request under way on another thread ends with an error."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _seconds(said: str | None) -> float | None:
    return float(said) if said is not None and said.isdigit() else None
