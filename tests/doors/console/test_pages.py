"""The console's files: packed ones to whom can unpack them, cached by name, and a plain page without a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mooring.doors.console.pages import Console

BROWSER = b"text/html,*/*"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Give a small build."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "a-123.js").write_text("let a")
    (tmp_path / "assets" / "a-123.js.br").write_bytes(b"packed")
    (tmp_path / "assets" / "a-123.js.gz").write_bytes(b"zipped")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / ".hidden").write_text("no")
    return tmp_path


async def get(console: Console, path: str, method: str = "GET", **headers: bytes) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    raw = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    await console({"type": "http", "path": path, "method": method, "headers": raw}, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:])


async def test_a_file_comes_packed_to_whom_can_unpack_it(built: Path) -> None:
    console = Console(built)
    for accepted, encoding, body in (
        (b"gzip, br", "br", b"packed"),
        (b"gzip", "gzip", b"zipped"),
        (b"", None, b"let a"),
    ):
        status, headers, got = await get(console, "/assets/a-123.js", accept_encoding=accepted)
        assert (status, headers.get("content-encoding"), got) == (200, encoding, body)
        assert headers["content-type"].endswith("javascript; charset=utf-8")
        assert headers["vary"] == "accept-encoding"


async def test_what_bears_its_digest_is_kept_for_good_and_the_rest_is_asked_for_again(built: Path) -> None:
    console = Console(built)
    assert "immutable" in (await get(console, "/assets/a-123.js"))[1]["cache-control"]
    assert (await get(console, "/favicon.svg"))[1]["cache-control"] == "no-cache"
    assert (await get(console, "/", accept=BROWSER))[1]["cache-control"] == "no-cache"


async def test_every_page_of_the_console_is_the_console(built: Path) -> None:
    for path in ("/", "/devices", "/devices/42", "/docs"):
        status, headers, body = await get(Console(built), path, accept=BROWSER)
        assert (status, body) == (200, b"<!doctype html>")
        assert headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/.hidden", "/assets/a-123.js.br", "/assets", "/../index.html", "/x"])
async def test_nothing_else_is_given_out(built: Path, path: str) -> None:
    status, _, body = await get(Console(built), path)
    assert (status, json.loads(body)["code"]) == (404, "missing")


async def test_a_program_is_told_in_json(built: Path) -> None:
    status, headers, body = await get(Console(built), "/")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert set(json.loads(body)) >= {"message", "version", "docs"}


async def test_only_reading_is_possible(built: Path) -> None:
    status, headers, _ = await get(Console(built), "/", method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, _, body = await get(Console(built), "/favicon.svg", method="HEAD")
    assert (status, body) == (200, b"")


async def test_without_a_build_a_page_says_how_to_make_one(tmp_path: Path) -> None:
    console = Console(tmp_path / "nothing")
    status, _, body = await get(console, "/devices", accept=BROWSER)
    assert status == 200
    assert b"npm run build" in body
