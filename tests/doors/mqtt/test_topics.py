"""What may be said on which topic, what is answered, and that nobody hears or reaches anybody else."""

from __future__ import annotations

import pytest
from tests.doors.mqtt.client import Client, Closed
from tests.doors.mqtt.conftest import Opener
from tests.journeys.server import Device, Person

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt import reasons as r

TELEMETRY = "mooring/v1/telemetry"
RECEIPTS = "mooring/v1/receipts"
BOTH = pytest.mark.parametrize("level", [4, 5])


@pytest.mark.parametrize("level", [3, 4, 5])
def test_puback_comes_once_the_frame_is_stored(opened: Opener, device: Device, level: int) -> None:
    client = opened(device, level=level)
    for seq in range(3):
        frame = {"seq": seq, "boot_id": "b", "timestamp": 1_790_000_000 + seq, "sensor_readings": {"t": seq * 0.5}}
        assert client.sent(TELEMETRY, frame) == 0
    assert device.values("t") == [0.0, 0.5, 1.0]


def test_message_at_qos_0_is_stored_without_an_answer(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.publish(TELEMETRY, {"sensor_readings": {"t": 7}}, qos=0)
    assert client.sent(TELEMETRY, {"sensor_readings": {"u": 8}}) == 0
    assert device.values("t") == [7]


def test_acknowledgements_keep_the_order_of_the_messages(opened: Opener, device: Device) -> None:
    client = opened(device)
    frames = [{"seq": n, "boot_id": f"b{n % 3}", "sensor_readings": {f"k{n % 7}": n}} for n in range(60)]
    ids = [client.publish(TELEMETRY, frame) for frame in frames]
    assert [client.hear(p.Ack).packet_id for _ in ids] == ids


def test_receipts_are_told_to_who_subscribes(opened: Opener, device: Device) -> None:
    client = opened(device)
    assert client.subscribe(RECEIPTS) == [1]
    client.sent(TELEMETRY, {"seq": 1, "boot_id": "b", "sensor_readings": {"t": 1}})
    assert client.told(RECEIPTS) == {"seq": 1, "status": "stored"}
    client.sent(TELEMETRY, {"seq": 1, "boot_id": "b", "sensor_readings": {"t": 1}})
    assert client.told(RECEIPTS) == {"seq": 1, "status": "duplicate"}
    client.sent(TELEMETRY, {"seq": 1, "boot_id": "b", "sensor_readings": {"t": 2}})
    refused = client.told(RECEIPTS)
    assert refused["status"] == "rejected"
    assert refused["reason"].startswith("seq_conflict")
    client.sent(TELEMETRY, [{"seq": 2, "sensor_readings": {"t": 1}}, {"seq": 3}, {"sensor_readings": {"t": 3}}])
    told = client.told(RECEIPTS)
    assert [(one["seq"], one["status"]) for one in told] == [(2, "stored"), (3, "rejected"), (None, "stored")]
    assert device.values("t") == [1, 1, 3]


def test_same_frame_fifty_times_at_once_is_one_row(opened: Opener, device: Device) -> None:
    clients = [opened(device, client_id=f"c{n}") for n in range(10)]
    for client in clients:
        client.say(
            *(
                p.Publish(TELEMETRY, b'{"seq":5,"boot_id":"x","sensor_readings":{"t":1}}', 1, number)
                for number in range(1, 6)
            )
        )
    for client in clients:
        assert [client.hear(p.Ack).packet_id for _ in range(5)] == [1, 2, 3, 4, 5]
    assert device.values("t") == [1]


BAD = {
    "no JSON": b"nonsense",
    "NaN": b'{"sensor_readings":{"t":NaN}}',
    "a number beyond a double": b'{"sensor_readings":{"t":1e999}}',
    "half a surrogate pair": b'{"sensor_readings":{"t":"\\ud800"}}',
    "a NUL": b'{"sensor_readings":{"t":"\\u0000"}}',
    "no UTF-8": b'{"sensor_readings":{"\xff":1}}',
    "nothing in it": b"{}",
    "an empty message": b"",
    "another device's id": b'{"device_id":"x","sensor_readings":{"t":1}}',
    "a deep nest": b'{"sensor_readings":{"t":' + b"[" * 500 + b"]" * 500 + b"}}",
    "a seq below 0": b'{"seq":-1,"sensor_readings":{"t":1}}',
    "a time long past": b'{"timestamp":-1,"sensor_readings":{"t":1}}',
}


@pytest.mark.parametrize("what", BAD)
def test_bad_frame_is_refused_by_number_in_version_5_and_the_connection_stays(
    opened: Opener, device: Device, what: str
) -> None:
    client = opened(device, level=5)
    assert client.sent(TELEMETRY, BAD[what]) == r.PAYLOAD_INVALID
    assert client.sent(TELEMETRY, {"sensor_readings": {"ok": 1}}) == 0
    assert [row["sensor_type"] for row in device.rows()] == ["ok"]


def test_bad_frame_never_gets_a_puback_from_a_client_that_cannot_be_told(opened: Opener, device: Device) -> None:
    client = opened(device)
    good = client.publish(TELEMETRY, {"sensor_readings": {"t": 1}})
    client.publish(TELEMETRY, b"nonsense")
    client.publish(TELEMETRY, {"sensor_readings": {"t": 2}})
    assert client.hear(p.Ack).packet_id == good
    with pytest.raises(Closed):
        client.hear(p.Ack)


def test_bad_frame_is_acknowledged_where_its_receipt_tells(opened: Opener, device: Device) -> None:
    client = opened(device)
    client.subscribe(RECEIPTS)
    assert client.sent(TELEMETRY, b'{"seq":4,"sensor_readings":{"t":null,"x":"\\u0000"}}') == 0
    told = client.told(RECEIPTS)
    assert (told["seq"], told["status"]) == (4, "rejected")


@BOTH
def test_bad_frame_at_qos_0_is_dropped(opened: Opener, device: Device, level: int) -> None:
    client = opened(device, level=level)
    client.publish(TELEMETRY, b"nonsense", qos=0)
    assert client.sent(TELEMETRY, {"sensor_readings": {"t": 1}}) == 0


def test_events_and_states_have_topics_of_their_own(opened: Opener, person: Person, device: Device) -> None:
    client = opened(device, level=5)
    assert client.sent("mooring/v1/events", {"event_type": "door_opened", "message": "front"}) == 0
    assert client.sent("mooring/v1/status", {"device_status": "charging"}) == 0
    assert client.sent("mooring/v1/events", {"sensor_readings": {"t": 1}}) == r.PAYLOAD_INVALID
    assert client.sent("mooring/v1/status", {"event_type": "x"}) == r.PAYLOAD_INVALID
    kinds = [event["event_type"] for event in person.get(f"/api/devices/{device.id}/events")["items"]]
    assert {"door_opened", "status_changed"} <= set(kinds)
    assert person.get(f"/api/devices/{device.id}")["device_status"] == "charging"


# -- the twin, and calls


def test_twin_is_reported_asked_for_and_pushed(opened: Opener, person: Person, device: Device) -> None:
    client = opened(device)
    client.subscribe("mooring/v1/twin/desired", "mooring/v1/twin")
    assert client.sent("mooring/v1/twin/reported", {"mode": "idle", "fw": 3}) == 0
    path = f"/api/devices/{device.id}/twin"
    assert person.get(path)["reported"] == {"mode": "idle", "fw": 3}
    assert person.ask("PATCH", path, json={"desired": {"mode": "auto"}, "server": {"secret": 1}}).status_code == 200
    assert client.told("mooring/v1/twin/desired")["desired"] == {"mode": "auto"}
    person.ask("PATCH", path, json={"desired": {"mode": None}})
    assert client.told("mooring/v1/twin/desired")["desired"] == {"mode": None}
    client.sent("mooring/v1/twin/get", b"")
    assert client.told("mooring/v1/twin") == {"version": 4, "desired": {}, "reported": {"mode": "idle", "fw": 3}}


def test_command_reaches_the_device_and_its_result_comes_back(opened: Opener, person: Person, device: Device) -> None:
    import threading

    client = opened(device)
    client.subscribe("mooring/v1/commands")
    answers = []
    call = {"method": "dock", "params": {"bay": 2}}
    asking = threading.Thread(
        target=lambda: answers.append(person.ask("POST", f"/api/rpc/twoway/{device.id}", json=call))
    )
    asking.start()
    told = client.told("mooring/v1/commands")
    assert told == {"type": "command", "id": "0", "command_type": "dock", "parameters": {"bay": 2}}
    client.sent("mooring/v1/commands/0/result", {"status": "executed", "response": "docked"})
    asking.join(10)
    assert answers[0].json() == {"status": "executed", "response": "docked"}


# -- fences


@BOTH
def test_only_known_filters_are_granted(opened: Opener, device: Device, level: int) -> None:
    client = opened(device, level=level)
    foreign = ["#", "+", "mooring/#", "mooring/v1/+", "$SYS/#", "v1/devices/+/telemetry", TELEMETRY, "a/b"]
    assert client.subscribe(*foreign) == [0x80 if level == 4 else r.FILTER_INVALID] * len(foreign)
    shared = client.subscribe("$share/g/mooring/v1/receipts")
    assert shared == [0x80 if level == 4 else r.SHARED_UNSUPPORTED]
    assert client.subscribe(RECEIPTS, "#", qos=2)[0] == 1, "QoS 2 becomes 1"


@BOTH
def test_message_on_a_foreign_topic_goes_nowhere(opened: Opener, device: Device, level: int) -> None:
    client = opened(device, level=level)
    for topic in ("a/b", "$SYS/broker", RECEIPTS, "mooring/v1/commands", "v1/devices/other/telemetry"):
        assert client.sent(topic, {"sensor_readings": {"t": 1}}) == (0 if level == 4 else r.TOPIC_INVALID)
    assert device.rows() == []


def test_devices_hear_nothing_of_each_other_and_nothing_of_themselves(opened: Opener, person: Person) -> None:
    one, other = person.device(), person.device()
    topics = [RECEIPTS, "mooring/v1/twin/desired", "v1/devices/me/attributes", "v1/devices/me/rpc/request/+"]
    listener = opened(other)
    listener.subscribe(*topics)
    talker = opened(one, client_id="t", will=p.Will(TELEMETRY, b'{"sensor_readings":{"will":1}}', 1, True))
    talker.subscribe(*topics)
    talker.sent("v1/devices/me/attributes", {"a": 1})
    talker.sent("v1/devices/me/telemetry", {"a": 1})
    talker.publish("mooring/v1/receipts", {"seq": 1})
    talker.hear(p.Ack)
    for client in (listener, talker):
        client.say(p.Pingreq())
        client.hear(p.Pingresp)
        assert client.waiting == []
    talker.socket.close()
    listener.say(p.Pingreq())
    listener.hear(p.Pingresp)
    assert listener.waiting == []
    assert {row["sensor_type"] for row in one.rows()} == {"a"}, "a will is never said"


@BOTH
def test_unsubscribe_is_answered(opened: Opener, device: Device, level: int) -> None:
    client = opened(device, level=level)
    client.subscribe(RECEIPTS)
    client.say(p.Unsubscribe(9, [RECEIPTS, "mooring/v1/twin", "#"]))
    answer = client.hear(p.Unsuback)
    assert answer.packet_id == 9
    assert answer.reasons == ([0, r.NO_SUBSCRIPTION_EXISTED, r.FILTER_INVALID] if level == 5 else [])
    client.sent(TELEMETRY, {"seq": 1, "sensor_readings": {"t": 1}})
    assert client.waiting == []


def test_client_that_never_acknowledges_is_closed_and_others_do_not_notice(
    opened: Opener, person: Person, device: Device
) -> None:
    lazy = opened(device, level=5, client_id="lazy")
    lazy.subscribe(RECEIPTS)
    ended: Client | None = None
    for start in range(0, 2000, 20):
        frames = [{"seq": n, "boot_id": "l", "sensor_readings": {"t": n}} for n in range(start, start + 20)]
        try:
            for frame in frames:
                lazy.publish(TELEMETRY, frame)
            for _ in frames:
                lazy.hear(p.Ack)
        except (Closed, AssertionError):
            ended = lazy
            break
    assert ended is not None
    assert opened(person.device()).sent(TELEMETRY, {"sensor_readings": {"t": 1}}) == 0
