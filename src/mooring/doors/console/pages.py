"""Serving the built console and the API page; without a build, a plain page that says how to make one."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import NamedTuple

from starlette.types import Receive, Scope, Send

from mooring import __version__
from mooring.doors.problems import PROBLEM_JSON, problem
from mooring.doors.request import reply
from mooring.wire import json

STATIC = Path(__file__).parent / "static"
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_UNBUILT = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mooring</title></head>
<body><h1>Mooring is running</h1><p>The web console is not part of this installation.
Build it with Node 20 or newer:</p>
<pre>cd console &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>The API is described in <a href="/openapi.json">/openapi.json</a>.</p>
</body></html>"""


class _File(NamedTuple):
    body: bytes
    kind: str
    encodings: dict[str, bytes]


class Console:
    """Built files by path, read once; every other path a browser asks for is the console's own routing."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._paths = _served(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one GET or HEAD."""
        path, headers = scope["path"], dict(scope["headers"])
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, "method_not_allowed", "method not allowed", allow="GET, HEAD")
        elif path.lstrip("/") in self._paths and path != "/":
            await self._send_file(scope, send, path.lstrip("/"), headers)
        elif path == "/docs" and "docs/index.html" in self._paths:
            await self._send_file(scope, send, "docs/index.html", headers)
        elif b"text/html" not in headers.get(b"accept", b""):
            await self._no_browser(send, path)
        elif "index.html" in self._paths:
            await self._send_file(scope, send, "index.html", headers)
        else:
            await reply(send, 200, {"content-type": "text/html; charset=utf-8"}, _UNBUILT)

    async def _no_browser(self, send: Send, path: str) -> None:
        if path != "/":
            await _refuse(send, 404, "missing", "not found")
            return
        told = {"message": "Mooring is running", "version": __version__, "docs": "/docs"}
        await reply(send, 200, {"content-type": "application/json"}, json.encode(told))

    async def _send_file(self, scope: Scope, send: Send, name: str, headers: dict[bytes, bytes]) -> None:
        file = self._files.get(name) or self._load(name)
        accepted = headers.get(b"accept-encoding", b"").decode("latin-1")
        answer = {"content-type": file.kind, "vary": "accept-encoding", "cache-control": _caching(name)}
        body = file.body
        for encoding, packed in file.encodings.items():
            if encoding in accepted:
                answer["content-encoding"], body = encoding, packed
                break
        if scope["method"] == "HEAD":
            body = b""
        await reply(send, 200, answer, body)

    def _load(self, name: str) -> _File:
        path = self._folder / name
        packed = {
            encoding: path.with_name(path.name + ending).read_bytes()
            for encoding, ending in (("br", ".br"), ("gzip", ".gz"))
            if path.with_name(path.name + ending).is_file()
        }
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind.endswith(("javascript", "json")):
            kind += "; charset=utf-8"
        self._files[name] = _File(path.read_bytes(), kind, packed)
        return self._files[name]


def _served(folder: Path) -> frozenset[str]:
    """Return the names under `folder` that may be asked for: a path is looked up here, never joined to the folder."""
    if not folder.is_dir():
        return frozenset()
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return frozenset(name for name in names if not name.endswith((".br", ".gz")) and not name.startswith("."))


def _caching(name: str) -> str:
    return "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"


async def _refuse(send: Send, status: int, code: str, message: str, **headers: str) -> None:
    headers["content-type"] = PROBLEM_JSON
    await reply(send, status, headers, json.encode(problem(status, code, message)))
