"""Reading a body: under a limit, under a deadline, never packed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mooring.doors.request import BodyTooLarge, BodyTooSlow, EncodingUnsupported, Gone, read_body, reply


def scope(**headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


class Feeder:
    """An ASGI receive that gives pieces and counts how many were taken."""

    def __init__(self, *pieces: bytes, pause_s: float = 0, gone: bool = False) -> None:
        self.taken = 0
        self._messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1 or gone}
            for index, piece in enumerate(pieces)
        ]
        if gone:
            self._messages.append({"type": "http.disconnect"})
        self._pause_s = pause_s

    async def __call__(self) -> dict[str, Any]:
        await asyncio.sleep(self._pause_s)
        self.taken += 1
        return self._messages.pop(0)


async def test_pieces_become_a_body() -> None:
    assert await read_body(scope(), Feeder(b"ab", b"", b"cd"), 4) == b"abcd"
    assert await read_body(scope(content_length="0"), Feeder(b""), 4) == b""


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    feeder = Feeder(b"x")
    with pytest.raises(BodyTooLarge):
        await read_body(scope(content_length="5"), feeder, 4)
    assert feeder.taken == 0


async def test_a_body_that_grows_too_large_is_not_read_on() -> None:
    feeder = Feeder(*[b"xx"] * 100)
    with pytest.raises(BodyTooLarge):
        await read_body(scope(content_length="lies"), feeder, 4)
    assert feeder.taken == 3


async def test_a_slow_body_is_not_waited_for() -> None:
    feeder = Feeder(*[b"x"] * 100, pause_s=0.2)
    with pytest.raises(BodyTooSlow):
        await read_body(scope(), feeder, 1000, 0.5)


async def test_who_hangs_up_is_gone() -> None:
    with pytest.raises(Gone):
        await read_body(scope(), Feeder(b"x", gone=True), 10)


@pytest.mark.parametrize("encoding", ["gzip", "BR", "identity, gzip", ""])
async def test_a_packed_body_is_not_read(encoding: str) -> None:
    feeder = Feeder(b"x")
    with pytest.raises(EncodingUnsupported):
        await read_body(scope(content_encoding=encoding), feeder, 10)
    assert feeder.taken == 0


async def test_an_answer_is_complete() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await reply(send, 201, {"content-type": "text/plain"}, b"done")
    assert sent == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"4")],
        },
        {"type": "http.response.body", "body": b"done"},
    ]
