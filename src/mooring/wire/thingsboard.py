"""The payloads of the ThingsBoard device API: lenient JSON in, telemetry, attributes and calls out.

Values follow its JSON adaptor: null is nothing, text that is a plain number is that number, whole numbers beyond 64
bits and decimals of more than 16 places are text. Times are milliseconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from mooring.kernel.errors import Invalid
from mooring.wire.lenient import parse_lenient

MAX_DEVICES: Final = 1_000
_INT_LIMIT: Final = 2**63
_PLAIN_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,19}|[0-9]{0,300}\.[0-9]{1,16})")
_LONG_DECIMAL: Final = re.compile(rb"\.[0-9]{17}")
# Where no digits stand in a longer row than this, every number is one that can be kept as it is.
_LONG_ROW: Final = re.compile(rb"[0-9]{17}")
_EXACT: Final = {float, bool}
_NUMBERS: Final = {float, bool, int}
_decoder = msgspec.json.Decoder()


class Sample(NamedTuple):
    """Values at a time; ``ts`` is None where the server's clock is meant."""

    ts: int | None
    values: dict[str, Any]


class AttributeRequest(NamedTuple):
    """Which attributes a device wants to see; None is all of them, unless the other side names some."""

    client: list[str] | None
    shared: list[str] | None


class Question(NamedTuple):
    """A call of a device to the server."""

    method: str
    params: Any


def parse(data: bytes) -> Any:
    """Return the JSON in `data`, strict or as lenient as the devices of this API were told they may be."""
    if _LONG_DECIMAL.search(data) is None:
        try:
            return _decoder.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            pass
    try:
        return parse_lenient(data.decode())
    except UnicodeDecodeError:
        raise Invalid("not UTF-8") from None


def telemetry(data: bytes) -> list[Sample]:
    """Return the samples of a telemetry message; raises ``Invalid``."""
    body = parse(data)
    plain = type(body) is dict and "values" not in body and set(map(type, body.values())) <= _NUMBERS
    return [Sample(None, body)] if plain and _LONG_ROW.search(data) is None else samples_of(body)


def samples_of(body: Any) -> list[Sample]:
    """Return the samples in one object or an array of them."""
    found = []
    for one in body if isinstance(body, list) else (body,):
        if not isinstance(one, dict):
            raise Invalid("telemetry is a JSON object or an array of objects")
        if "ts" in one and "values" in one:
            if not isinstance(one["values"], dict):
                raise Invalid("values is not a JSON object")
            found.append(Sample(_ts(one["ts"]), values_of(one["values"])))
        else:
            found.append(Sample(None, values_of(one)))
    return found


def values_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they are kept."""
    kinds = set(map(type, body.values()))
    if kinds <= _EXACT:
        return dict(body)
    return {key: _value(value) for key, value in body.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _cast(value)
    if isinstance(value, int) and not -_INT_LIMIT <= value < _INT_LIMIT:
        return str(value)
    return value


def _cast(text: str) -> Any:
    if not _PLAIN_NUMBER.fullmatch(text):
        return text
    if "." in text:
        return float(text)
    number = int(text)
    return number if -_INT_LIMIT <= number < _INT_LIMIT else text


def _ts(stamp: Any) -> int:
    if isinstance(stamp, str) and _PLAIN_NUMBER.fullmatch(stamp):
        stamp = float(stamp) if "." in stamp else int(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not -_INT_LIMIT <= stamp < _INT_LIMIT:
        raise Invalid("ts is not a time in milliseconds")
    return int(stamp)


def attributes(data: bytes) -> dict[str, Any]:
    """Return the attributes a device reports; raises ``Invalid``."""
    return attributes_of(parse(data))


def attributes_of(body: Any) -> dict[str, Any]:
    """Return attributes as they are kept."""
    if not isinstance(body, dict):
        raise Invalid("attributes are one JSON object")
    return values_of(body)


def attribute_request(data: bytes) -> AttributeRequest:
    """Return what a device asks for: ``{"clientKeys": "a,b", "sharedKeys": "c"}`` or less; raises ``Invalid``."""
    body = parse(data)
    if not isinstance(body, dict):
        raise Invalid("an attribute request is a JSON object", hint="send {} for all attributes")
    return AttributeRequest(keys_in(body.get("clientKeys")), keys_in(body.get("sharedKeys")))


def keys_in(listed: Any) -> list[str] | None:
    """Return the keys of a comma list, which are not trimmed, or of an array; None for no list."""
    if listed is None:
        return None
    if isinstance(listed, str):
        return listed.split(",")
    if isinstance(listed, list) and all(isinstance(key, str) for key in listed):
        return listed
    raise Invalid("keys are a text with commas")


def chosen(request: AttributeRequest, client: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to an attribute request: unknown keys and empty sides are left out."""
    everything = request.client is None and request.shared is None
    sides = (("client", request.client, client), ("shared", request.shared, shared))
    found = {
        name: dict(values) if everything else _only(wanted, values)
        for name, wanted, values in sides
        if everything or wanted is not None
    }
    return {name: values for name, values in found.items() if values}


def _only(wanted: Iterable[str] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in wanted or () if key in values}


def question(data: bytes) -> Question:
    """Return a device's call ``{"method", "params"}``; raises ``Invalid``."""
    body = parse(data)
    if not isinstance(body, dict) or not isinstance(body.get("method"), str) or not body["method"]:
        raise Invalid("a call is a JSON object with a method")
    return Question(body["method"], body.get("params"))


# -- gateways


class GatewayRequest(NamedTuple):
    """A gateway wants attributes of one of its devices; ``single`` if it named one key rather than a list."""

    number: int
    device: str
    request: AttributeRequest
    single: bool


class GatewayAnswer(NamedTuple):
    """A gateway's device answers a call."""

    device: str
    number: int
    body: Any


def named_device(data: bytes) -> tuple[str, str]:
    """Return the device and type of ``{"device", "type"?}``; raises ``Invalid``."""
    body = parse(data)
    if not isinstance(body, dict):
        raise Invalid("not a JSON object")
    kind = body.get("type")
    return _name(body.get("device")), kind if isinstance(kind, str) and kind else "default"


def gateway_telemetry(data: bytes) -> dict[str, list[Sample]]:
    """Return the samples of each device; their ``metadata`` is dropped. Raises ``Invalid``."""
    found = {}
    for name, samples in _by_device(data).items():
        if not isinstance(samples, list):
            raise Invalid(f"telemetry of a gateway is an array for each device: {name[:40]}")
        bare = [{k: v for k, v in one.items() if k != "metadata"} if _stamped(one) else one for one in samples]
        found[name] = samples_of(bare)
    return found


def gateway_attributes(data: bytes) -> dict[str, dict[str, Any]]:
    """Return the attributes of each device; raises ``Invalid``."""
    return {name: attributes_of(body) for name, body in _by_device(data).items()}


def gateway_claims(data: bytes) -> dict[str, tuple[str, int]]:
    """Return secret and duration in ms of each device; raises ``Invalid``."""
    return {name: claim_of(body) for name, body in _by_device(data).items()}


def gateway_request(data: bytes) -> GatewayRequest:
    """Return an attribute request: ``client`` and ``key(s)`` as the code has it, or two lists as newer papers do."""
    body = parse(data)
    if not isinstance(body, dict):
        raise Invalid("not a JSON object")
    number = _number(body.get("id"))
    device = _name(body.get("device"))
    client, shared = body.get("client"), body.get("shared")
    if isinstance(client, list) or isinstance(shared, list):
        return GatewayRequest(number, device, AttributeRequest(keys_in(client), keys_in(shared)), single=False)
    single = isinstance(body.get("key"), str)
    keys = [body["key"]] if single else keys_in(body.get("keys"))
    request = AttributeRequest(keys or [], None) if client is True else AttributeRequest(None, keys or [])
    return GatewayRequest(number, device, request, single)


def gateway_answer(data: bytes) -> GatewayAnswer:
    """Return the answer of a gateway's device; raises ``Invalid``."""
    body = parse(data)
    if not isinstance(body, dict):
        raise Invalid("not a JSON object")
    return GatewayAnswer(_name(body.get("device")), _number(body.get("id")), body.get("data"))


def claim(data: bytes) -> tuple[str, int]:
    """Return secret and duration in ms of a claim, both optional, the payload too; raises ``Invalid``."""
    return claim_of(parse(data)) if data.strip() else ("", CLAIM_MS)


CLAIM_MS: Final = 86_400_000


def claim_of(body: Any) -> tuple[str, int]:
    """Return secret and duration in ms of a claim."""
    if not isinstance(body, dict):
        raise Invalid("a claim is a JSON object")
    secret, duration = body.get("secretKey"), body.get("durationMs")
    if secret is not None and not isinstance(secret, str):
        raise Invalid("secretKey is not a text")
    if duration is None:
        return secret or "", CLAIM_MS
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 < duration <= 366 * CLAIM_MS:
        raise Invalid("durationMs is not a number of milliseconds up to a year")
    return secret or "", duration


def _stamped(one: Any) -> bool:
    return isinstance(one, dict) and "ts" in one and "values" in one


def _by_device(data: bytes) -> dict[str, Any]:
    body = parse(data)
    if not isinstance(body, dict):
        raise Invalid("a gateway sends a JSON object by device")
    if len(body) > MAX_DEVICES:
        raise Invalid(f"too many devices in one message: {len(body)}", hint=f"send at most {MAX_DEVICES}")
    return {_name(name): one for name, one in body.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise Invalid("a gateway names the device")
    return name.strip()


def _number(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not -_INT_LIMIT <= number < _INT_LIMIT:
        raise Invalid("id is not a whole number")
    return number


# -- provisioning


class ProvisionRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A device asks to be made known."""

    provision_device_key: str
    provision_device_secret: str
    device_name: str | None = None
    gateway: bool = False
    credentials_type: str | None = None
    token: str | None = None
    username: str | None = None
    password: str | None = None
    client_id: str | None = None
    hash: str | None = None


def provision_request(data: bytes) -> ProvisionRequest:
    """Return a provisioning request; raises ``Invalid``."""
    try:
        return msgspec.convert(parse(data), ProvisionRequest)
    except msgspec.ValidationError as error:
        raise Invalid(f"not a provisioning request: {error}") from None
