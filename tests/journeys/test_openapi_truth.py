"""Promise E2: the OpenAPI file is true: what it says is answered, and nothing else, whoever asks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from tests.journeys.server import ROOT, Person, Server

# A cursor, a date and the name of a field are texts to a schema; which of them mean something no schema can tell.
UNTELLABLE = "positive_data_acceptance"
ENDLESS = "/api/stream"
LEAVING = "/api/auth/logout"


def findings(server: Server, headers: dict[str, str], *options: str) -> str:
    """Return what schemathesis has to say against the server, nothing if nothing."""
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    command += [f"{server.url}/openapi.json", "--phases", "examples,coverage,fuzzing", "-n", "20", *options]
    command += ["--checks", "all", "--exclude-checks", UNTELLABLE, "--exclude-path", ENDLESS, "--exclude-path", LEAVING]
    command += ["--no-color", "--warnings", "off", "--generation-database", "none"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=server.folder.parent)
    return "" if done.returncode == 0 else done.stdout[-6000:] + done.stderr[-1000:]


@pytest.mark.parametrize("role", ["administrator", "person", "nobody"])
def test_reading_is_as_described(server: Server, admin: Person, role: str) -> None:
    person = server.person()
    person.device().post({"sensor_readings": {"t": 1, "s": "x"}})
    headers = {"administrator": admin.headers, "person": person.headers, "nobody": {}}[role]
    assert findings(server, headers, "--include-method", "GET") == ""


@pytest.mark.parametrize("role", ["person", "nobody"])
def test_writing_is_as_described(server: Server, role: str) -> None:
    headers = server.person().headers if role == "person" else {}
    assert findings(server, headers, "--exclude-method", "GET") == ""


def test_the_file_in_the_repository_is_the_one_served(server: Server) -> None:
    written = ROOT / "console" / "openapi.json"
    if not written.exists():
        pytest.skip("the console's source is not here")
    import json

    served = server.ask("GET", "/openapi.json").json()
    assert json.loads(written.read_text(encoding="utf-8"))["paths"].keys() == served["paths"].keys()
