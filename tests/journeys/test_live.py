"""The live feed: what one may see within a second, nothing else, and a reader that does not read harms nobody."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from tests.journeys.server import Device, Person, Server
from websockets.exceptions import ConnectionClosed, InvalidStatus

SOON_S = 1.0
# What "soon" may take on a machine that others keep busy.
PATIENCE_S = 5.0


def frame(value: float = 1, **more: Any) -> dict[str, Any]:
    return {"sensor_readings": {"n": value, "m": -value}, **more}


class Stream:
    """``GET /api/stream`` read in a thread."""

    def __init__(self, person: Person, **query: Any) -> None:
        self._client = person.server.client(headers=person.headers)
        self._heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(query,), daemon=True)
        self._thread.start()
        assert self._opened.wait(10)

    def _read(self, query: dict[str, Any]) -> None:
        with contextlib.suppress(Exception), self._client.stream("GET", "/api/stream", params=query) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                self._opened.set()
                if line.startswith("data: "):
                    self._heard.put(json.loads(line[6:]))
        self._heard.put(None)

    def next(self, kind: str, timeout_s: float = PATIENCE_S) -> dict[str, Any] | None:
        """Return the next message of a kind, None at the end of the stream."""
        while (message := self._heard.get(timeout=timeout_s)) is not None:
            if message["type"] == kind:
                return message
        return None

    def ended(self, timeout_s: float = PATIENCE_S) -> bool:
        """Tell whether the stream ends in time."""
        with contextlib.suppress(queue.Empty):
            while self._heard.get(timeout=timeout_s) is not None:
                pass
            return True
        return False

    def close(self) -> None:
        self._client.close()


@contextlib.contextmanager
def streaming(person: Person, **query: Any) -> Iterator[Stream]:
    stream = Stream(person, **query)
    try:
        yield stream
    finally:
        stream.close()


def test_a_frame_is_shown_within_a_second(device: Device) -> None:
    with device.owner.live() as live:
        before = time.monotonic()
        assert device.post(frame(5, timestamp="2026-11-20T10:00:00Z")).status_code == 201
        shown = live.next("readings")["frames"][0]
        assert time.monotonic() - before < PATIENCE_S
    assert shown == {"device_id": device.id, "timestamp": "2026-11-20T10:00:00Z", "values": {"n": 5, "m": -5}}


def test_the_stream_of_events_shows_the_same(device: Device) -> None:
    with streaming(device.owner) as stream:
        assert stream.next("hello") is not None
        device.post(frame(6))
        shown = stream.next("readings")
    assert shown is not None
    assert (shown["frames"][0]["device_id"], shown["frames"][0]["values"]) == (device.id, {"n": 6, "m": -6})


def test_values_of_every_kind_are_shown_as_they_are(device: Device) -> None:
    said = {"a": 1, "b": 2.5, "c": True, "d": "text", "e": {"x": [1, None]}, "f": 2**60}
    with device.owner.live() as live:
        device.post({"sensor_readings": said})
        assert live.next("readings")["frames"][0]["values"] == said


def test_only_the_devices_and_keys_asked_for_are_shown(person: Person) -> None:
    wanted, other = person.device(), person.device()
    with (
        person.live(devices=[wanted.id], keys=["n"]) as live,
        streaming(person, device_id=wanted.id, key=["n"]) as stream,
    ):
        other.post(frame(1))
        wanted.post({"sensor_readings": {"m": 2}})
        wanted.post(frame(3))
        shown = live.next("readings")["frames"]
        assert [(one["device_id"], one["values"]) for one in shown] == [(wanted.id, {"n": 3})]
        streamed = stream.next("readings")
        assert streamed is not None
        assert [one["values"] for one in streamed["frames"]] == [{"n": 3}]


def test_another_persons_devices_are_never_shown(server: Server, person: Person, admin: Person) -> None:
    stranger, mine = server.person("stranger"), person.device()
    theirs = stranger.device()
    with (
        stranger.live() as all_of_mine,
        stranger.live(devices=[mine.id, theirs.id]) as asked,
        streaming(stranger, device_id=mine.id) as stream,
        admin.live() as everything,
    ):
        with mine.socket() as wire:
            wire.ask({"seq": 1, **frame(1), "event_type": "secret", "device_status": "busy"})
        fresh = person.device()
        fresh.post(frame(2))
        assert everything.next("readings")["frames"]
        heard = [*all_of_mine.heard(1.5), *asked.heard(0.5)]
        assert all(mine.id not in json.dumps(message) for message in heard)
        assert all(fresh.id not in json.dumps(message) for message in heard)
        theirs.post(frame(3))
        for live in (all_of_mine, asked):
            assert [one["device_id"] for one in live.next("readings")["frames"]] == [theirs.id]
        with pytest.raises(queue.Empty):
            stream.next("readings", 0.5)


def test_presence_events_and_changes_are_shown(person: Person) -> None:
    with person.live() as live:
        device = person.device()
        assert live.next("devices")["items"] == [{"device_id": device.id, "change": "created"}]
        with device.socket() as wire:
            came = live.next("presence")["items"][0]
            assert (came["device_id"], came["status"]) == (device.id, "online")
            wire.ask({"seq": 1, "event_type": "door_opened", "message": "front", "severity": "warning"})
            told = next(
                item for _ in range(10) for item in live.next("events")["items"] if item["event_type"] == "door_opened"
            )
            assert (told["device_id"], told["message"], told["severity"]) == (device.id, "front", "warning")
        gone = live.next("presence")["items"][0]
        assert (gone["device_id"], gone["status"]) == (device.id, "offline")
        person.ask("PUT", f"/api/devices/{device.id}", json={"description": "new"})
        assert live.next("devices")["items"] == [{"device_id": device.id, "change": "updated"}]
        person.ask("DELETE", f"/api/devices/{device.id}")
        assert live.next("devices")["items"] == [{"device_id": device.id, "change": "deleted"}]


def test_a_device_made_later_is_shown_too(server: Server) -> None:
    person = server.person()
    with person.live() as live:
        device = person.device()
        device.post(frame(4))
        assert live.next("readings")["frames"][0]["device_id"] == device.id


def test_one_may_change_ones_mind(device: Device) -> None:
    with device.owner.live() as live:
        live.say({"type": "ping"})
        live.next("pong")
        live.say({"type": "unsubscribe"})
        live.next("unsubscribed")
        device.post(frame(1))
        assert [message for message in live.heard(0.5) if message["type"] == "readings"] == []
        live.say({"type": "subscribe", "devices": [device.id]})
        assert live.next("subscribed")["devices"] == [device.id]
        device.post(frame(2))
        assert live.next("readings")["frames"][0]["values"]["n"] == 2


@pytest.mark.parametrize(
    "said",
    [
        "",
        "x",
        "[]",
        "null",
        '{"type":1}',
        '{"type":"dance"}',
        '{"type":"subscribe","devices":7}',
        '{"type":"subscribe","devices":[7]}',
        '{"type":"subscribe","devices":"some-device"}',
        '{"type":"subscribe","keys":"n"}',
        '{"type":"subscribe","keys":{}}',
        "[" * 50_000,
        json.dumps({"type": "subscribe", "devices": ["x"] * 10_001}),
        b"\xff\xfe",
        '{"type":"subscribe","devices":["\\ud800"]}',
    ],
    ids=range(15),
)
def test_nonsense_is_answered_and_the_stream_goes_on(device: Device, said: str | bytes) -> None:
    with device.owner.live() as live:
        live.socket.send(said)
        told = live.next("error")
        assert told["code"]
        assert told["message"]
        device.post(frame(9))
        assert live.next("readings")["frames"][0]["device_id"] == device.id


def test_strangers_are_refused(server: Server, device: Device) -> None:
    for path, headers in (
        ("/ws/live", {}),
        ("/ws/live?token=nonsense", {}),
        ("/ws/live", {"Authorization": "Bearer nonsense"}),
        ("/ws/live", {"Authorization": f"Bearer {device.token}"}),
        ("/ws/live", {"Cookie": "mooring_session=ms_nonsense"}),
        ("/ws/nowhere", {}),
    ):
        with pytest.raises(InvalidStatus) as refused:
            server.ws(path, **headers)
        assert refused.value.response.status_code == 403
    assert server.ask("GET", "/api/stream").status_code == 401


def test_every_credential_of_a_person_opens_the_feed(person: Person) -> None:
    server, token = person.server, person.account["access_token"]
    key = person.ask("POST", "/api/keys", json={"name": "live"}).json()["key"]
    for path, headers in (
        (f"/ws/live?token={token}", {}),
        (f"/ws/live?token={key}", {}),
        ("/ws/live", {"X-API-Key": key}),
        ("/ws/live", {"Authorization": f"Bearer {key}"}),
    ):
        with server.ws(path, **headers) as opened:
            assert json.loads(opened.recv(timeout=PATIENCE_S))["type"] == "hello"


def test_a_page_of_another_origin_is_refused(server: Server, person: Person) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus) as refused:
            server.ws("/ws/live", Origin=origin, **person.headers)
        assert refused.value.response.status_code == 403
    with server.ws("/ws/live", Origin=server.url, **person.headers) as opened:
        assert json.loads(opened.recv(timeout=PATIENCE_S))["type"] == "hello"


def test_a_log_out_ends_the_streams_within_a_second(server: Server) -> None:
    person = server.person()
    other = Person(server, _log_in(server, person))
    with person.live() as live, streaming(person) as stream, other.live() as kept:
        before = time.monotonic()
        assert person.ask("POST", "/api/auth/logout").status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            live.heard(PATIENCE_S)
            live.socket.recv(timeout=0)
        assert time.monotonic() - before < PATIENCE_S
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "session ended")
        assert stream.ended()
        kept.say({"type": "ping"})
        kept.next("pong")


def test_a_revoked_key_ends_its_streams_within_a_second(person: Person) -> None:
    made = person.ask("POST", "/api/keys", json={"name": "brief"}).json()
    with person.server.ws("/ws/live", **{"X-API-Key": made["key"]}) as opened:
        opened.recv(timeout=PATIENCE_S)
        before = time.monotonic()
        assert person.ask("DELETE", f"/api/keys/{made['id']}").status_code == 204
        with pytest.raises(ConnectionClosed):
            while True:
                opened.recv(timeout=PATIENCE_S)
        assert time.monotonic() - before < PATIENCE_S


def _log_in(server: Server, person: Person) -> dict[str, Any]:
    from tests.journeys.server import ADMIN_PASSWORD

    account = {"username": person.account["user"]["username"], "password": ADMIN_PASSWORD}
    return dict(server.ask("POST", "/api/auth/login", json=account).json())


def test_a_reader_that_never_reads_costs_little_and_is_told_of_the_gap(server: Server) -> None:
    person = server.person()
    device = person.device()
    process = psutil.Process(server.pid)
    with deaf(person) as ear, person.live() as reader, device.socket() as wire:
        batch = [{"sensor_readings": {f"key{k}": i * k for k in range(50)}} for i in range(100)]
        wire.ask(batch)
        before = process.memory_info().rss
        slowest = 0.0
        for _ in range(60):
            began = time.monotonic()
            wire.ask(batch)
            reader.next("readings")
            slowest = max(slowest, time.monotonic() - began)
        assert process.memory_info().rss - before < 48 << 20, "60 batches of 5,000 readings"
        assert slowest < PATIENCE_S
        device.post({"sensor_readings": {"last": 1}})
        messages = list(ear())
    kinds = [message["type"] for message in messages]
    assert "gap" in kinds
    gap = messages[kinds.index("gap")]
    assert gap["reason"] == "slow_reader"
    assert isinstance(gap["after_seq"], int)
    after = [message for message in messages[kinds.index("gap") :] if message["type"] == "readings"]
    assert any("last" in one["values"] for message in after for one in message["frames"])
    assert sum(len(json.dumps(message)) for message in messages) < 8 << 20


@contextlib.contextmanager
def deaf(person: Person) -> Iterator[Any]:
    """Subscribe over a bare socket and do not read; yields what reads all that came, at last."""
    address = urlsplit(person.server.url)
    with socket.socket() as bare:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bare.connect((address.hostname, address.port))
        bare.sendall(
            f"GET /ws/live?token={person.account['access_token']} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        got = b""
        while b"\r\n\r\n" not in got:
            got += bare.recv(1)
        wish = b'{"type":"subscribe","devices":"*"}'
        bare.sendall(bytes((0x81, 0x80 | len(wish), 0, 0, 0, 0)) + wish)
        yield lambda: _read_all(bare)


def _read_all(bare: socket.socket) -> Iterator[dict[str, Any]]:
    """Read server-to-client frames (RFC 6455, 5.2) until nothing more comes."""
    bare.settimeout(2)
    got = bytearray()
    with contextlib.suppress(TimeoutError):
        while part := bare.recv(1 << 20):
            got += part
    rest = bytes(got)
    while rest:
        size, skip = rest[1] & 127, 2
        if size == 126:
            size, skip = int.from_bytes(rest[2:4], "big"), 4
        elif size == 127:
            size, skip = int.from_bytes(rest[2:10], "big"), 10
        if rest[0] == 0x81:
            yield json.loads(rest[skip : skip + size])
        rest = rest[skip + size :]
