"""The ThingsBoard device API over MQTT, packet by packet, where its own clients would not show a fault."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.doors.mqtt.client import Client, Closed
from tests.doors.mqtt.conftest import Opener, port_of
from tests.journeys.server import Device, Person, Server

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt import reasons as r

ME = "v1/devices/me/"
BOTH = pytest.mark.parametrize("level", [4, 5])


@contextmanager
def calling(person: Person, device_id: str, way: str = "twoway", **call: Any) -> Iterator[list[httpx.Response]]:
    """Call a device in the background; the answer is in the list once the block is left."""
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(person.ask("POST", f"/api/rpc/{way}/{device_id}", json={"method": "m", "params": 1, **call}))

    thread = threading.Thread(target=ask)
    thread.start()
    yield answers
    thread.join(20)


def patch_twin(person: Person, device: Device, **parts: Any) -> None:
    assert person.ask("PATCH", f"/api/devices/{device.id}/twin", json=parts).status_code == 200


# -- telemetry


@pytest.mark.parametrize("topic", [ME + "telemetry", "v2/t", "v2/t/j"])
def test_telemetry_is_stored_in_all_its_forms(opened: Opener, device: Device, topic: str) -> None:
    client = opened(device)
    assert client.sent(topic, b"{temperature:25}") == 0
    said = [{"ts": 1_790_000_000_000, "values": {"t": 1.5, "gps": {"value": 3, "b": [1]}, "none": None}}, {"n": "12"}]
    assert client.sent(topic, said) == 0
    assert client.sent(topic, b"{}") == 0
    values = {row["sensor_type"]: row["value"] for row in device.rows()}
    assert values == {"temperature": 25, "t": 1.5, "gps": {"value": 3, "b": [1]}, "n": 12}
    assert device.rows(sensor_type="t")[0]["timestamp"] == "2026-09-21T14:13:20.000Z"


def test_time_of_an_unset_clock_is_kept_but_not_believed(opened: Opener, device: Device) -> None:
    client = opened(device)
    assert client.sent(ME + "telemetry", {"ts": 12345, "values": {"t": 1}}) == 0
    assert client.sent(ME + "telemetry", {"ts": 10**15, "values": {"t": 2}}) == 0
    assert device.values("device_timestamp") == [12345, 10**15]
    assert all(row["timestamp"] > "2026" for row in device.rows(sensor_type="t"))


def test_message_of_thousands_of_values_is_stored_whole(opened: Opener, device: Device) -> None:
    client = opened(device)
    assert client.sent(ME + "telemetry", {f"k{n}": n for n in range(2500)}) == 0
    assert len(device.rows()) == 2500


BAD = [
    b"nonsense{",
    b"[1]",
    b"",
    b'{"t":NaN}',
    b'{"\\u0000":1}',
    b'{"t":"\\u0000"}',
    b"\xff",
    b'{"ts":"x","values":{}}',
]


@pytest.mark.parametrize("data", BAD)
def test_bad_telemetry_is_refused_by_number_in_version_5(opened: Opener, device: Device, data: bytes) -> None:
    client = opened(device, level=5)
    assert client.sent(ME + "telemetry", data) == r.PAYLOAD_INVALID
    assert client.sent(ME + "telemetry", {"t": 1}) == 0


@pytest.mark.parametrize("qos", [0, 1])
def test_bad_telemetry_closes_an_older_connection_without_a_puback(opened: Opener, device: Device, qos: int) -> None:
    client = opened(device)
    client.publish(ME + "telemetry", b"[1]", qos)
    with pytest.raises(Closed):
        client.hear(p.Ack)


def test_bad_telemetry_at_qos_0_is_answered_by_a_farewell_in_version_5(opened: Opener, device: Device) -> None:
    client = opened(device, level=5)
    client.publish(ME + "telemetry", b"[1]", 0)
    assert client.end() == p.Disconnect(r.PAYLOAD_INVALID)


# -- attributes

FAMILIES = [
    (ME + "attributes", ME + "attributes/request/", ME + "attributes/response/"),
    ("v2/a", "v2/a/req/", "v2/a/res/"),
    ("v2/a/j", "v2/a/req/j/", "v2/a/res/j/"),
]


@pytest.mark.parametrize(("attributes", "request_", "response"), FAMILIES)
def test_attributes_are_kept_asked_for_and_pushed(
    opened: Opener, person: Person, device: Device, attributes: str, request_: str, response: str
) -> None:
    client = opened(device, level=5)
    assert client.subscribe(attributes, response + "+") == [1, 1]
    assert client.sent(attributes, {"a": 1, "b": "x"}) == 0
    patch_twin(person, device, desired={"mode": "eco", "old": 1}, server={"secret": 1})
    assert client.told(attributes) == {"mode": "eco", "old": 1}
    client.sent(request_ + "7", {"clientKeys": "a,zz", "sharedKeys": "mode"})
    assert client.told(response + "7") == {"client": {"a": 1}, "shared": {"mode": "eco"}}
    client.sent(request_ + "7", {})
    everything = {"client": {"a": 1, "b": "x"}, "shared": {"mode": "eco", "old": 1}}
    assert client.told(response + "7") == everything
    patch_twin(person, device, desired={"mode": "fast", "old": None})
    assert client.told(attributes) == {"mode": "fast"}
    assert client.told(attributes) == {"deleted": ["old"]}


def test_response_needs_no_subscription_and_then_has_qos_1(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.publish(ME + "attributes/request/1", {})
    message = client.message(lambda one: one.topic == ME + "attributes/response/1")
    assert (message.payload, message.qos) == (b"{}", 1)
    client.hear(p.Ack)
    client.subscribe(ME + "attributes/response/+", qos=0)
    client.publish(ME + "attributes/request/2", {})
    assert client.message(lambda one: one.topic == ME + "attributes/response/2").qos == 0


def test_own_attributes_are_not_echoed(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.subscribe(ME + "attributes")
    client.sent(ME + "attributes", {"a": 1})
    client.say(p.Pingreq())
    client.hear(p.Pingresp)
    assert client.waiting == []


def test_attributes_beyond_bounds_are_refused(opened: Opener, device: Device) -> None:
    client = opened(device, level=5)
    assert client.sent(ME + "attributes", [1]) == r.PAYLOAD_INVALID
    assert client.sent(ME + "attributes", {f"k{n}": n for n in range(1001)}) == r.PAYLOAD_INVALID
    assert client.sent(ME + "attributes", {"x": "\0"}) == r.PAYLOAD_INVALID
    assert client.sent(ME + "attributes", {"x" * 300: 1}) == r.PAYLOAD_INVALID
    assert client.sent(ME + "attributes", {"ok": 1}) == 0


def test_two_requests_of_one_number_may_be_under_way(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.sent(ME + "attributes", {"a": 1, "b": 2})
    asked = (b'{"clientKeys":"a"}', b'{"clientKeys":"b"}')
    client.say(*(p.Publish(ME + "attributes/request/1", body, 0) for body in asked))
    told = [client.told(ME + "attributes/response/1")["client"] for _ in range(2)]
    assert sorted(told, key=str) == [{"a": 1}, {"b": 2}]


# -- calls


def test_session_limits_are_told(opened: Opener, device: Device) -> None:
    client = opened(device, level=5)
    client.publish(ME + "rpc/request/1", {"method": "getSessionLimits", "params": {"timeout": 5000}})
    none = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}
    told = {"maxPayloadSize": 65536, "maxInflightMessages": 32, "rateLimits": none}
    assert client.told(ME + "rpc/response/1") == told


def test_call_of_a_device_is_answered(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.publish("v2/r/req/4", {"method": "getTime"})
    assert abs(client.told("v2/r/res/4")["time"] / 1000 - time.time()) < 60
    client.hear(p.Ack)
    client.publish(ME + "rpc/request/5", {"method": "makeCoffee", "params": {}})
    assert client.told(ME + "rpc/response/5") == {"error": "method is not known: makeCoffee"}


@pytest.mark.parametrize(
    ("filter_", "request_", "answer"),
    [
        (ME + "rpc/request/+", ME + "rpc/request/0", ME + "rpc/response/0"),
        ("v2/r/req/+", "v2/r/req/0", "v2/r/res/0"),
        ("v2/r/req/j/+", "v2/r/req/j/0", "v2/r/res/j/0"),
    ],
)
def test_call_waits_for_a_device_that_is_away(
    opened: Opener, person: Person, device: Device, filter_: str, request_: str, answer: str
) -> None:
    with calling(person, device.id, params={"x": 1}) as answers:
        time.sleep(0.3)
        client = opened(device)
        client.subscribe(filter_)
        assert client.told(request_) == {"method": "m", "params": {"x": 1}}
        client.sent(answer, {"done": True})
        client.sent(answer, {"done": "twice"})
    assert answers[0].json() == {"done": True}


def test_one_way_call_ends_with_the_puback(opened: Opener, person: Person, device: Device) -> None:
    client = opened(device)
    client.subscribe(ME + "rpc/request/+")
    with calling(person, device.id, "oneway") as answers:
        client.told(ME + "rpc/request/0")
    assert (answers[0].status_code, answers[0].content) == (200, b"")


@pytest.mark.parametrize(("path", "status"), [("/api/rpc", 504), ("/api/plugins/rpc", 408)])
def test_call_nobody_answers_ends_in_time(person: Person, device: Device, path: str, status: int) -> None:
    asked = person.ask("POST", f"{path}/twoway/{device.id}", json={"method": "m", "timeout": 1})
    assert asked.status_code == status


def test_only_the_addressed_device_answers_a_call(opened: Opener, person: Person, device: Device) -> None:
    client, other = opened(device), opened(person.device())
    client.subscribe(ME + "rpc/request/+")
    other.subscribe(ME + "rpc/request/+")
    with calling(person, device.id) as answers:
        client.told(ME + "rpc/request/0")
        other.sent(ME + "rpc/response/0", {"forged": True})
        client.sent(ME + "rpc/response/0", {"true": 1})
    assert answers[0].json() == {"true": 1}


def test_strangers_may_not_call(server: Server, device: Device) -> None:
    asked = server.person().ask("POST", f"/api/rpc/oneway/{device.id}", json={"method": "m"})
    assert asked.status_code == 404


def test_device_that_asks_for_firmware_is_told_there_is_none(opened: Opener, device: Device) -> None:
    client = opened(device)
    packet_id = client.publish("v2/fw/request/1/chunk/0", b"16384")
    assert client.hear(p.Ack).packet_id == packet_id
    assert client.hear(p.Publish) == p.Publish("v2/fw/error", b"NOT_FOUND", 1, 1)
    with pytest.raises(Closed):
        client.hear(p.Ack)


# -- gateways

GATEWAY = {"configuration": {"gateway": True}}


def sub_of(person: Person, name: str) -> Device:
    """Return the device a gateway registered under a name; its token nobody knows."""
    found = [one for one in person.get("/api/devices", q=name, limit=500)["items"] if one["name"] == name]
    assert len(found) == 1, found
    return Device(person, found[0]["id"], "")


def test_gateway_registers_and_speaks_for_its_devices(server: Server, opened: Opener) -> None:
    person = server.person()
    client = opened(person.device(**GATEWAY), level=5)
    assert client.sent("v1/gateway/connect", {"device": "Pump A", "type": "pump"}) == 0
    said = {"Pump A": [{"ts": 1_790_000_000_000, "values": {"t": 1}, "metadata": {"c": 1}}], "Pump B": [{"t": 2}]}
    assert client.sent("v1/gateway/telemetry", said) == 0
    assert client.sent("v1/gateway/telemetry", {"Pump A": [{"t": 3}], "Pump B": []}) == 0
    one, other = sub_of(person, "Pump A"), sub_of(person, "Pump B")
    assert (one.values("t"), other.values("t")) == ([1, 3], [2])
    assert person.get(f"/api/devices/{one.id}")["device_type"] == "pump"
    assert person.get(f"/api/devices/{one.id}/status")["connected"] is True
    assert client.sent("v1/gateway/disconnect", {"device": "Pump A"}) == 0
    assert person.get(f"/api/devices/{one.id}/status")["status"] == "offline"
    client.say(p.Disconnect())
    client.end()
    time.sleep(0.2)
    assert person.get(f"/api/devices/{other.id}/status")["status"] == "offline"


def test_gateway_keeps_asks_for_and_is_pushed_attributes(server: Server, opened: Opener) -> None:
    person = server.person()
    client = opened(person.device(**GATEWAY))
    assert client.sent("v1/gateway/attributes", {"A": {"fw": 3, "x": "y"}}) == 0
    sub = sub_of(person, "A")
    patch_twin(person, sub, desired={"mode": "eco"})
    assert client.told("v1/gateway/attributes") == {"device": "A", "data": {"mode": "eco"}}
    asked = {
        '{"id":1,"device":"A","client":true,"key":"fw"}': {"id": 1, "device": "A", "value": 3},
        '{"id":2,"device":"A","client":true,"keys":["fw","x"]}': {
            "id": 2,
            "device": "A",
            "values": {"fw": 3, "x": "y"},
        },
        '{"id":3,"device":"A","client":false,"key":"mode"}': {"id": 3, "device": "A", "value": "eco"},
        '{"id":4,"device":"A","client":false,"key":"zz"}': {"id": 4, "device": "A"},
        '{"id":5,"device":"A","client":["fw"],"shared":["mode"]}': {
            "id": 5,
            "device": "A",
            "values": {"mode": "eco", "fw": 3},
        },
    }
    for request, answer in asked.items():
        client.sent("v1/gateway/attributes/request", request.encode())
        assert client.told("v1/gateway/attributes/response") == answer
    patch_twin(person, sub, desired={"mode": None})
    assert client.told("v1/gateway/attributes") == {"device": "A", "data": {"deleted": ["mode"]}}


def test_gateway_answers_calls_to_its_devices(server: Server, opened: Opener) -> None:
    person = server.person()
    client = opened(person.device(**GATEWAY))
    client.sent("v1/gateway/connect", {"device": "A"})
    with calling(person, sub_of(person, "A").id) as answers:
        told = client.told("v1/gateway/rpc")
        assert told == {"device": "A", "data": {"id": 0, "method": "m", "params": 1}}
        client.sent("v1/gateway/rpc", {"device": "A", "id": 0, "data": {"r": 1}})
    assert answers[0].json() == {"r": 1}


def test_gateway_limits_name_both_kinds(server: Server, opened: Opener) -> None:
    client = opened(server.person().device(device_type="gateway"))
    client.publish(ME + "rpc/request/1", {"method": "getSessionLimits"})
    assert {"rateLimits", "gatewayRateLimits"} <= client.told(ME + "rpc/response/1").keys()


def test_device_that_is_no_gateway_speaks_for_nobody(opened: Opener, person: Person, device: Device) -> None:
    new = opened(device, level=5)
    assert new.sent("v1/gateway/telemetry", {"Victim": [{"t": 1}]}) == r.NOT_AUTHORIZED
    old = opened(device, client_id="old")
    old.publish("v1/gateway/connect", {"device": "Victim"})
    with pytest.raises(Closed):
        old.hear(p.Ack)
    assert person.get("/api/devices", q="Victim")["total"] == 0


def test_gateway_cannot_reach_devices_of_other_people(server: Server, opened: Opener) -> None:
    owner, other = server.person(), server.person()
    victim = other.device("victim")
    name = other.get(f"/api/devices/{victim.id}")["name"]
    client = opened(owner.device(**GATEWAY))
    client.sent("v1/gateway/telemetry", {name: [{"t": 1}]})
    assert victim.rows() == []
    assert sub_of(owner, name).values("t") == [1]


def test_gateway_stops_at_the_quota(server: Server, opened: Opener) -> None:
    person = server.person()
    client = opened(person.device(**GATEWAY), level=5)
    for start in range(0, 49):
        assert client.sent("v1/gateway/connect", {"device": f"D{start}"}) == 0
    assert client.sent("v1/gateway/connect", {"device": "one too many"}) == r.QUOTA_EXCEEDED
    assert client.sent("v1/gateway/telemetry", {"D1": [{"t": 1}]}) == 0


# -- claiming


def claim(person: Person, name: str, secret: str) -> httpx.Response:
    return person.ask("POST", f"/api/customer/device/{name}/claim", json={"secretKey": secret})


def name_of(device: Device) -> str:
    return str(device.owner.get(f"/api/devices/{device.id}")["name"])


def test_claimed_device_changes_hands(server: Server, opened: Opener) -> None:
    maker, buyer = server.person(), server.person()
    device = maker.device("boxed")
    name = name_of(device)
    client = opened(device)
    client.sent(ME + "telemetry", {"t": 1})
    patch_twin(maker, device, server={"claimingAllowed": True})
    client.sent(ME + "claim", {"secretKey": "s3cret", "durationMs": 60000})
    answer = claim(buyer, name, "s3cret")
    assert answer.status_code == 200, answer.text
    assert answer.json()["response"] == "SUCCESS"
    assert buyer.get(f"/api/devices/{device.id}")["name"] == name
    assert maker.ask("GET", f"/api/devices/{device.id}").status_code == 404
    client.sent(ME + "telemetry", {"t": 2})
    assert Device(buyer, device.id, "").values("t") == [1, 2]
    again = claim(buyer, name, "s3cret")
    assert (again.status_code, again.json()) == (400, "CLAIMED")


def test_wrong_secret_ends_the_offer(server: Server, opened: Opener) -> None:
    maker, buyer = server.person(), server.person()
    device = maker.device("boxed")
    patch_twin(maker, device, server={"claimingAllowed": True})
    client = opened(device)
    client.sent(ME + "claim", {"secretKey": "right"})
    name = name_of(device)
    for secret in ("wrong", "right"):
        answer = claim(buyer, name, secret)
        assert (answer.status_code, answer.json()) == (400, "FAILURE")


def test_device_that_may_not_be_claimed_is_not(server: Server, opened: Opener, device: Device) -> None:
    opened(device).sent(ME + "claim", b"")
    assert claim(server.person(), name_of(device), "").json() == "FAILURE"


# -- provisioning


@BOTH
def test_guest_may_ask_for_a_credential_and_nothing_else(opened: Opener, level: int) -> None:
    client = opened(level=level)
    assert client.connect("provision", client_id="").reason == 0
    assert client.subscribe("/provision/response", "v1/devices/me/attributes", "mooring/v1/receipts", qos=0) == [
        0,
        *([0x80] * 2 if level == 4 else [r.FILTER_INVALID] * 2),
    ]
    client.publish(
        "/provision/request", {"provisionDeviceKey": "k", "provisionDeviceSecret": "s", "deviceName": "d"}, qos=0
    )
    told = {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}
    assert client.told("/provision/response") == told
    assert client.sent(ME + "telemetry", {"t": 1}) == (0 if level == 4 else r.TOPIC_INVALID)


def test_guest_does_not_stay(hasty: Server) -> None:
    with Client(port_of(hasty)) as client:
        assert client.connect("provision").reason == 0
        client.end(5)


def test_provisioning_over_http_is_answered_200(server: Server) -> None:
    with server.client() as http:
        asked = http.post("/api/v1/provision", json={"provisionDeviceKey": "k", "provisionDeviceSecret": "s"})
        assert (asked.status_code, asked.json()["status"]) == (200, "NOT_FOUND")
        assert http.post("/api/v1/provision", content=json.dumps({})).status_code == 400
