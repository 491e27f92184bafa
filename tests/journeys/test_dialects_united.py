"""``mooring simulate --united`` against a real server: tokens, both channels, confirmations, commands obeyed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.journeys.dialects import eventually, heard
from tests.journeys.server import ADMIN_PASSWORD, ROOT, Person, Server, clean_environment


@contextmanager
def simulated(server: Server, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mooring", "simulate", "--united", "--url", server.url, *arguments]
    settings = clean_environment(**environment)
    process = subprocess.Popen(
        command, env=settings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def access_of(server: Server, person: Person) -> str:
    with server.client() as client:
        body = {"username": person.account["user"]["username"], "password": ADMIN_PASSWORD}
        return str(client.post("/users/obtain_token/", json=body).json()["access"])


def test_simulated_robots_drive_and_obey(server: Server, person: Person) -> None:
    access = access_of(server, person)
    key = person.ask("POST", "/api/keys", json={"name": "simulator"}).json()["key"]
    with simulated(server, "--robots", "2", "--rate", "5", MOORING_API_KEY=key), server.client() as client:
        header = {"authentication": access}
        robots = eventually(lambda: client.get("/users/me", headers=header).json()["robots"][1:], 30)
        robot = robots[0]

        def obeyed() -> bool:
            body = {"robot_uuid": robot, "command": "manual"}
            return client.post("/robots/robot/command", data=body, headers=header).status_code == 201

        eventually(obeyed, 30)
        with server.ws("/users/robot_status", authentication=access, robot=robot) as page:
            eventually(lambda: heard(page)["state"] == "manual")


def test_one_known_robot_runs_for_its_time_and_every_frame_is_confirmed(server: Server, person: Person) -> None:
    device = person.device("R", device_type="robot")
    serial = person.get(f"/api/devices/{device.id}")["name"]
    arguments = ("--serial", serial, "--rate", "20", "--duration", "2")
    with simulated(server, *arguments, MOORING_DEVICE_TOKEN=device.token) as process:
        said, _ = process.communicate(timeout=40)
    assert process.returncode == 0
    sent, acked = (int(said.split(f"{word} ")[1].split(",")[0]) for word in ("sent", "acknowledged"))
    assert sent == acked == len(device.values("speed")) > 5


def test_unknown_robot_is_told_why(server: Server) -> None:
    with simulated(server, "--serial", "nobody", MOORING_DEVICE_TOKEN="wrong-token-of-nobody") as process:
        _, said = process.communicate(timeout=40)
    assert process.returncode != 0 and "nobody" in said
