"""Payloads of the ThingsBoard device API: what its devices send, strict, lenient and wrong."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.wire import thingsboard as tb
from mooring.wire.lenient import MAX_DEPTH, parse_lenient

MEANINGS = {
    # What a shell leaves of the vendor's own hello-world.
    "{temperature:25}": {"temperature": 25},
    "{'a':'x', b : \"y\"}": {"a": "x", "b": "y"},
    "{a=1;b=>2}": {"a": 1, "b": 2},
    "{a:hello world}": None,
    "{a:hello}": {"a": "hello"},
    "[1,,2]": [1, None, 2],
    "{a:TRUE,b:Null}": {"a": True, "b": None},
    "// said\n{a:1} # done": {"a": 1},
    "/* said */ {a:/**/1}": {"a": 1},
    ")]}'\n{a:1}": {"a": 1},
    "\ufeff{a:1}": {"a": 1},
    '{a:"\\u00fc\\n\\""}': {"a": 'ü\n"'},
    '{a:"\\ud83d\\ude00"}': {"a": "😀"},
    "{a:-0.5e2,b:0123}": {"a": -50.0, "b": "0123"},
    "[]": [],
    "{}": {},
    "": None,
    "{": None,
    "{a}": None,
    "{a:1} x": None,
    "{a:1,}": None,
    "[1 2]": None,
    "{a:NaN}": None,
    "{a:Infinity}": None,
    "{a:1e999}": None,
    "'open": None,
    '{a:"\\ud800"}': None,
    '{a:"\\u12"}': None,
    "/* open": None,
    "[" * (MAX_DEPTH + 1): None,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_lenient_reading(text: str) -> None:
    if MEANINGS[text] is None:
        with pytest.raises(Invalid):
            parse_lenient(text)
    else:
        assert parse_lenient(text) == MEANINGS[text]


def documents() -> st.SearchStrategy[object]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: len(f"{x}".partition(".")[2]) < 17),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
    return st.recursive(
        leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=12
    )


@settings(max_examples=300, deadline=None)
@given(documents())
def test_strict_json_means_the_same_to_the_lenient_reader(document: object) -> None:
    for ascii_only in (True, False):
        try:
            text = json.dumps(document, ensure_ascii=ascii_only)
            text.encode()
        except UnicodeEncodeError:
            continue
        assert parse_lenient(text) == document


def test_values_are_what_the_vendor_makes_of_them() -> None:
    said = b"""{"number":"23.5","whole":"7","zero":"007","power":"1e5","dot":"5.","text":"x","none":null,"true":true,
        "double":5.0,"big":9223372036854775808,"small":-9223372036854775808,"fine":0.12345678901234567,"json":{"a":"1"}}"""
    assert tb.telemetry(said) == [
        tb.Sample(
            None,
            {
                "number": 23.5,
                "whole": 7,
                "zero": 7,
                "power": "1e5",
                "dot": "5.",
                "text": "x",
                "true": True,
                "double": 5.0,
                "big": "9223372036854775808",
                "small": -(2**63),
                "fine": "0.12345678901234567",
                "json": {"a": "1"},
            },
        )
    ]
    assert type(tb.telemetry(said)[0].values["double"]) is float


def test_telemetry_comes_in_three_forms_and_any_mixture() -> None:
    assert tb.telemetry(b'{"a":1}') == [tb.Sample(None, {"a": 1})]
    assert tb.telemetry(b'{"ts":1769000000000,"values":{"a":1}}') == [tb.Sample(1769000000000, {"a": 1})]
    mixed = tb.telemetry(b'[{"ts":"1769000000000","values":{}},{"a":1},{}]')
    assert mixed == [tb.Sample(1769000000000, {}), tb.Sample(None, {"a": 1}), tb.Sample(None, {})]
    assert tb.telemetry(b'{"ts":5}') == [tb.Sample(None, {"ts": 5})], "without values it is a key like any other"
    assert tb.telemetry(b"{}") == [tb.Sample(None, {})]


WRONG = [
    b"[1]",
    b"[[]]",
    b"1",
    b"null",
    b"",
    b'{"ts":"soon","values":{}}',
    b'{"ts":1,"values":3}',
    b"\xff",
    b'{"ts":true,"values":{}}',
]


@pytest.mark.parametrize("data", WRONG)
def test_what_is_no_telemetry_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        tb.telemetry(data)


def test_attributes_are_one_object() -> None:
    assert tb.attributes(b"{mode:auto,n:'3',gone:null}") == {"mode": "auto", "n": 3}
    for wrong in (b"[]", b"", b"7"):
        with pytest.raises(Invalid):
            tb.attributes(wrong)


def test_attribute_request_names_keys_or_wants_everything() -> None:
    client, shared = {"a": 1, "b": 2}, {"c": 3}

    def answer(request: bytes) -> dict[str, object]:
        return tb.chosen(tb.attribute_request(request), client, shared)

    assert answer(b"{}") == {"client": client, "shared": shared}
    assert answer(b'{"clientKeys":"a,zz"}') == {"client": {"a": 1}}
    assert answer(b'{"clientKeys":"a, b"}') == {"client": {"a": 1}}, "keys are not trimmed"
    assert answer(b'{"sharedKeys":"c","clientKeys":"b"}') == {"client": {"b": 2}, "shared": {"c": 3}}
    assert answer(b'{"sharedKeys":"zz"}') == {}
    for wrong in (b"", b"[]", b'{"clientKeys":1}'):
        with pytest.raises(Invalid):
            tb.attribute_request(wrong)


def test_calls_name_a_method() -> None:
    assert tb.question(b'{"method":"m","params":[1]}') == tb.Question("m", [1])
    assert tb.question(b"{method:m}") == tb.Question("m", None)
    for wrong in (b"{}", b'{"method":1}', b'{"method":""}', b"[]"):
        with pytest.raises(Invalid):
            tb.question(wrong)


def test_gateway_telemetry_is_an_array_for_each_device_without_metadata() -> None:
    said = b'{"A":[{"ts":1769000000000,"values":{"t":1},"metadata":{"connector":"x"}}],"B":[{"u":2}]}'
    assert tb.gateway_telemetry(said) == {
        "A": [tb.Sample(1769000000000, {"t": 1})],
        "B": [tb.Sample(None, {"u": 2})],
    }
    for wrong in (b'{"A":{"t":1}}', b'{"":[]}', b"[]", b'{"A":[1]}'):
        with pytest.raises(Invalid):
            tb.gateway_telemetry(wrong)
    with pytest.raises(Invalid, match="too many devices"):
        tb.gateway_telemetry(json.dumps({str(n): [] for n in range(tb.MAX_DEVICES + 1)}).encode())


def test_gateway_request_is_read_in_both_spellings() -> None:
    old = tb.gateway_request(b'{"keys":["k1","k2"],"device":"Device A","client":false,"id":1}')
    assert old == tb.GatewayRequest(1, "Device A", tb.AttributeRequest(None, ["k1", "k2"]), single=False)
    one = tb.gateway_request(b'{"key":"k","device":"A","client":true,"id":2}')
    assert one == tb.GatewayRequest(2, "A", tb.AttributeRequest(["k"], None), single=True)
    new = tb.gateway_request(b'{"id":3,"device":"A","client":["a"],"shared":["b"]}')
    assert new == tb.GatewayRequest(3, "A", tb.AttributeRequest(["a"], ["b"]), single=False)


def test_claims_have_defaults() -> None:
    assert tb.claim(b"") == tb.claim(b"{}") == ("", tb.CLAIM_MS)
    assert tb.claim(b'{"secretKey":"s","durationMs":30000}') == ("s", 30000)
    for wrong in (b'{"durationMs":-1}', b'{"durationMs":1e30}', b'{"secretKey":1}', b"[]"):
        with pytest.raises(Invalid):
            tb.claim(wrong)


def test_provisioning_needs_key_and_secret() -> None:
    asked = tb.provision_request(b'{"provisionDeviceKey":"k","provisionDeviceSecret":"s","deviceName":"d","token":"t"}')
    assert (asked.provision_device_key, asked.device_name, asked.token, asked.gateway) == ("k", "d", "t", False)
    with pytest.raises(Invalid):
        tb.provision_request(b'{"provisionDeviceKey":"k"}')


SEEDS = [
    b'[{"ts":1769000000000,"values":{"t":1.5,"s":"x","j":{"a":[1,null]}}},{"n":"12"}]',
    b"{temperature:25,'b':'c';d=>[1,,2]} // x",
    b'{"A":[{"ts":1769000000000,"values":{"t":1},"metadata":{}}]}',
    b'{"id":3,"device":"A","client":["a"],"shared":["b"]}',
    b'{"clientKeys":"a,b","sharedKeys":"c"}',
    b'{"secretKey":"s\\u00fc","durationMs":30000}',
    b'{"provisionDeviceKey":"k","provisionDeviceSecret":"s","gateway":true}',
]
READERS = [
    tb.telemetry,
    tb.attributes,
    tb.attribute_request,
    tb.question,
    tb.gateway_telemetry,
    tb.gateway_attributes,
    tb.gateway_claims,
    tb.gateway_request,
    tb.gateway_answer,
    tb.claim,
    tb.provision_request,
    tb.named_device,
]


def survive(count: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randint(0, 3)] = chance.choice(
                [chance.randbytes(chance.randint(1, 4)), b"{", b"[", b'"', b"\\u", b"/*", b"'", b",", b"1e9"]
            )
        try:
            chance.choice(READERS)(bytes(data))
        except Invalid:
            continue


def test_twenty_thousand_mutated_payloads_raise_nothing_but_refusals() -> None:
    survive(20_000, seed=20261121)


@pytest.mark.slow
def test_a_million_mutated_payloads_raise_nothing_but_refusals() -> None:
    survive(1_000_000, seed=random.randrange(1 << 32))


def test_long_hostile_text_is_read_in_linear_time() -> None:
    for text in ("/*" * 100_000, "'" + "\\" * 200_000, "#" * 200_000, "[" * 200_000, "{a:" * 100_000, " \n" * 100_000):
        with pytest.raises(Invalid):
            parse_lenient(text)
