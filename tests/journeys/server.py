"""A real server in a process of its own, as a person would start it, and the people and devices that call on it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[2]
ADMIN_PASSWORD = "correct horse battery staple"
PATIENCE_S = 30.0
# Many servers run beside each other in tests: fixed ports only for those who ask for one.
PORTS_OFF = {"MOORING_MQTT_PORT": "0", "MOORING_BATTERY_PORT": "0", "MOORING_PREDICTOR_PORT": "0"}
_numbers = itertools.count(1)


class NotReady(AssertionError):
    """The server ended, or said nothing, before it was ready."""


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without settings of the caller's own, with the program importable."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("MOORING_")}
    # Compiled once, or every one of a hundred servers would compile itself anew.
    for name in ("PORT", "API_HOST", "API_PORT", "MONGODB_URI", "PYTHONDONTWRITEBYTECODE"):
        kept.pop(name, None)
    return kept | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "PYTHONUNBUFFERED": "1", **more}


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """One data folder and the process on it; ``module`` may name a program that alters the real one."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    module: Sequence[str] = ("mooring",)
    command: Sequence[str] = ("serve",)
    password: str | None = ADMIN_PASSWORD
    url: str = ""
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    started_in_s: float = 0.0
    worked_s: float = 0.0
    _shared: httpx.Client | None = None

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        given = {"MOORING_ADMIN_PASSWORD": self.password} if self.password else {}
        environment = clean_environment(**given, **(PORTS_OFF | self.settings))
        self.said = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._began = time.monotonic()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with (self.folder.parent / f"{self.folder.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.module, *self.command, "--port", "0", "--data-dir", str(self.folder)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                start_new_session=True,
            )
        threading.Thread(target=self._read, args=(self.process, self._lines), daemon=True).start()

    def _read(self, process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
        assert process.stdout is not None
        with process.stdout as out:
            for line in out:
                lines.put(line.rstrip())
        lines.put(None)

    def wait(self, patience_s: float = PATIENCE_S) -> Server:
        """Wait for ``ready:`` and take the address from it."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise NotReady(f"not ready: {self.said} {self.log[-2000:]}")
            self.said.append(line)
            if line.startswith("ready: "):
                self.url = line.removeprefix("ready: ").strip()
                self.started_in_s = time.monotonic() - self._began
                self.worked_s = sum(psutil.Process(self.pid).cpu_times()[:2])
                return self

    def start(self, patience_s: float = PATIENCE_S) -> Server:
        """Start and wait until the server is ready."""
        self.spawn()
        try:
            return self.wait(patience_s)
        except BaseException:
            self.kill()
            raise

    @property
    def log(self) -> str:
        """Return what the process said on standard error, over all its starts."""
        path = self.folder.parent / f"{self.folder.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """Return the process id."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """End it as a power cut would, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it as a person would and return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        self.hang_up()
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    # -- callers

    def client(self, **options: Any) -> httpx.Client:
        """Return an HTTP client that carries nobody's credentials."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE_S, verify=False, trust_env=False, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to one request, over a connection that is kept but remembers nobody."""
        if self._shared is None or str(self._shared.base_url).rstrip("/") != self.url:
            self.hang_up()
            self._shared = self.client()
        answer = self._shared.request(method, path, **options)
        self._shared.cookies.clear()
        return answer

    def hang_up(self) -> None:
        """Close the kept connection."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def admin(self) -> Person:
        """Return the administrator, logged in by name and password."""
        answer = self.ask("POST", "/api/auth/login", json={"username": "admin", "password": ADMIN_PASSWORD})
        assert answer.status_code == 200, answer.text
        return Person(self, answer.json())

    def person(self, name: str = "person") -> Person:
        """Return a fresh person with an account of their own, made on the command line's door: it has no rate limit."""
        username = f"{name}{next(_numbers)}"
        given = {"username": username, "password": ADMIN_PASSWORD, "email": None, "role": "user", "quota": 50}
        self.order("user.add", **given)
        answer = self.ask("POST", "/api/auth/login", json={"username": username, "password": ADMIN_PASSWORD})
        assert answer.status_code == 200, answer.text
        return Person(self, answer.json())

    def order(self, operation: str, **arguments: Any) -> Any:
        """Do what the command line does while a server runs."""
        with socket.socket(socket.AF_UNIX) as door, door.makefile("rb") as answers:
            door.settimeout(PATIENCE_S)
            door.connect(str(self.folder / "control.sock"))
            door.sendall(json.dumps({"operation": operation, "arguments": arguments}).encode() + b"\n")
            answer = json.loads(answers.readline())
        assert "result" in answer, answer
        return answer["result"]

    def ws(self, path: str, **headers: str) -> ClientConnection:
        """Return an open WebSocket; whoever asks for it closes it."""
        return connect(
            f"{self.url.replace('http', 'ws', 1)}{path}",
            additional_headers=headers,
            compression=None,
            open_timeout=PATIENCE_S,
            proxy=None,
        ).__enter__()


@dataclass
class Person:
    """Somebody who logged in."""

    server: Server
    account: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """Return the access token as a header."""
        return {"Authorization": f"Bearer {self.account['access_token']}"}

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a path that must be there."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to any request."""
        return self.server.ask(method, path, headers={**self.headers, **options.pop("headers", {})}, **options)

    def device(self, name: str = "device", **fields: Any) -> Device:
        """Register a device."""
        answer = self.ask("POST", "/api/devices", json={"name": f"{name}-{next(_numbers)}", **fields})
        assert answer.status_code == 201, answer.text
        body = answer.json()
        return Device(self, body["id"], body["auth_token"])

    def live(self, **wish: Any) -> Live:
        """Return a live stream, subscribed to what is wished."""
        live = Live(self.server.ws("/ws/live", **self.headers))
        assert live.next("hello")["tick_ms"] == 50
        live.say({"type": "subscribe", "devices": "*", **wish})
        live.next("subscribed")
        return live


class Live:
    """A person's live stream."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def next(self, kind: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Return the next message of a kind."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = json.loads(self.socket.recv(timeout=max(0.001, deadline - time.monotonic())))
            if message["type"] == kind:
                return dict(message)

    def heard(self, seconds: float) -> list[dict[str, Any]]:
        """Return everything that comes within `seconds`."""
        deadline, found = time.monotonic() + seconds, []
        with contextlib.suppress(TimeoutError):
            while True:
                found.append(json.loads(self.socket.recv(timeout=max(0.001, deadline - time.monotonic()))))
        return found


@dataclass
class Device:
    """A registered device that reports by HTTP and by WebSocket."""

    owner: Person
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the token as a header."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def path(self) -> str:
        """Return where its data is posted to."""
        return f"/api/devices/{self.id}/data"

    def post(self, frame: Any, **options: Any) -> httpx.Response:
        """Post JSON with the device's token."""
        return self.owner.server.ask("POST", self.path, json=frame, headers=self.headers, **options)

    def post_raw(self, body: bytes, **headers: str) -> httpx.Response:
        """Post bytes as they are."""
        told = {"content-type": "application/json", **self.headers, **headers}
        return self.owner.server.ask("POST", self.path, content=body, headers=told)

    def socket(self) -> Wire:
        """Return an open device socket."""
        return Wire(self.owner.server.ws("/ws/device", **self.headers))

    def rows(self, **params: Any) -> list[dict[str, Any]]:
        """Return the stored readings, oldest first unless asked otherwise."""
        return list(self.owner.get(self.path, **{"order": "asc", "limit": 100_000, **params})["items"])

    def values(self, key: str) -> list[Any]:
        """Return the stored values of one key, oldest first."""
        return [row["value"] for row in self.rows(sensor_type=key)]


class Wire:
    """A device's socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, message: Any, timeout_s: float = PATIENCE_S) -> Any:
        """Send a message and return the next answer."""
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        return self.hear(timeout_s)

    def hear(self, timeout_s: float = PATIENCE_S) -> Any:
        """Return the next answer."""
        return json.loads(self.socket.recv(timeout=timeout_s))


@contextlib.contextmanager
def running(folder: Path, **options: Any) -> Iterator[Server]:
    """Run a server on `folder` for the length of a block."""
    server = Server(folder, **options)
    try:
        yield server.start()
    finally:
        server.kill()
