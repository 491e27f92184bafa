"""Promise E2: the OpenAPI file is true: what it says is answered, and nothing else, whoever asks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.journeys.server import ROOT, Server, running

# A cursor, a date and the name of a field are texts to a schema; which of them mean something no schema can tell.
UNTELLABLE = "positive_data_acceptance"
ENDLESS = "/api/stream"
LEAVING = "/api/auth/logout"
# Waits for a device, as long as it is asked to.
WAITING = "^/api/(plugins/)?rpc/"


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server of its own: after so many wrong log-ins nobody is let in from here."""
    with running(tmp_path_factory.mktemp("probed") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def callers(probed: Server) -> dict[str, dict[str, str]]:
    """Give the headers of everybody who may ask, all of them logged in before anything is tried."""
    person = probed.person()
    person.device().post({"sensor_readings": {"t": 1, "s": "x"}})
    return {"administrator": probed.admin().headers, "person": person.headers, "nobody": {}}


def findings(server: Server, headers: dict[str, str], *options: str) -> str:
    """Return what schemathesis has to say against the server, nothing if nothing."""
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    command += [f"{server.url}/openapi.json", "--phases", "examples,coverage,fuzzing", "-n", "10", *options]
    command += ["--checks", "all", "--exclude-checks", UNTELLABLE, "--exclude-path", ENDLESS, "--exclude-path", LEAVING]
    command += ["--exclude-path-regex", WAITING]
    command += ["--no-color", "--warnings", "off", "--generation-database", "none", "--seed", "20261121"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=server.folder.parent)
    return "" if done.returncode == 0 else done.stdout[-6000:] + done.stderr[-1000:]


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "role", ["person", pytest.param("administrator", marks=SLOW), pytest.param("nobody", marks=SLOW)]
)
def test_reading_is_as_described(probed: Server, callers: dict[str, dict[str, str]], role: str) -> None:
    assert findings(probed, callers[role], "--include-method", "GET") == ""


@pytest.mark.slow
@pytest.mark.parametrize("role", ["person", "nobody"])
def test_writing_is_as_described(probed: Server, callers: dict[str, dict[str, str]], role: str) -> None:
    assert findings(probed, callers[role], "--exclude-method", "GET") == ""


def test_the_file_in_the_repository_is_the_one_served(probed: Server) -> None:
    written = ROOT / "console" / "openapi.json"
    if not written.exists():
        pytest.skip("the console's source is not here")
    import json

    served = probed.ask("GET", "/openapi.json").json()
    assert json.loads(written.read_text(encoding="utf-8"))["paths"].keys() == served["paths"].keys()
