"""What HTTP itself allows a stranger to try: bodies without end, lengths that lie, packed bodies, slow senders."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.journeys.server import Device, Person, Server, running

GOOD = b'{"sensor_readings":{"n":1}}'
MIB = 1 << 20


@contextlib.contextmanager
def raw(server: Server) -> Iterator[socket.socket]:
    """Open a bare connection."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as opened:
        yield opened


def head(device: Device, *lines: str, path: str | None = None) -> bytes:
    """Return the head of a data post."""
    first = f"POST {path or device.path} HTTP/1.1", "Host: mooring", f"Authorization: Bearer {device.token}"
    return "\r\n".join([*first, *lines, "", ""]).encode()


def answer_of(connection: socket.socket, wait_s: float = 20) -> bytes:
    """Return what comes back until it is complete or the connection is closed."""
    connection.settimeout(wait_s)
    got = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            got += part
            top, gap, body = got.partition(b"\r\n\r\n")
            length = next((int(h[15:]) for h in top.split(b"\r\n") if h.lower().startswith(b"content-length:")), None)
            if gap and length is not None and len(body) >= length:
                break
    return got


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def test_a_body_that_says_it_is_too_large_is_refused_unread(device: Device) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, f"Content-Length: {200 * MIB}") + b"[" * 1000)
        answer = answer_of(connection)
    assert status_of(answer) == 413
    assert b"body_too_large" in answer


@pytest.mark.parametrize("path", ["/api/data", "/api/devices", "/api/auth/login"])
def test_every_route_that_takes_a_body_has_a_limit(server: Server, admin: Person, path: str) -> None:
    answer = admin.ask("POST", path, content=b"x" * (5 * MIB))
    assert answer.status_code == 413, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_grows_too_large_in_chunks_is_refused_before_its_end(device: Device) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, "Transfer-Encoding: chunked"))
        piece, sent = b"%x\r\n" % 65_536 + b"x" * 65_536 + b"\r\n", 0
        with contextlib.suppress(OSError):
            while sent < 64 * MIB:
                connection.sendall(piece)
                sent += 65_536
                connection.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    if connection.recv(65_536, socket.MSG_PEEK):
                        break
                connection.settimeout(20)
        answer = answer_of(connection)
    assert status_of(answer) == 413
    assert sent < 64 * MIB
    assert device.post_raw(GOOD).status_code == 201


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -1"],
        ["Content-Length: ten"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 99999999999999999999999999"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: rot13"],
    ],
)
def test_a_length_that_makes_no_sense_is_refused(device: Device, lines: list[str]) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, *lines) + GOOD)
        connection.shutdown(socket.SHUT_WR)
        answer = answer_of(connection)
    assert status_of(answer) in (0, 400, 413, 422, 501)
    assert device.post_raw(GOOD).status_code == 201


def test_more_than_the_length_says_is_no_second_frame(device: Device) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, f"Content-Length: {len(GOOD)}") + GOOD + GOOD)
        answer = answer_of(connection)
        rest = answer_of(connection, 5)
    assert status_of(answer) in (201, 400)
    assert status_of(rest) in (0, 400)
    assert device.values("n") in ([], [1])


def test_less_than_the_length_says_is_no_frame(device: Device) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, f"Content-Length: {len(GOOD) + 10}") + GOOD)
        connection.shutdown(socket.SHUT_WR)
        answer_of(connection, 5)
    assert device.rows() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
def test_a_packed_body_is_not_unpacked(device: Device, encoding: str) -> None:
    answer = device.post_raw(gzip.compress(b"[" * MIB), **{"content-encoding": encoding})
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_encoding"
    answer = device.owner.ask("POST", "/api/devices", content=b"x", headers={"content-encoding": encoding})
    assert answer.status_code == 415


def test_an_identity_encoding_is_no_packing(device: Device) -> None:
    assert device.post_raw(GOOD, **{"content-encoding": "identity"}).status_code == 201


def test_a_hundred_thousand_query_fields_hurt_nobody(device: Device, admin: Person) -> None:
    query = "&".join(f"a{i}=1" for i in range(100_000))
    for method, path in (
        ("POST", device.path),
        ("GET", "/api/devices"),
        ("GET", "/api/latest"),
        ("GET", "/api/stream"),
    ):
        with raw(device.owner.server) as connection:
            began = time.monotonic()
            top = f"{method} {path}?{query} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n"
            token = device.token if method == "POST" else admin.account["access_token"]
            with contextlib.suppress(ConnectionError):
                connection.sendall(
                    f"{top}Authorization: Bearer {token}\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD
                )
            connection.settimeout(10)
            got = b""
            with contextlib.suppress(ConnectionError):
                got = connection.recv(65_536)
        assert status_of(got) < 500
        assert time.monotonic() - began < 10
    assert device.post_raw(GOOD).status_code == 201


def test_a_hundred_thousand_form_fields_hurt_nobody(server: Server) -> None:
    form = "&".join(f"a{i}=1" for i in range(60_000))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/api/auth/login", "/api/auth/register", "/api/auth/refresh"):
        answer = server.ask("POST", path, content=form, headers=headers)
        assert answer.status_code == 422
        assert len(answer.content) < 1500


def test_huge_headers_are_refused(server: Server) -> None:
    with raw(server) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: m\r\nX-Much: " + b"y" * (2 * MIB) + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert status_of(answer_of(connection)) < 500
    assert server.ask("GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    "line", ["GET /%ff%fe HTTP/1.1", "GET /api/devices/%00 HTTP/1.1", "BREW /api HTTP/1.1", "\x16\x03\x01"]
)
def test_nonsense_is_answered_or_closed(server: Server, line: str) -> None:
    with raw(server) as connection:
        connection.sendall(f"{line}\r\nHost: m\r\nConnection: close\r\n\r\n".encode("latin-1"))
        assert status_of(answer_of(connection)) < 500
    assert server.ask("GET", "/healthz").status_code == 200


def test_who_is_slow_is_not_waited_for(tmp_path: Path) -> None:
    with running(tmp_path / "data", module=("tests.journeys.altered", "hasty")) as server:
        device = server.admin().device()
        slow = {
            "says nothing": b"",
            "half a head": b"POST /api/data HTTP/1.1\r\nHost: m\r\n",
            "half a body": head(device, f"Content-Length: {len(GOOD)}") + GOOD[:5],
            "half a chunk": head(device, "Transfer-Encoding: chunked") + b"5\r\nab",
            "half a body for people": head(device, "Content-Length: 10", path="/api/devices") + b"{",
        }
        for name, sent in slow.items():
            with raw(server) as connection:
                began = time.monotonic()
                connection.sendall(sent)
                answer = answer_of(connection)
                assert time.monotonic() - began < 10, name
                assert status_of(answer) == (408 if "body" in name or "chunk" in name else 0), name
        with raw(server) as connection:
            connection.sendall(head(device, "Transfer-Encoding: chunked"))
            began = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() - began < 10:
                    connection.sendall(b"1\r\n \r\n")
                    time.sleep(0.05)
                    connection.settimeout(0.001)
                    with contextlib.suppress(TimeoutError):
                        if connection.recv(1000, socket.MSG_PEEK):
                            break
                    connection.settimeout(20)
            assert time.monotonic() - began < 5, "a drop now and then does not extend the deadline"
            assert status_of(answer_of(connection)) == 408
        assert device.rows() == []
        assert device.post_raw(GOOD).status_code == 201
