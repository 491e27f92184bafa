"""The JSON client against a server on loopback."""

from __future__ import annotations

from typing import Any

import pytest
from tests.simulator.toys import Reply, http_open

from mooring.simulator.errors import FleetOptionsInvalid, ServerUnreachable
from mooring.simulator.http_client import Address, Answer, HttpClient


@pytest.mark.parametrize(
    "url,websocket",
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/device"),
        ("https://example.org/", "wss://example.org:443/ws/device"),
        ("http://[::1]:9/base/", "ws://[::1]:9/base/ws/device"),
    ],
)
def test_addresses_are_taken_apart(url: str, websocket: str) -> None:
    assert Address.of(url).websocket("/ws/device") == websocket


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://x:99999", "http://[x"])
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(FleetOptionsInvalid, match="not an address"):
        Address.of(url)


async def test_request_carries_key_and_json_and_brings_the_answer() -> None:
    seen: list[Any] = []

    def route(method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        seen.append((method, path, headers["x-api-key"], body))
        return 201, {"id": "ü"}

    async with http_open(route) as url:
        answer = await HttpClient(Address.of(url), "k1").request("POST", "/api/devices?x=1", {"name": "ä"})
    assert seen == [("POST", "/api/devices?x=1", "k1", {"name": "ä"})]
    assert (answer.status, answer.body, answer.ok) == (201, {"id": "ü"}, True)


async def test_chunked_and_unbounded_answers_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n3;x=y\r\n,3]\r\n0\r\n\r\n"
    plain = b"HTTP/1.0 200 OK\r\n\r\n[4]"
    html = b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>"
    async with http_open(lambda method, path, headers, body: {"/a": chunked, "/b": plain}.get(path, html)) as url:
        client = HttpClient(Address.of(url), "k")
        assert (await client.request("GET", "/a")).body == [1, 2, 3]
        assert (await client.request("GET", "/b")).body == [4]
        answer = await client.request("GET", "/c")
    assert (answer.status, answer.body, answer.reason) == (404, None, "HTTP status 404")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
    ],
    ids=["nothing", "ssh", "no status", "cut", "huge", "negative", "bad chunk", "endless head"],
)
async def test_what_is_no_answer_is_a_server_that_is_not_there(raw: bytes) -> None:
    async with http_open(lambda method, path, headers, body: raw) as url:
        with pytest.raises(ServerUnreachable, match="no server at"):
            await HttpClient(Address.of(url), "k").request("GET", "/")


async def test_silent_server_is_given_up_after_the_deadline() -> None:
    async with http_open(lambda method, path, headers, body: None) as url:
        with pytest.raises(ServerUnreachable, match=r"within 0\.2 s"):
            await HttpClient(Address.of(url), "k", timeout_s=0.2).request("GET", "/")


async def test_nobody_listening_is_said_with_a_way_out() -> None:
    with pytest.raises(ServerUnreachable) as refusal:
        await HttpClient(Address.of("http://127.0.0.1:9"), "k").request("GET", "/")
    assert refusal.value.hint is not None


def test_retry_after_is_read_from_body_and_header() -> None:
    assert Answer(429, {"retry_after_s": 2.5}).retry_after_s == 2.5
    assert Answer(429, None, {"retry-after": "7"}).retry_after_s == 7.0
    assert Answer(429, None, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after_s is None
    assert Answer(429).retry_after_s is None
