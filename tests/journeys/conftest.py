"""One server for all journeys that leave it as they found it; journeys that hurt their server start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.server import Device, Person, Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a running server."""
    with running(tmp_path_factory.mktemp("journeys") / "data") as started:
        yield started


@pytest.fixture(scope="session")
def admin(server: Server) -> Person:
    """Give the administrator; tests that end sessions log in themselves."""
    return server.admin()


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    """Give a person for the module."""
    return server.person()


@pytest.fixture
def device(person: Person) -> Device:
    """Give a fresh device of that person."""
    return person.device()
