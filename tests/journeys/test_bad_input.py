"""Promise D5: bad input is answered 4xx, small and quick, on every device door, and harms nothing that follows."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.journeys.server import Device

QUICK_S = 5.0
SMALL_BYTES = 1500
_seqs = itertools.count(1_000_000)


def frame(value: str = "1", *, key: str = '"n"', more: str = "") -> bytes:
    """Return the text of a frame with one reading and whatever else."""
    return f'{{"seq":{next(_seqs)},"boot_id":"b"{more},"sensor_readings":{{{key}:{value}}}}}'.encode(
        "utf-8", "surrogatepass"
    )


def at(stamp: object) -> bytes:
    return frame(more=f',"timestamp":{json.dumps(stamp)}')


def numbered(seq: str) -> bytes:
    return f'{{"seq":{seq},"boot_id":"b","sensor_readings":{{"n":1}}}}'.encode()


def nested(depth: int) -> bytes:
    """Return a frame whose deepest bracket is the `depth`-th, the frame's own being the first."""
    return frame("[" * (depth - 2) + "]" * (depth - 2))


def days_ahead(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def keys(count: int) -> bytes:
    return b'{"seq":1,"sensor_readings":{' + b",".join(b'"k%d":1' % i for i in range(count)) + b"}}"


REFUSED = {
    "NaN": frame("NaN"),
    "Infinity": frame("Infinity"),
    "-Infinity": frame("-Infinity"),
    "1e999": frame("1e999"),
    "5,000 digits": frame("1" * 5000),
    "2^63": frame(str(2**63)),
    "-2^63-1": frame(str(-(2**63) - 1)),
    "2^70": frame(str(2**70)),
    "2^70 in JSON": frame(f'{{"x":[{2**70}]}}'),
    "half a surrogate pair": frame('"\\ud800"'),
    "half a surrogate pair in a key": frame(key='"\\udfff"'),
    "half a surrogate pair in JSON": frame('{"\\ud800":1}'),
    "raw surrogate bytes": frame('"\ud800"'),
    "NUL": frame('"a\\u0000b"'),
    "NUL in a key": frame(key='"a\\u0000b"'),
    "NUL in JSON": frame('["a\\u0000b"]'),
    "control character in a key": frame(key='"a\\u001bb"'),
    "empty key": frame(key='""'),
    "long key": frame(key=f'"{"k" * 129}"'),
    "long text": frame(f'"{"x" * 20_000}"'),
    "depth 17": nested(17),
    "depth 2,000": nested(2000),
    "depth 100,000": nested(100_000),
    "unclosed": b"[" * 100_000,
    "nothing": b"",
    "white space": b" \r\n\t ",
    "byte order mark": b"\xef\xbb\xbf" + frame(),
    "UTF-16": frame().decode().encode("utf-16"),
    "UTF-16 without mark": frame().decode().encode("utf-16-le"),
    "bad UTF-8": frame('"X"').replace(b"X", b"\xff\xfe"),
    "overlong UTF-8": frame('"X"').replace(b"X", b"\xc0\xaf"),
    "half a frame": frame()[:-5],
    "two frames": frame() + frame(),
    "XML": b"<frame><n>1</n></frame>",
    "a form": b"sensor_readings=1&seq=2",
    "MessagePack": b"\x82\xa3seq\x01\xafsensor_readings\x80",
    "CBOR": b"\xa2cseq\x01osensor_readings\xa0",
    "gzip": gzip.compress(frame()),
    "a number": b"1",
    "a text": b'"frame"',
    "null": b"null",
    "true": b"true",
    "no readings": b'{"seq":1}',
    "readings null": b'{"seq":1,"sensor_readings":null}',
    "readings a text": b'{"seq":1,"sensor_readings":"n=1"}',
    "readings a number": b'{"seq":1,"sensor_readings":1}',
    "a reading without sensor_type": b'{"seq":1,"sensor_readings":[{"value":1}]}',
    "a reading without value": b'{"seq":1,"sensor_readings":[{"sensor_type":"n"}]}',
    "a reading that is none": b'{"seq":1,"sensor_readings":[1]}',
    "20,000 keys": keys(20_000),
    "1,001 readings": keys(1001),
    "timestamp 0": at(0),
    "timestamp -1": at(-1),
    "timestamp 1e18": at(10**18),
    "timestamp 1e300": at(1e300),
    "timestamp 2^70": at(2**70),
    "timestamp of 5,000 digits": frame(more=f',"timestamp":{"1" * 5000}'),
    "timestamp NaN": frame(more=',"timestamp":NaN'),
    "year 9999": at("9999-12-31T23:59:59Z"),
    "year 1": at("0001-01-01T00:00:00Z"),
    "year 9999 east": at("9999-12-31T23:59:59-23:59"),
    "year 1 west": at("0001-01-01T00:00:00+23:59"),
    "the day after tomorrow": at(days_ahead(2)),
    "timestamp words": at("yesterday"),
    "timestamp empty": at(""),
    "timestamp list": at([1]),
    "timestamp true": frame(more=',"timestamp":true'),
    "timestamp of a reading": frame('{"value":1,"timestamp":-1}'),
    "seq -1": numbered("-1"),
    "seq 2^63": numbered(str(2**63)),
    "seq 2^70": numbered(str(2**70)),
    "seq 1.5": numbered("1.5"),
    "seq text": numbered('"1"'),
    "seq true": numbered("true"),
    "seq of 5,000 digits": numbered("1" * 5000),
    "boot_id number": frame(more=',"boot_id":1'),
    "boot_id long": frame(more=f',"boot_id":"{"b" * 129}"'),
    "boot_id NUL": frame(more=',"boot_id":"\\u0000"'),
    "latitude 91": frame("91", key='"latitude"'),
    "latitude -90.0001": frame("-90.0001", key='"latitude"'),
    "latitude 2^60": frame(str(2**60), key='"latitude"'),
    "longitude 180.5": frame("180.5", key='"longitude"'),
    "quality 2": frame('{"value":1,"quality_score":2}'),
    "quality text": frame('{"value":1,"quality_score":"good"}'),
    "unit number": frame('{"value":1,"unit":5}'),
    "unit long": frame(f'{{"value":1,"unit":"{"u" * 129}"}}'),
    "event_type number": frame(more=',"event_type":1'),
    "another device's id": frame(more=',"device_id":"00000000-0000-4000-8000-000000000000"'),
    "a field twice, last one wrong": b'{"seq":1,"seq":-1,"sensor_readings":{"n":1}}',
}


@pytest.fixture(scope="module")
def reporter(person: Any) -> Device:
    """Give one device for all: what is wrong with one frame must not stick to it."""
    device = person.device("reporter")
    assert device.post_raw(frame()).status_code == 201
    return device


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_posted_it_is_refused_and_the_next_frame_is_stored(reporter: Device, body: bytes) -> None:
    before = time.monotonic()
    answer = reporter.post_raw(body)
    assert time.monotonic() - before < QUICK_S
    assert 400 <= answer.status_code < 500, answer.text
    assert len(answer.content) < SMALL_BYTES
    told = answer.json()
    if answer.headers["content-type"] == "application/problem+json":
        assert told["status"] == answer.status_code == 422
        assert told["code"]
        assert told["message"]
    else:
        assert told["status"] == "rejected"
        assert told["reason"]
    assert reporter.post_raw(frame()).json()["status"] == "stored"


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_sent_on_a_socket_it_is_refused_and_the_socket_stays(reporter: Device, body: bytes) -> None:
    with reporter.socket() as wire:
        before = time.monotonic()
        told = wire.ask(body)
        assert time.monotonic() - before < QUICK_S
        _refused(told)
        assert wire.ask(frame())["status"] == "stored"


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_within_a_batch_it_spoils_only_itself_or_the_message(reporter: Device, body: bytes) -> None:
    answer = reporter.post_raw(b'{"frames":[' + frame() + b"," + body + b"," + frame() + b"]}")
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 201:
        statuses = [receipt["status"] for receipt in answer.json()["receipts"]]
        assert (statuses[0], statuses[-1]) == ("stored", "stored")
        assert set(statuses[1:-1]) <= {"rejected"} or body == REFUSED["two frames"]


def _refused(told: Any) -> None:
    if isinstance(told, list):
        assert all(receipt["status"] == "rejected" for receipt in told)
        return
    assert len(json.dumps(told)) < SMALL_BYTES
    if "status" in told:
        assert told["status"] == "rejected"
        assert told["reason"]
    else:
        assert told["error"]
        assert told["code"]


ACCEPTED: dict[str, tuple[bytes, str, Any]] = {
    "-0.0": (frame("-0.0", key='"zero"'), "zero", 0.0),
    "smallest": (frame("5e-324", key='"tiny"'), "tiny", 5e-324),
    "largest": (frame("1.7976931348623157e308", key='"huge"'), "huge", 1.7976931348623157e308),
    "2^63-1": (frame(str(2**63 - 1), key='"big"'), "big", 2**63 - 1),
    "-2^63": (frame(str(-(2**63)), key='"low"'), "low", -(2**63)),
    "2^53+1": (frame(str(2**53 + 1), key='"odd"'), "odd", 2**53 + 1),
    "true": (frame("true", key='"on"'), "on", True),
    "text": (frame('"running"', key='"state"'), "state", "running"),
    "empty text": (frame('""', key='"blank"'), "blank", ""),
    "right to left": (
        frame('"\u05e9\u05dc\u05d5\u05dd \u202eabc"', key='"\u0637\u0642\u0633"'),
        "طقس",
        "שלום \u202eabc",
    ),
    "emoji": (frame('"\U0001f916"', key='"\U0001f321\ufe0f"'), "\U0001f321\ufe0f", "\U0001f916"),
    "escaped emoji": (frame('"\\ud83e\\udd16"', key='"face"'), "face", "\U0001f916"),
    "JSON": (frame('{"x":[1,2.5,null,{"y":"z"}]}', key='"json"'), "json", {"x": [1, 2.5, None, {"y": "z"}]}),
    "depth 16": (frame("[" * 14 + "]" * 14, key='"deep"'), "deep", json.loads("[" * 14 + "]" * 14)),
    "object with value": (frame('{"value":3,"unit":"\u00b0C","extra":1}', key='"unit"'), "unit", 3),
    "latitude 90": (frame("90", key='"latitude"'), "latitude", 90),
    "tomorrow, less a bit": (
        frame("7", key='"soon"', more=f',"timestamp":"{days_ahead(0.9)}"'),
        "soon",
        7,
    ),
    "epoch milliseconds": (frame("8", key='"ms"', more=',"timestamp":1790000000123'), "ms", 8),
    "a key of 128": (frame("9", key=f'"{"k" * 128}"'), "k" * 128, 9),
    "unknown fields": (frame("10", key='"more"', more=',"whatever":{"a":[1]}'), "more", 10),
    "a quote and a statement": (
        frame('"\'; DROP TABLE numbers; --"', key='"x\'; DROP TABLE series; --"'),
        "x'; DROP TABLE series; --",
        "'; DROP TABLE numbers; --",
    ),
}


@pytest.mark.parametrize("door", ["http", "websocket"])
@pytest.mark.parametrize(("body", "key", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_unusual_but_good_input_is_stored_as_it_is(
    device: Device, door: str, body: bytes, key: str, value: Any
) -> None:
    if door == "http":
        assert device.post_raw(body).json()["status"] == "stored"
    else:
        with device.socket() as wire:
            assert wire.ask(body.decode())["status"] == "stored"
    stored = device.values(key)
    assert stored == [value]
    assert type(stored[0]) is type(value) or isinstance(value, float)


def test_a_null_value_is_no_reading(device: Device) -> None:
    answer = device.post({"seq": 1, "sensor_readings": {"a": None, "b": 1}})
    assert answer.json() == {"seq": 1, "status": "stored", "stored": 1}
    assert [row["sensor_type"] for row in device.rows()] == ["b"]


def test_a_device_cannot_invent_keys_without_end(device: Device) -> None:
    for start in range(0, 10_000, 1000):
        assert device.post({"sensor_readings": {f"k{start + i}": i for i in range(1000)}}).status_code == 201
    refused = device.post({"sensor_readings": {"one too many": 1}})
    assert 400 <= refused.status_code < 500
    assert "too_many_keys" in refused.json()["reason"]
    assert device.post({"sensor_readings": {"k1": 2}}).status_code == 201
    with device.socket() as wire:
        told = wire.ask({"seq": 1, "sensor_readings": {"another": 1}})
        assert told["status"] == "rejected"


def test_many_frames_in_one_message_are_refused_whole_above_the_limit(device: Device) -> None:
    frames = [{"sensor_readings": {}}] * 10_001
    answer = device.post({"frames": frames})
    assert answer.status_code == 422
    assert "10000" in answer.json()["hint"]
    with device.socket() as wire:
        _refused(wire.ask([{}] * 10_001))
        assert wire.ask([]) == []


def test_a_message_above_the_limit_ends_the_socket_and_nothing_else(device: Device) -> None:
    from websockets.exceptions import ConnectionClosed

    with device.socket() as wire:
        wire.socket.send(json.dumps({"seq": 1, "sensor_readings": {"n": "x" * 300_000}}))
        with pytest.raises(ConnectionClosed) as closed:
            wire.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    assert device.post_raw(frame()).status_code == 201
