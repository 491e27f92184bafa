"""The ThingsBoard device API over HTTP: answers, long polls, and what is wrong said as 4xx."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.journeys.server import Device, Person, Server


@pytest.fixture
def http(server: Server, device: Device) -> Iterator[httpx.Client]:
    """Give an HTTP client of a device."""
    with httpx.Client(base_url=f"{server.url}/api/v1/{device.token}", timeout=30) as client:
        yield client


def test_telemetry_is_answered_empty_once_it_is_stored(http: httpx.Client, device: Device) -> None:
    answer = http.post("/telemetry", content=b"{temperature:25}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert http.post("/telemetry", json=[{"ts": 1_790_000_000_000, "values": {"t": 1}}, {}]).status_code == 200
    assert http.post("/telemetry", json={}).status_code == 200, "the vendor's client tests its connection so"
    assert (device.values("temperature"), device.values("t")) == ([25], [1])


def test_attributes_are_kept_and_repeated_parameters_are_one_list(
    http: httpx.Client, person: Person, device: Device
) -> None:
    assert http.post("/attributes", json={"a": 1, "b": 2}).content == b""
    path = f"/api/devices/{device.id}/twin"
    person.ask("PATCH", path, json={"desired": {"fw_title": "x", "fw_size": 3, "m": 1}, "server": {"secret": 1}})

    def ask(query: str) -> object:
        return http.get(f"/attributes{query}").json()

    shared = {"fw_title": "x", "fw_size": 3, "m": 1}
    assert ask("") == {"client": {"a": 1, "b": 2}, "shared": shared}
    assert ask("?clientKeys=a,zz&sharedKeys=m") == {"client": {"a": 1}, "shared": {"m": 1}}
    assert ask("?sharedKeys=fw_title&sharedKeys=fw_size") == {"shared": {"fw_title": "x", "fw_size": 3}}
    assert ask("?allClientKeys=true&sharedKeys=m") == {"client": {"a": 1, "b": 2}, "shared": {"m": 1}}
    assert ask("?client_keys=a") == {"client": {"a": 1, "b": 2}, "shared": shared}, "misnamed, so everything"
    assert ask("?sharedKeys=secret") == {}


def later(work: object) -> threading.Thread:
    def run() -> None:
        time.sleep(0.4)
        work()  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_poll_for_updates_is_held_until_something_changes(http: httpx.Client, person: Person, device: Device) -> None:
    change = {"json": {"desired": {"mode": "eco"}}}
    thread = later(lambda: person.ask("PATCH", f"/api/devices/{device.id}/twin", **change))
    began = time.monotonic()
    answer = http.get("/attributes/updates", params={"timeout": 10000})
    thread.join()
    assert (answer.status_code, answer.json()) == (200, {"mode": "eco"})
    assert 0.3 < time.monotonic() - began < 8


@pytest.mark.parametrize("path", ["/attributes/updates", "/rpc"])
def test_poll_is_held_for_the_whole_time_and_ends_with_408(http: httpx.Client, path: str) -> None:
    began = time.monotonic()
    assert http.get(path, params={"timeout": 700}).status_code == 408
    assert 0.65 < time.monotonic() - began < 3


def test_call_is_polled_for_and_answered(http: httpx.Client, person: Person, device: Device) -> None:
    answers: list[httpx.Response] = []
    call = {"method": "m", "params": {"x": 1}}
    thread = later(lambda: answers.append(person.ask("POST", f"/api/rpc/twoway/{device.id}", json=call)))
    told = http.get("/rpc", params={"timeout": 10000}).json()
    assert told == {"id": 0, "method": "m", "params": {"x": 1}}
    assert http.post("/rpc/0", json={"ok": True}).content == b""
    thread.join()
    assert answers[0].json() == {"ok": True}


def test_each_poll_takes_one_call(http: httpx.Client, person: Person, device: Device) -> None:
    path = f"/api/rpc/oneway/{device.id}"
    threads = [later(lambda: person.ask("POST", path, json={"method": "m"})) for _ in range(3)]
    assert sorted(http.get("/rpc", params={"timeout": 9000}).json()["id"] for _ in range(3)) == [0, 1, 2]
    for thread in threads:
        thread.join()


def test_call_to_the_server_is_answered(http: httpx.Client) -> None:
    assert "time" in http.post("/rpc", json={"method": "getTime", "params": {}}).json()


def test_poll_of_a_deleted_device_ends_with_403(http: httpx.Client, person: Person, device: Device) -> None:
    thread = later(lambda: person.ask("DELETE", f"/api/devices/{device.id}"))
    assert http.get("/attributes/updates", params={"timeout": 10000}).status_code == 403
    thread.join()


def test_polls_of_one_device_are_bounded(server: Server, device: Device) -> None:
    url = f"{server.url}/api/v1/{device.token}/rpc?timeout=1500"
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(httpx.get(url).status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [408] * 8 + [429] * 4


def test_firmware_is_not_found_until_there_is_some(http: httpx.Client) -> None:
    assert http.get("/firmware", params={"title": "a", "version": "1"}).status_code == 404
    assert http.get("/software").status_code == 400


WRONG = {
    "no JSON": ("POST", "/telemetry", b"nonsense{", 400),
    "an array of numbers": ("POST", "/telemetry", b"[1]", 400),
    "NaN": ("POST", "/telemetry", b'{"t":NaN}', 400),
    "a number beyond a double": ("POST", "/telemetry", b'{"t":1e999}', 400),
    "a NUL": ("POST", "/telemetry", b'{"t":"\\u0000"}', 400),
    "no UTF-8": ("POST", "/telemetry", b"\xff\xfe", 400),
    "an empty body": ("POST", "/telemetry", b"", 400),
    "a deep nest": ("POST", "/telemetry", b'{"a":' + b"[" * 5000, 400),
    "attributes in an array": ("POST", "/attributes", b"[]", 400),
    "a call without a method": ("POST", "/rpc", b"{}", 400),
    "a claim that is none": ("POST", "/claim", b"[]", 400),
    "too large a call": ("POST", "/rpc", b" " * 70_000, 413),
    "a timeout that is none": ("GET", "/rpc?timeout=soon", b"", 400),
    "too many fields": ("GET", "/attributes?" + "a=1&" * 2000, b"", 400),
    "no such route": ("GET", "/secrets", b"", 404),
    "the wrong method": ("DELETE", "/telemetry", b"", 404),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_request_is_refused(http: httpx.Client, what: str) -> None:
    method, path, body, status = WRONG[what]
    answer = http.request(method, path, content=body)
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 500


def test_unknown_token_is_401_and_empty(server: Server) -> None:
    answer = httpx.post(f"{server.url}/api/v1/nobody/telemetry", json={"t": 1})
    assert (answer.status_code, answer.content) == (401, b"")
