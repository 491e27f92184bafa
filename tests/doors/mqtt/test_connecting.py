"""Who gets in, on which terms, and how long one may keep silent."""

from __future__ import annotations

import time

import pytest
from tests.doors.mqtt.client import Client, Closed
from tests.doors.mqtt.conftest import Opener, port_of
from tests.journeys.server import Device, Person, Server

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt import properties as prop
from mooring.wire.mqtt import reasons as r

LEVELS = [3, 4, 5]


@pytest.mark.parametrize("level", LEVELS)
def test_token_as_user_name_is_let_in_and_no_session_is_ever_present(
    opened: Opener, device: Device, level: int
) -> None:
    client = opened(level=level)
    answer = client.connect(device.token, clean=False)
    assert (answer.reason, answer.session_present) == (0, False)
    client.say(p.Pingreq())
    client.hear(p.Pingresp)


def test_version_5_is_told_what_is_offered(opened: Opener, device: Device) -> None:
    told = opened(level=5).connect(device.token, client_id="", keep_alive=0, properties={prop.SESSION_EXPIRY: 60})
    assert told.properties is not None
    assert told.properties.pop(prop.ASSIGNED_CLIENT_ID).startswith("auto-")
    assert told.properties == {
        prop.RECEIVE_MAXIMUM: 32,
        prop.MAXIMUM_QOS: 1,
        prop.MAXIMUM_PACKET_SIZE: 262_144,
        prop.SUBSCRIPTION_ID_AVAILABLE: 0,
        prop.SHARED_AVAILABLE: 0,
        prop.SESSION_EXPIRY: 0,
        prop.SERVER_KEEP_ALIVE: 1200,
    }


REFUSED = {
    "a wrong token": ({"token": "no-such-token"}, 5, r.BAD_CREDENTIALS),
    "a password alone": ({"password": b"secret", "level": 5}, 5, r.BAD_CREDENTIALS),
    "nothing at all": ({"client_id": ""}, 5, r.NOT_AUTHORIZED),
    "an unknown client id alone": ({"client_id": "me"}, 2, r.CLIENT_ID_INVALID),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("what", REFUSED)
def test_stranger_is_refused_with(opened: Opener, what: str, level: int) -> None:
    fields, old, new = REFUSED[what]
    if fields.get("level", level) != level:
        pytest.skip("only version 5 has a password without a user name")
    client = opened(level=level)
    answer = client.connect(**{name: value for name, value in fields.items() if name != "level"})
    assert answer.reason == (new if level == 5 else old)
    with pytest.raises(Closed):
        client.hear(p.Connack)


def test_unknown_version_is_told_so_in_the_old_form(opened: Opener) -> None:
    client = opened()
    client.raw(b"\x10\x0e\0\4MQTT\6\2\0\x3c\0\2me")
    assert client.hear(p.Connack).reason == 1
    client.end()


def test_extended_authentication_is_refused(opened: Opener, device: Device) -> None:
    assert opened(level=5).connect(device.token, properties={prop.AUTH_METHOD: "SCRAM"}).reason == r.BAD_METHOD


def test_messages_sent_behind_connect_without_waiting_are_served(opened: Opener, device: Device) -> None:
    client = opened()
    frame = b'{"seq":1,"sensor_readings":{"t":1}}'
    client.say(
        p.Connect(4, "c", True, 60, device.token),
        p.Subscribe(1, [p.Wish("mooring/v1/receipts", 1)]),
        p.Publish("mooring/v1/telemetry", frame, 1, 2),
        p.Pingreq(),
    )
    assert client.hear(p.Connack).reason == 0
    assert client.hear(p.Suback).reasons == [1]
    client.hear(p.Pingresp)
    assert client.hear(p.Ack).packet_id == 2
    assert client.told("mooring/v1/receipts") == {"seq": 1, "status": "stored"}


@pytest.mark.parametrize("level", LEVELS)
def test_second_connection_of_a_client_id_takes_over_the_first(opened: Opener, device: Device, level: int) -> None:
    first = opened(device, level=level, client_id="same")
    second = opened(device, level=level, client_id="same")
    farewell = first.end()
    assert farewell == (p.Disconnect(r.TAKEN_OVER) if level == 5 else None)
    assert second.sent("mooring/v1/telemetry", {"sensor_readings": {"t": 1}}) == 0


def test_client_id_of_another_device_takes_over_nothing(opened: Opener, person: Person) -> None:
    mine, other = person.device(), person.device()
    first = opened(mine, client_id="same")
    opened(other, client_id="same")
    first.say(p.Pingreq())
    first.hear(p.Pingresp)


def test_device_is_online_while_connected_and_offline_after(opened: Opener, person: Person, device: Device) -> None:
    client = opened(device)
    assert person.get(f"/api/devices/{device.id}/status")["connected"] is True
    client.say(p.Disconnect())
    client.end()
    deadline = time.monotonic() + 5
    while person.get(f"/api/devices/{device.id}/status")["connected"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert person.get(f"/api/devices/{device.id}/status")["status"] == "offline"


@pytest.mark.parametrize("level", [4, 5])
def test_revoked_token_ends_the_connection_within_a_second(
    opened: Opener, person: Person, device: Device, level: int
) -> None:
    client = opened(device, level=level)
    person.ask("POST", f"/api/devices/{device.id}/token")
    assert client.end(1.0) == (p.Disconnect(r.ADMINISTRATIVE) if level == 5 else None)
    assert opened(level=level).connect(device.token).reason in (5, r.BAD_CREDENTIALS)


# -- nobody holds a socket for free


def test_silence_before_connect_ends_the_connection(hasty: Server) -> None:
    with Client(port_of(hasty)) as client:
        began = time.monotonic()
        client.end(5)
        assert 0.5 < time.monotonic() - began < 3


def test_connect_in_single_bytes_does_not_buy_time(hasty: Server) -> None:
    with Client(port_of(hasty)) as client:
        client.raw(b"\x10")
        began = time.monotonic()
        with pytest.raises((Closed, OSError)):
            for byte in b"\x7f\0\4MQTT\4\2\0\x3c\0\2me" + bytes(100):
                client.raw(bytes((byte,)))
                time.sleep(0.05)
                client.socket.setblocking(False)
                try:
                    if client.socket.recv(10) == b"":
                        raise Closed
                except BlockingIOError:
                    pass
                finally:
                    client.socket.setblocking(True)
        assert time.monotonic() - began < 4


def test_packet_that_does_not_end_ends_the_connection(hasty: Server) -> None:
    device = hasty.person().device()
    with Client(port_of(hasty), 5) as client:
        assert client.connect(device.token, keep_alive=600).reason == 0
        client.raw(b"\x30\x7f\0\1a")
        assert client.end(5) == p.Disconnect(r.KEEP_ALIVE_TIMEOUT)


def test_keep_alive_is_enforced_one_and_a_half_times(server: Server, device: Device) -> None:
    with Client(port_of(server), 5) as client:
        assert client.connect(device.token, keep_alive=1).reason == 0
        began = time.monotonic()
        assert client.end(6) == p.Disconnect(r.KEEP_ALIVE_TIMEOUT)
        assert 1.4 < time.monotonic() - began < 3


def test_pings_keep_a_connection(server: Server, device: Device) -> None:
    with Client(port_of(server)) as client:
        assert client.connect(device.token, keep_alive=1).reason == 0
        for _ in range(4):
            time.sleep(0.7)
            client.say(p.Pingreq())
            client.hear(p.Pingresp)


# -- what breaks the protocol ends the connection, quickly and politely

BROKEN = {
    "a length of five bytes": (b"\x30\x80\x80\x80\x80\1", r.MALFORMED),
    "QoS 3": (b"\x36\7\0\1a\0\1xx", r.MALFORMED),
    "packet id 0": (b"\x32\6\0\1a\0\0\0", r.PROTOCOL_ERROR),
    "QoS 2": (b"\x34\6\0\1a\0\1\0", r.QOS_UNSUPPORTED),
    "a topic alias": (b"\x30\7\0\1a\3\x23\0\1", r.TOPIC_ALIAS_INVALID),
    "a packet above the limit": (b"\x30\xff\xff\x7f", r.TOO_LARGE),
    "a packet of the server's": (b"\x20\3\0\0\0", r.PROTOCOL_ERROR),
    "a second connect": (b"\x10\x0f\0\4MQTT\5\2\0\x3c\0\0\2me", r.PROTOCOL_ERROR),
    "a subscription identifier": (b"\x82\x09\0\1\2\x0b\1\0\1a\0", 0xA1),
    "nonsense": (b"GET / HTTP/1.1\r\n" * 9, r.MALFORMED),
}


@pytest.mark.parametrize("what", BROKEN)
def test_connection_ends_on(opened: Opener, device: Device, what: str) -> None:
    data, reason = BROKEN[what]
    client = opened(device, level=5)
    client.raw(data)
    assert client.end() == p.Disconnect(reason)


def test_more_messages_at_once_than_allowed_end_the_connection(opened: Opener, device: Device) -> None:
    client = opened(device, level=5)
    frame = b'{"sensor_readings":{"t":1}}'
    client.say(*(p.Publish("mooring/v1/telemetry", frame, 1, number) for number in range(1, 40)))
    heard = []
    try:
        while True:
            heard.append(client.hear((p.Ack, p.Disconnect)))  # type: ignore[arg-type]
    except Closed:
        assert heard[-1] == p.Disconnect(r.RECEIVE_MAXIMUM_EXCEEDED)


def test_older_clients_may_have_many_messages_on_their_way(opened: Opener, device: Device) -> None:
    client = opened(device)
    frame = b'{"sensor_readings":{"t":1}}'
    client.say(*(p.Publish("mooring/v1/telemetry", frame, 1, number) for number in range(1, 5001)))
    assert [client.hear(p.Ack).packet_id for _ in range(5000)] == list(range(1, 5001))
    assert len(device.rows()) == 5000
