"""One server with an MQTT port for these tests, a second one whose deadlines are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.doors.mqtt.client import Client
from tests.journeys.server import Device, Person, Server, free_port, running

Opener = Callable[..., Client]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a running server."""
    settings = {"MOORING_MQTT_PORT": str(free_port())}
    with running(tmp_path_factory.mktemp("mqtt") / "data", settings=settings) as started:
        yield started


@pytest.fixture(scope="package")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a running server with short deadlines."""
    settings = {"MOORING_MQTT_PORT": str(free_port())}
    module = ("tests.journeys.altered", "hasty")
    with running(tmp_path_factory.mktemp("hasty") / "data", settings=settings, module=module) as started:
        yield started


def port_of(server: Server) -> int:
    """Return the MQTT port of a server."""
    return int(server.settings["MOORING_MQTT_PORT"])


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    """Give a person."""
    return server.person()


@pytest.fixture
def device(person: Person) -> Device:
    """Give a fresh device."""
    return person.device()


@pytest.fixture
def opened(server: Server) -> Iterator[Opener]:
    """Give what opens connections and closes them at the end; with a device it also connects."""
    clients: list[Client] = []

    def opener(device: Device | None = None, level: int = 4, **fields: object) -> Client:
        client = Client(port_of(server), level)
        clients.append(client)
        if device is not None:
            assert client.connect(device.token, **fields).reason == 0
        return client

    yield opener
    for client in clients:
        client.socket.close()
