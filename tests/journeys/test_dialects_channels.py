"""Contract C over real sockets: tokens of people and robots, two channels per robot, status channels for watchers."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from tests.journeys.dialects import eventually, heard, silent
from tests.journeys.server import ADMIN_PASSWORD, Device, Person, Server
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection

FRAME = {
    "type": 1,
    "id": 7,
    "state": "auto",
    "data": {"speed": 1.5, "angle_theta": 0.25, "position_x": 3.0, "position_y": -4.0, "datetime": None},
}


@dataclass
class Robot:
    """A robot of contract C, its serial, token and owner."""

    device: Device
    serial: str

    @property
    def server(self) -> Server:
        return self.device.owner.server

    def access_token(self) -> str:
        with self.server.client() as client:
            pair = {"serial": self.serial, "token": self.device.token}
            answer = client.post("/robots/robot/obtain_token", json=pair)
        assert answer.status_code == 201
        assert re.fullmatch(r"[0-9a-f]{64}", answer.json()["access_token"])
        return str(answer.json()["access_token"])

    @contextmanager
    def channels(self) -> Iterator[tuple[ClientConnection, ClientConnection]]:
        token = {"x-token": self.access_token()}
        with (
            self.server.ws("/robots/robot_data", **token) as data,
            self.server.ws("/robots/robot_command", **token) as commands,
        ):
            yield data, commands


# Registrations are rationed: one of each kind of person serves all tests of this module.
@pytest.fixture(scope="module")
def owner(server: Server) -> Person:
    return server.person("owner")


@pytest.fixture(scope="module")
def friend(server: Server) -> Person:
    return server.person("friend")


@pytest.fixture(scope="module")
def stranger(server: Server) -> Person:
    return server.person("stranger")


@pytest.fixture
def robot(owner: Person) -> Robot:
    device = owner.device("R2", device_type="robot")
    return Robot(device, owner.get(f"/api/devices/{device.id}")["name"])


def access_of(server: Server, person: Person) -> dict[str, str]:
    with server.client() as client:
        name = person.account["user"]["username"]
        answer = client.post("/users/obtain_token/", data={"username": name, "password": ADMIN_PASSWORD})
    assert answer.status_code == 200 and set(answer.json()) == {"refresh", "access"}
    return dict(answer.json())


def command(server: Server, access: str, **body: str) -> httpx.Response:
    with server.client() as client:
        return client.post("/robots/robot/command", json=body, headers={"authentication": f"Bearer {access}"})


def test_person_obtains_tokens_by_form_and_by_json_and_refreshes_again_and_again(server: Server, owner: Person) -> None:
    name = owner.account["user"]["username"]
    with server.client() as client:
        body = {"username": name, "password": ADMIN_PASSWORD}
        by_json = client.post("/users/obtain_token/", json=body)
        assert by_json.status_code == 200
        refresh = client.post("/users/obtain_token", data=body).json()["refresh"]
        for _ in range(3):
            answer = client.post("/users/refresh_token/", data={"refresh": refresh})
            assert answer.status_code == 200 and list(answer.json()) == ["access"]
        me = client.get("/users/me", headers={"authentication": answer.json()["access"]})
        assert me.status_code == 200
        wrong = client.post("/users/refresh_token/", json={"refresh": "ms_wrong"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize(
    ("given", "status", "body"),
    [
        ('{"username":"nobody","password":"x"}', 401,
         {"detail": "No active account found with the given credentials"}),
        ('{"username":"admin"}', 400, {"password": ["This field is required."]}),
        ("{}", 400, {"username": ["This field is required."], "password": ["This field is required."]}),
        ('{"username":"a","password":["x"]}', 400, {"password": ["Not a valid string."]}),
        ('{"username":"a","password":""}', 400, {"password": ["This field may not be blank."]}),
    ],
)  # fmt: skip
def test_log_in_is_refused_word_for_word(server: Server, given: str, status: int, body: object) -> None:
    sent = ["-H", "content-type: application/json", "-d", given, f"{server.url}/users/obtain_token/"]
    said = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *sent], capture_output=True, text=True, check=True)
    text, _, code = said.stdout.rpartition("\n")
    assert (int(code), json.loads(text)) == (status, body)


def test_me_lists_own_and_assigned_robots(server: Server, owner: Person, friend: Person, robot: Robot) -> None:
    friend_access = access_of(server, friend)["access"]
    with server.client() as client:
        me = client.get("/users/me", headers={"authentication": f"JWT {friend_access}"}).json()
        assert set(me) == {"uuid", "first_name", "last_name", "is_active", "robots"}
        assert me["robots"] == [] and me["is_active"] is True and me["uuid"] == friend.account["user"]["id"]
        path = f"/api/devices/{robot.device.id}/assignments"
        assert friend.ask("GET", path).status_code == 404
        assert owner.ask("POST", path, json={"username": "nobody-here"}).status_code == 404
        for _ in range(2):
            assert owner.ask("POST", path, json={"username": friend.account["user"]["username"]}).status_code == 201
        me = client.get("/users/me", headers={"Authorization": f"Bearer {friend_access}"}).json()
        assert me["robots"] == [robot.device.id]
        assert client.get("/users/me").status_code == 401
        assert client.get("/users/me", headers={"authentication": "rubbish"}).status_code == 401
        listed = owner.get(path)
        assert [each["user_id"] for each in listed["items"]] == [friend.account["user"]["id"]]
        assert owner.ask("DELETE", f"{path}/{friend.account['user']['id']}").status_code == 204
        me = client.get("/users/me", headers={"Authorization": f"Bearer {friend_access}"}).json()
        assert me["robots"] == []


def test_wrong_pair_of_a_robot_is_told_alike(server: Server, robot: Robot) -> None:
    with server.client() as client:
        for pair in ({"serial": robot.serial, "token": "wrong"}, {"serial": "wrong", "token": robot.device.token}):
            for kind in ("json", "data"):
                answer = client.post("/robots/robot/obtain_token", **{kind: pair})
                assert (answer.status_code, answer.json()) == (400, {"data": ["invalid data"]})


@pytest.mark.parametrize("path", ["/robots/robot_data", "/robots/robot_command"])
def test_channel_without_a_token_is_refused_in_the_handshake(server: Server, path: str) -> None:
    for headers in ({}, {"x-token": "0" * 64}, {"x-token": "x"}):
        with pytest.raises(InvalidStatus) as refused:
            server.ws(path, **headers)
        assert refused.value.response.status_code == 403


def test_token_is_good_for_many_connections_until_the_robots_own_token_changes(owner: Person, robot: Robot) -> None:
    token = {"x-token": robot.access_token()}
    for _ in range(2):
        robot.server.ws("/robots/robot_data", **token).close()
    with robot.server.ws("/robots/robot_data", **token) as open_one:
        assert owner.ask("POST", f"/api/devices/{robot.device.id}/token").status_code == 200
        with pytest.raises(ConnectionClosed):
            open_one.recv(timeout=5)
    with pytest.raises(InvalidStatus):
        robot.server.ws("/robots/robot_data", **token)


def test_every_frame_gets_exactly_one_confirmation_with_its_id(robot: Robot) -> None:
    ids = [1, "two", 3.5, None, [4], {"five": 5}, True, 2**60]
    with robot.channels() as (data, _):
        for number in ids:
            data.send(json.dumps({**FRAME, "id": number}))
        answers = [heard(data) for _ in ids]
        assert all(answer["status"] == "ok" and set(answer) == {"status", "id"} for answer in answers)
        assert [json.dumps(answer["id"]) for answer in answers] == [json.dumps(number) for number in ids]
        assert silent(data)
        assert len(robot.device.values("speed")) == len(ids)
        assert robot.device.owner.get(f"/api/devices/{robot.device.id}")["device_status"] == "auto"


@pytest.mark.parametrize(
    ("bad", "number"),
    [("nonsense", None), ("[]", None), ('{"id":1}', 1), ('{"id":2,"type":9,"data":{"speed":1}}', 2),
     ('{"id":3,"type":1,"state":5,"data":{"speed":1}}', 3), ('{"id":4,"type":1,"data":{"speed":1e999}}', None),
     ('{"id":5,"type":1,"state":null,"data":{"speed":{"a":"\\u0000"}}}', 5), (b"\xff", None)],
)  # fmt: skip
def test_bad_frame_gets_one_error_and_the_channel_stays(robot: Robot, bad: str | bytes, number: object) -> None:
    with robot.channels() as (data, _):
        data.send(bad)
        assert heard(data) == {"status": "error", "id": number}
        data.send(json.dumps(FRAME))
        assert heard(data) == {"status": "ok", "id": 7}
        assert silent(data, 0.1)


def test_time_of_the_robot_counts_if_it_is_one(robot: Robot) -> None:
    with robot.channels() as (data, _):
        for stamp in ("2026-11-20 10:00:00.5", "yesterday", 12, None):
            data.send(json.dumps({**FRAME, "data": {**FRAME["data"], "datetime": stamp}}))
            assert heard(data)["status"] == "ok"
    rows = robot.device.rows(sensor_type="speed")
    assert rows[0]["timestamp"] == "2026-11-20T10:00:00.500Z"
    assert all(row["timestamp"] > "2026-11-20T11" for row in rows[1:])


def test_command_reaches_the_robot_and_is_written_down(server: Server, owner: Person, robot: Robot) -> None:
    access = access_of(server, owner)["access"]
    with robot.channels() as (_, commands):
        for word in ("auto", "idle", "error", "manual"):
            answer = command(server, access, robot_uuid=robot.device.id, command=word)
            assert (answer.status_code, answer.content) == (201, b"")
            assert commands.recv(timeout=5) == json.dumps({"command": word}, separators=(",", ":"))
    log = owner.get(f"/api/devices/{robot.device.id}/logs")["items"]
    assert "manual" in next(line["message"] for line in log if line["event_type"] == "command")


def test_command_is_refused_word_for_word(server: Server, owner: Person, stranger: Person, robot: Robot) -> None:
    access, id_ = access_of(server, owner)["access"], robot.device.id
    others = access_of(server, stranger)["access"]
    told = {
        "robot is not connected": (command(server, access, robot_uuid=id_, command="auto"), "robot"),
        "invalid value": (command(server, access, robot_uuid=id_, command="fly"), "command"),
    }
    for words, (answer, field) in told.items():
        assert (answer.status_code, answer.json()) == (400, {field: [words]})
    for whose, which in ((access, "unknown"), (others, id_), (access_of_admin(server), id_)):
        answer = command(server, whose, robot_uuid=which, command="auto")
        assert (answer.status_code, answer.json()) == (400, {"robot_uuid": ["invalid value"]})
    assert command(server, "rubbish", robot_uuid=id_, command="auto").status_code == 401


def access_of_admin(server: Server) -> str:
    with server.client() as client:
        answer = client.post("/users/obtain_token/", json={"username": "admin", "password": ADMIN_PASSWORD})
    return str(answer.json()["access"])


def test_watcher_gets_one_status_per_frame_and_none_of_anothers_robot(
    server: Server, owner: Person, robot: Robot
) -> None:
    access = access_of(server, owner)["access"]
    other = owner.device("R3", device_type="robot")
    with (
        robot.channels() as (data, _),
        server.ws("/users/robot_status", authentication=access, robot=robot.device.id) as page,
        server.ws("/users/robot_status", authentication=f"Bearer {access}", robot=other.id) as elsewhere,
    ):
        data.send(json.dumps(FRAME))
        assert heard(page) == {"state": "auto", "speed": 1.5, "position_x": 3.0, "position_y": -4.0}
        data.send(json.dumps({**FRAME, "state": None, "data": {"speed": 2}}))
        assert heard(page) == {"state": "", "speed": 2, "position_x": None, "position_y": None}
        assert silent(elsewhere)


def test_refused_watcher_is_let_in_and_closed_with_1000(
    server: Server, owner: Person, stranger: Person, robot: Robot
) -> None:
    others = access_of(server, stranger)["access"]
    access = access_of(server, owner)["access"]
    for headers in (
        {}, {"robot": robot.device.id}, {"authentication": others, "robot": robot.device.id},
        {"authentication": access}, {"authentication": access, "robot": "unknown"},
    ):  # fmt: skip
        with server.ws("/users/robot_status", **headers) as page:
            with pytest.raises(ConnectionClosedOK) as closed:
                page.recv(timeout=5)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000


def test_shared_robot_is_watched_and_commanded_until_it_is_withdrawn(
    server: Server, owner: Person, friend: Person, robot: Robot
) -> None:
    access, path = access_of(server, friend)["access"], f"/api/devices/{robot.device.id}/assignments"
    owner.ask("POST", path, json={"username": friend.account["user"]["username"]})
    with (
        robot.channels() as (data, commands),
        server.ws("/users/robot_status", authentication=access, robot=robot.device.id) as page,
    ):
        data.send(json.dumps(FRAME))
        assert heard(page)["state"] == "auto"
        assert command(server, access, robot_uuid=robot.device.id, command="idle").status_code == 201
        assert heard(commands) == {"command": "idle"}
        began = time.monotonic()
        assert owner.ask("DELETE", f"{path}/{friend.account['user']['id']}").status_code == 204
        with pytest.raises(ConnectionClosed):
            page.recv(timeout=5)
        assert time.monotonic() - began < 1.5
        assert command(server, access, robot_uuid=robot.device.id, command="idle").status_code == 400


def test_robot_of_this_contract_is_a_device_like_any_other(owner: Person, robot: Robot) -> None:
    path = f"/api/devices/{robot.device.id}"
    with robot.channels():
        eventually(lambda: owner.get(path)["status"] == "online")
    eventually(lambda: owner.get(path)["status"] == "offline")


def test_administration_leads_to_the_console(server: Server) -> None:
    with server.client() as client:
        for path, target in (
            ("/admin/", "/devices?type=robot"),
            ("/admin", "/devices?type=robot"),
            ("/admin/robots/robot/add/", "/devices?add=1&type=robot"),
            ("/admin/robots/robot/abc/change/?page=2", "/devices/abc?page=2"),
            ("/admin//evil.example/", "/devices?type=robot"),
            ("/admin/robots/robot/%0d%0aSet-Cookie:x/", None),
        ):
            answer = client.get(path)
            assert answer.status_code == 302 and "set-cookie" not in answer.headers
            assert target is None or answer.headers["location"] == target


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"a=" * 1000, b'{"a":' * 3000, b"null"])
def test_bad_body_is_refused_and_harms_nobody(server: Server, body: bytes) -> None:
    with server.client() as client:
        for path in ("/users/obtain_token/", "/users/refresh_token/", "/robots/robot/obtain_token"):
            for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain", ""):
                answer = client.post(path, content=body, headers={"content-type": kind})
                assert 400 <= answer.status_code < 500, answer.text
                assert len(answer.content) < 1000
        assert client.post("/users/obtain_token/", content=b"x" * 100_000).status_code == 413
        assert client.get("/users/obtain_token/").status_code == 405
