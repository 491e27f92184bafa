"""MQTT packets: recorded and hand-made bytes cut at every byte, round trips, and every strictness of the texts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt import properties as prop
from mooring.wire.mqtt.encode import encode, puback
from mooring.wire.mqtt.reasons import MALFORMED, PROTOCOL_ERROR, TOO_LARGE, VERSION_UNSUPPORTED
from mooring.wire.mqtt.stream import FIRST_LIMIT, Stream
from mooring.wire.mqtt.values import put_length

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "mqtt"
LIMIT = 1 << 18


def vectors() -> list[tuple[str, int, bytes]]:
    """Return the recorded streams: name, level (0 when it begins with CONNECT), bytes."""
    found = []
    for path in sorted(VECTORS.glob("*.hex")):
        side = 0 if ".client." in path.name else int(path.name.split(".")[1][-1])
        lines = (line.partition("#")[0] for line in path.read_text().splitlines())
        found.append((path.name, side, bytes.fromhex("".join(lines))))
    return found


def decoded(data: bytes, level: int = 0, limit: int = LIMIT) -> list[p.Packet]:
    stream = Stream(limit, level=level)
    packets = stream.feed(data)
    if stream.error is not None:
        raise stream.error
    assert not stream.partial
    return packets


def refused(data: bytes, level: int = 4) -> int:
    stream = Stream(LIMIT, level=level)
    stream.feed(data)
    assert stream.error is not None, "taken"
    return stream.error.reason


def packet(head: int, body: bytes) -> bytes:
    return bytes((head,)) + put_length(len(body)) + body


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


CONNECT = packet(0x10, text("MQTT") + b"\4\2\0\x3c" + text("me"))
CONNECT_5 = packet(0x10, text("MQTT") + b"\5\2\0\x3c\0" + text("me"))


@pytest.mark.parametrize(("name", "level", "data"), vectors(), ids=[name for name, _, _ in vectors()])
def test_recorded_stream_reads_the_same_however_it_is_cut(name: str, level: int, data: bytes) -> None:
    whole = decoded(data, level)
    assert len(whole) > 1
    for cut in range(1, len(data)):
        stream = Stream(LIMIT, level=level)
        assert stream.feed(data[:cut]) + stream.feed(data[cut:]) == whole, cut
    stream = Stream(LIMIT, level=level)
    drip = [one for at in range(len(data)) for one in stream.feed(data[at : at + 1])]
    assert drip == whole
    assert not stream.partial


@pytest.mark.parametrize(("name", "level", "data"), vectors(), ids=[name for name, _, _ in vectors()])
def test_recorded_stream_is_written_again_as_it_was(name: str, level: int, data: bytes) -> None:
    packets = decoded(data, level)
    spoken = packets[0].level if isinstance(packets[0], p.Connect) else level
    assert b"".join(encode(one, spoken) for one in packets) == data


# -- round trips

short = st.integers(1, 0xFFFF)
level = st.sampled_from([3, 4, 5])
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
topics = words.filter(lambda t: t and not set(t) & set("+#") and len(t.encode()) < 200)
payloads = st.binary(max_size=300)
reasons = st.integers(0, 255)
filters = (
    st.lists(st.one_of(st.just("+"), topics.map(lambda t: t.replace("/", ""))), min_size=1, max_size=4)
    .map("/".join)
    .filter(bool)
)


def values_of(number: int) -> st.SearchStrategy[object]:
    kind = prop._KINDS[number]
    if number == prop.USER_PROPERTY:
        return st.lists(st.tuples(words, words), min_size=1, max_size=3)
    if kind.write is prop.put_text:
        return words
    if kind.write is prop.put_binary:
        return payloads
    widest = {prop._byte: 0xFF, prop._short: 0xFFFF, prop._long: 0xFFFFFFFF, put_length: 268_435_455}[kind.write]
    numbers = st.integers(kind.lowest, min(kind.highest, widest))
    return numbers.map(lambda one: [one]) if number == prop.SUBSCRIPTION_ID else numbers


def properties_of(place: int) -> st.SearchStrategy[dict[int, object] | None]:
    optional = {number: values_of(number) for number, kind in prop._KINDS.items() if place in kind.places}
    return st.one_of(st.none(), st.fixed_dictionaries({}, optional=optional).map(lambda found: found or None))


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, p.Packet]:
    spoken = draw(level)
    props = lambda place: draw(properties_of(place)) if spoken == 5 else None  # noqa: E731
    reason = draw(reasons) if spoken == 5 else 0
    kind = draw(st.sampled_from(range(2, 16 if spoken == 5 else 15)))
    if kind == p.CONNACK:
        return spoken, p.Connack(draw(reasons), draw(st.booleans()), props(kind))
    if kind == p.PUBLISH:
        qos = draw(st.integers(0, 2))
        packet_id, dup = (draw(short), draw(st.booleans())) if qos else (0, False)
        body, retain = draw(payloads), draw(st.booleans())
        return spoken, p.Publish(draw(topics), body, qos, packet_id, retain, dup, props(kind))
    if kind in (p.PUBACK, p.PUBREC, p.PUBREL, p.PUBCOMP):
        return spoken, p.Ack(kind, draw(short), reason, props(kind))
    if kind == p.SUBSCRIBE:
        more = st.builds(p.Wish, filters, st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 2))
        wish = more if spoken == 5 else st.builds(p.Wish, filters, st.integers(0, 2))
        return spoken, p.Subscribe(draw(short), draw(st.lists(wish, min_size=1, max_size=4)), props(kind))
    if kind == p.SUBACK:
        return spoken, p.Suback(draw(short), draw(st.lists(reasons, max_size=5)), props(kind))
    if kind == p.UNSUBSCRIBE:
        return spoken, p.Unsubscribe(draw(short), draw(st.lists(filters, min_size=1, max_size=4)), props(kind))
    if kind == p.UNSUBACK:
        told = draw(st.lists(reasons, max_size=5)) if spoken == 5 else []
        return spoken, p.Unsuback(draw(short), told, props(kind))
    plain = {p.PINGREQ: p.Pingreq(), p.PINGRESP: p.Pingresp()}
    if kind in plain:
        return spoken, plain[kind]
    return spoken, (p.Disconnect if kind == p.DISCONNECT else p.Auth)(reason, props(kind))


@st.composite
def connects(draw: st.DrawFn) -> p.Connect:
    spoken = draw(level)
    five = spoken == 5
    will_properties = draw(properties_of(prop.WILL)) if five else None
    will = st.builds(p.Will, topics, payloads, st.integers(0, 2), st.booleans(), st.just(will_properties))
    username = draw(st.one_of(st.none(), words))
    password = draw(st.one_of(st.none(), payloads)) if username is not None or five else None
    return p.Connect(
        level=spoken,
        client_id=draw(words),
        clean=draw(st.booleans()),
        keep_alive=draw(st.integers(0, 0xFFFF)),
        username=username,
        password=password,
        will=draw(st.one_of(st.none(), will)),
        properties=draw(properties_of(p.CONNECT)) if five else None,
    )


@settings(max_examples=300, deadline=None)
@given(packets())
def test_every_packet_comes_back_as_it_went_out(sent: tuple[int, p.Packet]) -> None:
    spoken, packet_out = sent
    assert decoded(encode(packet_out, spoken), spoken) == [packet_out]


@settings(max_examples=150, deadline=None)
@given(connects(), packets())
def test_connect_comes_back_and_sets_the_version_for_what_follows(first: p.Connect, then: tuple[int, p.Packet]) -> None:
    spoken, packet_out = then
    data = encode(first, first.level) + (encode(packet_out, spoken) if spoken == first.level else b"")
    stream = Stream(LIMIT, first_limit=LIMIT)
    assert stream.feed(data) == ([first, packet_out] if spoken == first.level else [first])
    assert stream.error is None


@settings(max_examples=100, deadline=None)
@given(st.lists(packets().filter(lambda one: one[0] == 5), min_size=1, max_size=5), st.data())
def test_stream_of_packets_reads_the_same_cut_anywhere(sent: list[tuple[int, p.Packet]], data: st.DataObject) -> None:
    whole = b"".join(encode(one, 5) for _, one in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    stream, got = Stream(LIMIT, level=5), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        got += stream.feed(whole[start:end])
    assert got == [one for _, one in sent]


def test_short_puback_is_the_same_in_all_versions() -> None:
    for spoken in (3, 4, 5):
        assert puback(513) == encode(p.Ack(p.PUBACK, 513), spoken)


# -- what is refused

PUBLISH = text("a") + b"\0\1x"
REFUSED = {
    "a length of five bytes": (b"\x30\x80\x80\x80\x80\1", 4, MALFORMED),
    "QoS 3": (packet(0x36, PUBLISH), 4, MALFORMED),
    "a repetition at QoS 0": (packet(0x38, text("a")), 4, MALFORMED),
    "packet id 0": (packet(0x32, text("a") + b"\0\0x"), 4, PROTOCOL_ERROR),
    "packet id 0 in a long message": (packet(0x32, text("a") + b"\0\0xxxxxx"), 4, PROTOCOL_ERROR),
    "puback of packet id 0": (packet(0x40, b"\0\0"), 4, PROTOCOL_ERROR),
    "subscribe with packet id 0": (packet(0x82, b"\0\0" + text("a") + b"\0"), 4, PROTOCOL_ERROR),
    "a topic that is not UTF-8": (packet(0x30, text(b"\xff") + b"xxxx"), 4, MALFORMED),
    "a topic with a NUL": (packet(0x30, text("a\0b") + b"xxxx"), 4, MALFORMED),
    "a topic with a surrogate": (packet(0x30, text(b"\xed\xa0\x80") + b"xxxx"), 4, MALFORMED),
    "an overlong NUL": (packet(0x30, text(b"\xc0\x80") + b"xxxx"), 4, MALFORMED),
    "a topic with a wildcard": (packet(0x30, text("a/+") + b"xxxx"), 4, MALFORMED),
    "a topic with a hash": (packet(0x30, text("#") + b"xxxx"), 4, MALFORMED),
    "an empty topic": (packet(0x30, text("") + b"xxxx"), 4, MALFORMED),
    "a topic longer than its packet": (packet(0x30, b"\xff\xff" + b"xxxx"), 4, MALFORMED),
    "an empty publish": (packet(0x30, b""), 4, MALFORMED),
    "subscribe without filters": (packet(0x82, b"\0\1"), 4, PROTOCOL_ERROR),
    "subscribe with QoS 3": (packet(0x82, b"\0\1" + text("a") + b"\3"), 4, MALFORMED),
    "subscribe with reserved options": (packet(0x82, b"\0\1" + text("a") + b"\4"), 4, MALFORMED),
    "subscribe with reserved options in 5": (packet(0x82, b"\0\1\0" + text("a") + b"\x40"), 5, MALFORMED),
    "subscribe with retain handling 3": (packet(0x82, b"\0\1\0" + text("a") + b"\x30"), 5, MALFORMED),
    "shared and no local": (packet(0x82, b"\0\1\0" + text("$share/g/a") + b"\4"), 5, PROTOCOL_ERROR),
    "a filter with a hash inside": (packet(0x82, b"\0\1" + text("a/#/b") + b"\0"), 4, MALFORMED),
    "a filter with a hash beside": (packet(0x82, b"\0\1" + text("a#") + b"\0"), 4, MALFORMED),
    "a filter with a plus beside": (packet(0x82, b"\0\1" + text("a/b+") + b"\0"), 4, MALFORMED),
    "an empty filter": (packet(0x82, b"\0\1" + text("") + b"\0"), 4, MALFORMED),
    "flags of subscribe": (packet(0x80, b"\0\1" + text("a") + b"\0"), 4, MALFORMED),
    "flags of pingreq": (b"\xc1\0", 4, MALFORMED),
    "a pingreq with a body": (b"\xc0\1x", 4, MALFORMED),
    "packet type 0": (b"\0\0", 4, MALFORMED),
    "auth before version 5": (b"\xf0\0", 4, MALFORMED),
    "a length longer than need be in 5": (b"\xc0\x80\0", 5, MALFORMED),
    "a property that does not exist": (packet(0x30, text("a") + b"\2\x7f\0"), 5, MALFORMED),
    "a property in the wrong packet": (packet(0x30, text("a") + b"\3\x21\0\1"), 5, MALFORMED),
    "a property twice": (packet(0x30, text("a") + b"\4\1\0\1\0"), 5, PROTOCOL_ERROR),
    "a flag of 2": (packet(0x30, text("a") + b"\2\1\2"), 5, PROTOCOL_ERROR),
    "topic alias 0": (packet(0x30, text("a") + b"\3\x23\0\0"), 5, PROTOCOL_ERROR),
    "subscription id 0": (packet(0x82, b"\0\1\2\x0b\0" + text("a") + b"\0"), 5, PROTOCOL_ERROR),
    "properties longer than the packet": (packet(0x30, text("a") + b"\x7f\1"), 5, MALFORMED),
    "a property cut short": (packet(0x30, text("a") + b"\2\x02\0"), 5, MALFORMED),
    "an empty topic without alias": (packet(0x30, text("") + b"\0" + b"x"), 5, MALFORMED),
    "many user properties": (packet(0x30, text("a") + put_length(65 * 5) + 65 * b"\x26\0\0\0\0"), 5, MALFORMED),
    "a second connect": (CONNECT + CONNECT, 0, PROTOCOL_ERROR),
    "no connect first": (b"\xc0\0", 0, PROTOCOL_ERROR),
    "no connect first, told by one byte": (b"\x30", 0, PROTOCOL_ERROR),
    "an unknown protocol": (packet(0x10, text("HTTP") + b"\4\2\0\x3c" + text("me")), 0, VERSION_UNSUPPORTED),
    "version 6": (packet(0x10, text("MQTT") + b"\6\2\0\x3c" + text("me")), 0, VERSION_UNSUPPORTED),
    "version 3 under the new name": (packet(0x10, text("MQTT") + b"\3\2\0\x3c" + text("me")), 0, VERSION_UNSUPPORTED),
    "the reserved flag": (packet(0x10, text("MQTT") + b"\4\3\0\x3c" + text("me")), 0, MALFORMED),
    "a will with QoS 3": (
        packet(0x10, text("MQTT") + b"\4\x1e\0\x3c" + text("me") + text("w") + text("")),
        0,
        MALFORMED,
    ),
    "will flags without a will": (packet(0x10, text("MQTT") + b"\4\x22\0\x3c" + text("me")), 0, MALFORMED),
    "a password alone before 5": (packet(0x10, text("MQTT") + b"\4\x42\0\x3c" + text("me") + text("p")), 0, MALFORMED),
    "a connect with more behind it": (packet(0x10, text("MQTT") + b"\4\2\0\x3c" + text("me") + b"x"), 0, MALFORMED),
    "a connect of more than 4 kB": (packet(0x10, b"x" * FIRST_LIMIT), 0, TOO_LARGE),
    "a packet above the limit": (b"\x30" + put_length(LIMIT + 1), 4, TOO_LARGE),
    "the longest packet there can be": (b"\x30\xff\xff\xff\x7f", 4, TOO_LARGE),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses(what: str) -> None:
    data, spoken, reason = REFUSED[what]
    assert refused(data, spoken) == reason
    stream = Stream(LIMIT, level=spoken)
    for at in range(len(data)):
        stream.feed(data[at : at + 1])
    assert stream.error is not None
    assert stream.error.reason == reason


def test_packets_before_a_bad_one_are_served_and_none_after_it() -> None:
    stream = Stream(LIMIT)
    assert stream.feed(CONNECT + b"\xc0\0" + b"\xf1\0" + b"\xc0\0") == [p.Connect(4, "me", True, 60), p.Pingreq()]
    assert stream.error is not None
    assert stream.feed(b"\xc0\0") == []


def test_a_length_written_too_long_is_tolerated_before_version_5() -> None:
    assert decoded(b"\xc0\x80\0", 4) == [p.Pingreq()]


def test_a_large_message_in_small_pieces_is_put_together_once() -> None:
    message = p.Publish("a/b", bytes(200_000), 1, 7)
    data = encode(message, 4)
    stream = Stream(LIMIT, level=4)
    got = [one for at in range(0, len(data), 7) for one in stream.feed(data[at : at + 7])]
    assert got == [message]


def test_remembered_topics_are_bounded() -> None:
    stream = Stream(LIMIT, level=4)
    for number in range(1000):
        stream.feed(encode(p.Publish(f"t/{number}", b"payload"), 4))
    assert len(stream._topics) <= 32


# -- mutated inputs


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return `data` after one to four small accidents."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out)) if out else 0
        accident = chance.randrange(5)
        if accident == 0 and out:
            out[at] = chance.randrange(256)
        elif accident == 1 and out:
            out[at] ^= 1 << chance.randrange(8)
        elif accident == 2:
            del out[at : at + chance.randint(1, 8)]
        elif accident == 3:
            out[at:at] = chance.randbytes(chance.randint(1, 8))
        else:
            out[at:at] = out[at : at + chance.randint(1, 30)]
    return bytes(out)


def survive(count: int, seed: int) -> None:
    chance = random.Random(seed)
    streams = [(spoken, data) for _, spoken, data in vectors()]
    singles = [(spoken, encode(one, spoken)) for spoken in (3, 4, 5) for one in decoded_all(spoken)]
    refusals = 0
    for _ in range(count):
        spoken, data = chance.choice(streams if chance.random() < 0.1 else singles)
        data = mutated(data, chance)
        stream = Stream(LIMIT, level=spoken)
        cut = chance.randint(0, len(data))
        for packet_in in stream.feed(data[:cut]) + stream.feed(data[cut:]):
            encode(packet_in, stream.level)
        refusals += stream.error is not None
    assert refusals > count // 10


def decoded_all(spoken: int) -> list[p.Packet]:
    """Return the distinct packets of the recorded streams spoken in `spoken`."""
    found: list[p.Packet] = []
    for _, side, data in vectors():
        packets_in = decoded(data, side)
        first = packets_in[0]
        if (first.level if isinstance(first, p.Connect) else side) == spoken:
            found += [one for one in packets_in if not isinstance(one, p.Connect)]
    return found


def test_twenty_thousand_mutated_inputs_raise_nothing() -> None:
    survive(20_000, seed=20261121)


@pytest.mark.slow
def test_a_million_mutated_inputs_raise_nothing() -> None:
    survive(1_000_000, seed=random.randrange(1 << 32))
