"""Posts that take the short way past ASGI: in one piece, in many, in a row, and what must not take it."""

from __future__ import annotations

import json
import re

import pytest
from tests.journeys.server import Device
from tests.journeys.test_http_edges import answer_of, head, raw, status_of


def post(device: Device, seq: int, *lines: str) -> bytes:
    body = json.dumps({"seq": seq, "boot_id": "short", "sensor_readings": {"n": seq}}).encode()
    return head(device, f"Content-Length: {len(body)}", *lines) + body


def answers(device: Device, sent: list[bytes], until: bytes) -> bytes:
    with raw(device.owner.server) as connection:
        for part in sent:
            connection.sendall(part)
        got = b""
        while until not in got:
            got += answer_of(connection)
    return got


def test_posts_sent_at_once_on_one_connection_are_answered_in_order(device: Device) -> None:
    got = answers(device, [b"".join(post(device, seq) for seq in range(1, 21))], b'"seq":20')
    assert re.findall(rb'"seq":(\d+),"status":"stored"', got) == [b"%d" % seq for seq in range(1, 21)]


def test_other_requests_between_posts_keep_their_place(device: Device) -> None:
    other = b"GET /healthz HTTP/1.1\r\nHost: mooring\r\n\r\n"
    got = answers(device, [post(device, 1) + other + post(device, 2) + other + post(device, 3)], b'"seq":3')
    assert re.findall(rb'"seq":\d|alive', got) == [b'"seq":1', b"alive", b'"seq":2', b"alive", b'"seq":3']


@pytest.mark.parametrize("cut", [1, 20, 120, -30, -1])
def test_a_post_in_two_pieces_is_stored_all_the_same(device: Device, cut: int) -> None:
    whole = post(device, 7)
    got = answers(device, [whole[:cut], whole[cut:]], b'"seq":7')
    assert b"201 Created" in got and b'"status":"stored"' in got


def test_a_connection_that_wants_to_close_is_closed_after_the_receipt(device: Device) -> None:
    with raw(device.owner.server) as connection:
        connection.sendall(post(device, 1, "Connection: close"))
        got = answer_of(connection)
        assert status_of(got) == 201 and b"connection: close" in got
        assert connection.recv(1) == b""


def test_a_page_of_another_origin_is_refused_here_too(device: Device) -> None:
    got = answers(device, [post(device, 1, "Origin: https://elsewhere.example")], b"origin_refused")
    assert status_of(got) == 403


def test_refusals_come_with_their_reasons(device: Device) -> None:
    with raw(device.owner.server) as connection:
        body = b'{"seq":1,"sensor_readings":{"latitude":91}}'
        connection.sendall(head(device, f"Content-Length: {len(body)}") + body)
        got = answer_of(connection)
        assert status_of(got) == 422 and b"latitude out of range" in got
        connection.sendall(post(device, 2))
        assert status_of(answer_of(connection)) == 201


def test_another_devices_address_is_not_found(device: Device) -> None:
    path = "/api/devices/00000000-0000-0000-0000-000000000000/data"
    with raw(device.owner.server) as connection:
        connection.sendall(head(device, "Content-Length: 2", path=path) + b"{}")
        assert status_of(answer_of(connection)) == 404
