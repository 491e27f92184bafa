"""Contract D against a running server: dashboards and monitors of the earlier system, over REST and raw TCP."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.journeys.dialects import eventually
from tests.journeys.server import Server, free_port, running

DATA = {"timestamp": 12.5, "pack_voltage": 355.2, "pack_current": -10.5, "cell_temp": 25.5, "source": "bench"}
PERFORMANCE = {
    "pack_voltage": 355.2,
    "pack_current": -10.5,
    "cell_temp": 25.5,
    "capacity_remaining": 97.5,
    "cycle_count": 120,
    "age_months": 8.5,
    "health_score": 96.4,
}
PREDICTION = {"remaining_life_hours": 8120.5, "remaining_cycles": 880, "degradation_rate": 0.0021}
BODIES = {"battery-data": DATA, "battery-performance": PERFORMANCE, "battery-prediction": PREDICTION}
KINDS = sorted(BODIES)


def settings() -> dict[str, str]:
    return {
        "MOORING_OPEN_DIALECTS": "battery,tcp",
        "MOORING_BATTERY_PORT": str(free_port()),
        "MOORING_PREDICTOR_PORT": str(free_port()),
    }


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that answers this contract without credentials."""
    with running(tmp_path_factory.mktemp("battery") / "data", settings=settings()) as started:
        yield started


@pytest.fixture
def api(open_server: Server) -> Iterator[httpx.Client]:
    """Give a client without credentials."""
    with open_server.client() as client:
        yield client


def connected(server: Server, setting: str = "MOORING_BATTERY_PORT") -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.settings[setting])), timeout=10)


def frame(stamp: float, voltage: float, current: float = 1.0, temperature: float = 25.0) -> bytes:
    return struct.pack("<ffff", stamp, voltage, current, temperature)


def latest(api: httpx.Client, kind: str = "battery-data") -> dict[str, Any]:
    answer = api.get(f"/api/{kind}/latest")
    return dict(answer.json()) if answer.status_code == 200 else {}


class TestRest:
    def test_before_the_first_record_there_is_none(self, tmp_path: Path) -> None:
        with running(tmp_path / "data", settings=settings()) as server, server.client() as api:
            for kind in KINDS:
                answer = api.get(f"/api/{kind}/latest")
                assert answer.status_code == 404
                assert answer.json() == {"detail": f"No {kind.replace('-', ' ')} found"}
                assert api.get(f"/api/{kind}/history").json() == []
            assert api.get("/health").json() == {"status": "healthy", "database": "connected"}
            board = api.get("/api/dashboard").json()
            assert [board[name] for name in ("battery_data", "performance", "prediction")] == [None] * 3
            assert board["specs"]["nominal_voltage"] == 355.2
            assert board["thresholds"]["current"]["critical_min"] == -600

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_posted_record_is_the_latest_under_its_id(self, api: httpx.Client, kind: str) -> None:
        answer = api.post(f"/api/{kind}", json=BODIES[kind])
        assert answer.status_code == 200
        assert answer.json()["message"] == f"{kind.replace('-', ' ').capitalize()} stored successfully"
        record_id = answer.json()["id"]
        assert len(record_id) == 24
        assert int(record_id, 16)
        shown = latest(api, kind)
        assert shown["_id"] == record_id
        assert {name: shown[name] for name in BODIES[kind] if name != "timestamp"} == {
            name: value for name, value in BODIES[kind].items() if name != "timestamp"
        }
        assert abs(shown["timestamp"] - time.time()) < 60
        assert api.get(f"/api/{kind}/{record_id}").json() == shown
        assert api.get(f"/api/{kind}/history").json()[0] == shown

    def test_a_record_is_changed_and_its_readings_with_it(self, open_server: Server, api: httpx.Client) -> None:
        record_id = api.post("/api/battery-data", json={**DATA, "cell_temp": 61.25}).json()["id"]
        answer = api.put(f"/api/battery-data/{record_id}", json={"cell_temp": 26.75})
        assert answer.json() == {"message": "Battery data updated successfully", "id": record_id}
        shown = api.get(f"/api/battery-data/{record_id}").json()
        assert (shown["cell_temp"], shown["pack_voltage"], shown["device_timestamp"]) == (26.75, 355.2, 12.5)
        temperatures = readings(open_server, "cell_temp")
        assert 26.75 in temperatures
        assert 61.25 not in temperatures

    def test_a_deleted_record_is_gone_and_its_readings_with_it(self, open_server: Server, api: httpx.Client) -> None:
        record_id = api.post("/api/battery-data", json={**DATA, "pack_voltage": 301.5}).json()["id"]
        assert 301.5 in readings(open_server, "pack_voltage")
        answer = api.delete(f"/api/battery-data/{record_id}")
        assert answer.json() == {"message": "Battery data deleted successfully", "id": record_id}
        assert 301.5 not in readings(open_server, "pack_voltage")
        for again in (api.get, api.delete):
            refused = again(f"/api/battery-data/{record_id}")
            assert (refused.status_code, refused.json()) == (404, {"detail": "No battery data found"})
        assert api.put(f"/api/battery-data/{record_id}", json={}).status_code == 404

    def test_one_of_two_records_of_the_same_moment_can_go(self, open_server: Server, api: httpx.Client) -> None:
        stamped = {**DATA, "timestamp": time.time() - 5}
        first, second = (
            api.post("/api/battery-data", json={**stamped, "pack_current": value}).json()["id"] for value in (-77, -78)
        )
        api.delete(f"/api/battery-data/{first}")
        assert api.get(f"/api/battery-data/{second}").json()["pack_current"] == -78
        assert -78 in readings(open_server, "pack_current")

    def test_history_is_by_time_and_bounded(self, api: httpx.Client) -> None:
        now = time.time()
        for hours in (1, 2, 30):
            api.post("/api/battery-prediction", json={**PREDICTION, "timestamp": now - hours * 3600})
        day = api.get("/api/battery-prediction/history?limit=10000").json()
        assert [one["timestamp"] for one in day] == sorted((one["timestamp"] for one in day), reverse=True)
        assert all(one["timestamp"] > now - 86_400 for one in day)
        more = api.get("/api/battery-prediction/history?hours=48&limit=10000").json()
        assert len(more) == len(day) + 1
        assert len(api.get("/api/battery-prediction/history?hours=48&limit=2").json()) == 2

    @pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1e9", "hours=0", "hours=nan", "limit="])
    def test_a_question_out_of_bounds_is_refused(self, api: httpx.Client, query: str) -> None:
        answer = api.get(f"/api/battery-data/history?{query}")
        assert answer.status_code == (200 if query == "limit=" else 422)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 422),
            (b"{", 422),
            (b"[]", 422),
            (b"null", 422),
            (b'{"pack_voltage": NaN}', 422),
            (b'{"pack_voltage": 1e999, "pack_current": 1, "cell_temp": 1}', 422),
            (b"\xff\xfe{}", 422),
            (b'{"a":' * 2000 + b"1" + b"}" * 2000, 422),
            (b'{"pack_voltage": "355", "pack_current": 1, "cell_temp": 1}', 422),
            (json.dumps({**DATA, "source": "\ud800"}).encode(), 422),
            (b" " * 70_000, 413),
        ],
    )
    def test_a_body_that_is_no_record_is_refused_in_few_words(
        self, api: httpx.Client, body: bytes, status: int
    ) -> None:
        answer = api.post("/api/battery-data", content=body)
        assert answer.status_code == status
        assert set(answer.json()) == {"detail"}
        assert len(answer.content) < 500

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("PATCH", "/api/battery-data", 405),
            ("DELETE", "/api/battery-data", 405),
            ("POST", "/api/dashboard", 405),
            ("GET", "/api/battery-data/frames", 405),
            ("GET", "/api/battery-data/xyz", 404),
            ("GET", "/api/battery-data/" + "0" * 24, 404),
            ("GET", "/api/battery-data/" + "F" * 24, 404),
            ("DELETE", "/api/battery-prediction/" + "f" * 24, 404),
        ],
    )
    def test_what_is_not_there_is_not_there(self, api: httpx.Client, method: str, path: str, status: int) -> None:
        assert api.request(method, path).status_code == status

    def test_the_dashboard_shows_all_three_and_the_packs_own_limits(
        self, open_server: Server, api: httpx.Client
    ) -> None:
        for kind in KINDS:
            api.post(f"/api/{kind}", json=BODIES[kind])
        admin = open_server.admin()
        [pack] = admin.get("/api/devices", type="battery")["items"]
        limits = {"thresholds": {"temperature": {"max": 45}}}
        assert admin.ask("PUT", f"/api/devices/{pack['id']}", json={"configuration": limits}).status_code == 200
        board = api.get("/api/dashboard").json()
        assert board["battery_data"]["pack_voltage"] == 355.2
        assert board["performance"]["cycle_count"] == 120
        assert board["prediction"]["remaining_cycles"] == 880
        assert board["thresholds"]["temperature"] == {
            "min": -20.0,
            "max": 45,
            "critical_min": -30.0,
            "critical_max": 70.0,
        }


class TestPages:
    @pytest.mark.parametrize("origin", ["http://localhost:5173", "http://localhost:3000"])
    def test_the_dashboards_pages_may_call(self, api: httpx.Client, origin: str) -> None:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        before = api.options("/api/battery-data", headers=asked)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == origin
        assert "PUT" in before.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in before.headers
        answer = api.post("/api/battery-data", json=DATA, headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert api.get("/health", headers={"Origin": origin}).headers["access-control-allow-origin"] == origin

    def test_other_sites_pages_may_not(self, api: httpx.Client) -> None:
        origin = {"Origin": "https://elsewhere.example"}
        assert api.options("/api/battery-data", headers=origin).status_code == 403
        assert api.post("/api/battery-data", json=DATA, headers=origin).status_code == 403
        assert "access-control-allow-origin" not in api.get("/api/battery-data/latest", headers=origin).headers


class TestClosed:
    """A server that opens nothing."""

    def test_without_a_credential_nothing_is_told_or_taken(self, server: Server) -> None:
        with server.client() as api:
            for kind in KINDS:
                assert api.post(f"/api/{kind}", json=BODIES[kind]).status_code == 401
                assert api.get(f"/api/{kind}/latest").status_code == 401
            assert api.get("/api/dashboard").status_code == 401
            assert api.get("/api/dashboard", headers={"Authorization": "Bearer nobody"}).status_code == 401

    def test_a_persons_records_are_their_own(self, server: Server) -> None:
        one, other = server.person(), server.person()
        record_id = one.ask("POST", "/api/battery-data", json=DATA).json()["id"]
        path = f"/api/battery-data/{record_id}"
        assert one.get(path)["_id"] == record_id
        for method in ("GET", "PUT", "DELETE"):
            foreign = other.ask(method, path, json={})
            unknown = other.ask(method, f"/api/battery-data/{'0' * 24}", json={})
            assert (foreign.status_code, foreign.content) == (404, unknown.content)
        assert other.ask("GET", "/api/battery-data/latest").status_code == 404
        assert other.get("/api/battery-data/history") == []
        assert server.admin().get(path)["_id"] == record_id

    def test_a_devices_token_brings_its_own_records(self, server: Server) -> None:
        device = server.person().device("pack")
        with server.client(headers=device.headers) as api:
            record_id = api.post("/api/battery-data", json=DATA).json()["id"]
            assert latest(api)["_id"] == record_id
        assert device.values("pack_voltage") == [355.2]
        assert device.rows(sensor_type="pack_voltage")[0]["unit"] == "V"

    def test_what_is_sent_again_under_its_key_is_stored_once(self, server: Server) -> None:
        device = server.person().device("pack")
        key = {"Idempotency-Key": "boot:7"}
        with server.client(headers=device.headers) as api:
            ids = {api.post("/api/battery-prediction", json=PREDICTION, headers=key).json()["id"] for _ in range(5)}
            assert len(ids) == 1
            assert len(api.get("/api/battery-prediction/history").json()) == 1
            changed = api.post("/api/battery-prediction", json={**PREDICTION, "remaining_cycles": 1}, headers=key)
            assert changed.status_code == 409
            wrong = api.post("/api/battery-prediction", json=PREDICTION, headers={"Idempotency-Key": "no number"})
            assert wrong.status_code == 422
        assert device.values("remaining_cycles") == [880]

    def test_the_raw_ports_stay_shut(self, tmp_path: Path) -> None:
        ports = {"MOORING_BATTERY_PORT": str(free_port()), "MOORING_PREDICTOR_PORT": str(free_port())}
        with running(tmp_path / "data", settings=ports) as server:
            for setting in ports:
                with pytest.raises(ConnectionRefusedError):
                    connected(server, setting)


class TestFrames:
    def test_frames_cut_anywhere_become_records_and_readings(self, open_server: Server, api: httpx.Client) -> None:
        sent = b"".join(frame(index * 0.5, 340 + index) for index in range(20))
        with connected(open_server) as sender:
            for at in range(0, len(sent), 7):
                sender.sendall(sent[at : at + 7])
                time.sleep(0.002)
            shown = eventually(lambda: (found := latest(api)).get("pack_voltage") == 359 and found)
        assert shown["device_timestamp"] == 9.5
        assert shown["source"] == "battery_monitor"
        assert abs(shown["timestamp"] - time.time()) < 60
        history = api.get("/api/battery-data/history?limit=20").json()
        assert [one["pack_voltage"] for one in history] == [float(359 - index) for index in range(20)]
        assert len({one["_id"] for one in history}) == 20
        assert len({one["timestamp"] for one in history}) == 20
        assert readings(open_server, "pack_voltage")[:20] == [359.0 - index for index in range(20)]
        assert api.get(f"/api/battery-data/{history[3]['_id']}").json() == history[3]

    def test_many_senders_at_once_lose_nothing(self, open_server: Server, api: httpx.Client) -> None:
        with contextlib.ExitStack() as stack:
            senders = [stack.enter_context(connected(open_server)) for _ in range(40)]
            for step in range(25):
                for number, sender in enumerate(senders):
                    data = frame(step, 500 + number, step)
                    sender.sendall(data[: 5 + step % 9])
                    sender.sendall(data[5 + step % 9 :])

            def seen() -> list[dict[str, Any]]:
                found = api.get("/api/battery-data/history?hours=1&limit=10000").json()
                return [one for one in found if 500 <= one["pack_voltage"] < 540]

            eventually(lambda: len(seen()) >= 1000)
        found = seen()
        assert len(found) == 1000
        for number in range(40):
            mine = [one["pack_current"] for one in found if one["pack_voltage"] == 500 + number]
            assert mine == [float(step) for step in reversed(range(25))]

    def test_frames_that_are_no_numbers_are_left_out(self, open_server: Server, api: httpx.Client) -> None:
        odd = frame(1, float("nan")) + frame(2, float("inf")) + frame(float("nan"), 366.5)
        with connected(open_server) as sender:
            sender.sendall(odd)
            shown = eventually(lambda: (found := latest(api)).get("pack_voltage") == 366.5 and found)
        assert shown["device_timestamp"] == 0

    def test_the_time_of_day_in_a_single_float_is_replaced(self, open_server: Server, api: httpx.Client) -> None:
        with connected(open_server) as sender:
            sender.sendall(frame(time.time(), 364.5))
            shown = eventually(lambda: (found := latest(api)).get("pack_voltage") == 364.5 and found)
        assert abs(shown["device_timestamp"] - time.time()) < 256
        assert abs(shown["timestamp"] - time.time()) < 30

    def test_a_streamed_frame_is_changed_and_deleted_like_any_record(
        self, open_server: Server, api: httpx.Client
    ) -> None:
        with connected(open_server) as sender:
            sender.sendall(frame(1, 311.5) + frame(2, 312.5))
            shown = eventually(lambda: (found := latest(api)).get("pack_voltage") == 312.5 and found)
        before = api.get("/api/battery-data/history?limit=2").json()[1]
        path = f"/api/battery-data/{before['_id']}"
        assert api.put(path, json={"pack_voltage": 313.5}).status_code == 200
        assert api.get(path).json() == {**before, "pack_voltage": 313.5}
        history = api.get("/api/battery-data/history?limit=2").json()
        assert [one["pack_voltage"] for one in history] == [312.5, 313.5]
        assert 311.5 not in readings(open_server, "pack_voltage")
        assert api.delete(f"/api/battery-data/{shown['_id']}").status_code == 200
        assert api.delete(path).status_code == 200
        assert api.get(path).status_code == 404
        left = [one["pack_voltage"] for one in api.get("/api/battery-data/history?limit=50").json()]
        assert not {311.5, 312.5, 313.5} & set(left)
        assert not {311.5, 312.5, 313.5} & set(readings(open_server, "pack_voltage"))

    def test_the_pack_is_a_device_like_all_others_and_is_online_while_connected(
        self, open_server: Server, api: httpx.Client
    ) -> None:
        admin = open_server.admin()
        with connected(open_server) as sender:
            sender.sendall(frame(1, 333.25))
            eventually(lambda: latest(api).get("pack_voltage") == 333.25)
            [pack] = admin.get("/api/devices", type="battery")["items"]
            assert pack["name"] == "battery"
            assert admin.get(f"/api/devices/{pack['id']}/status")["connected"] is True
            values = admin.get(f"/api/devices/{pack['id']}/status")["latest"]
            assert values["pack_voltage"]["value"] == 333.25
            assert values["pack_voltage"]["unit"] == "V"

    def test_frames_and_records_outlive_a_restart(self, tmp_path: Path) -> None:
        server = Server(tmp_path / "data", settings=settings())
        try:
            server.start()
            with server.client() as api:
                record_id = api.post("/api/battery-performance", json=PERFORMANCE).json()["id"]
                with connected(server) as sender:
                    sender.sendall(frame(3, 344.5))
                    shown = eventually(lambda: (found := latest(api)).get("pack_voltage") == 344.5 and found)
            server.kill()
            server.start()
            with server.client() as api:
                assert eventually(lambda: latest(api)) == shown
                assert latest(api, "battery-performance")["_id"] == record_id
                assert api.get(f"/api/battery-data/{shown['_id']}").json() == shown
        finally:
            server.kill()


class TestPredictor:
    def test_objects_without_framing_become_records(self, open_server: Server, api: httpx.Client) -> None:
        sent = (
            json.dumps({**PERFORMANCE, "cycle_count": 131})
            + json.dumps({**PREDICTION, "remaining_cycles": 701}, indent=1)
            + "\n"
            + json.dumps({"neither": 1})
            + "not json at all "
            + json.dumps({**PREDICTION, "remaining_cycles": "many"})
            + json.dumps({**PERFORMANCE, "cycle_count": 132})
        ).encode()
        with connected(open_server, "MOORING_PREDICTOR_PORT") as sender:
            for at in range(0, len(sent), 11):
                sender.sendall(sent[at : at + 11])
            eventually(lambda: latest(api, "battery-performance").get("cycle_count") == 132)
        assert latest(api, "battery-prediction")["remaining_cycles"] == 701
        cycles = [one["cycle_count"] for one in api.get("/api/battery-performance/history").json()]
        assert cycles[:2] == [132, 131]

    def test_each_address_can_be_a_pack_of_its_own(self, tmp_path: Path) -> None:
        apart = {**settings(), "MOORING_BATTERY_BY_ADDRESS": "true"}
        with running(tmp_path / "data", settings=apart) as server, server.client() as api:
            for address in ("127.0.0.1", "127.0.0.2"):
                with socket.create_connection(
                    ("127.0.0.1", int(apart["MOORING_BATTERY_PORT"])), source_address=(address, 0)
                ) as sender:
                    sender.sendall(frame(1, 350))
            eventually(lambda: len(api.get("/api/battery-data/history").json()) == 2)
            names = {one["name"] for one in server.admin().get("/api/devices", type="battery")["items"]}
            assert names == {"battery-127.0.0.1", "battery-127.0.0.2"}


def readings(server: Server, key: str) -> list[float]:
    """Return the values of the one battery's key, newest first."""
    admin = server.admin()
    [pack] = admin.get("/api/devices", type="battery")["items"]
    rows = admin.get(f"/api/devices/{pack['id']}/data", sensor_type=key, order="desc", limit=5000)["items"]
    return [row["value"] for row in rows]
