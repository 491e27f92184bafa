"""The real server for a bench: `mooring serve` in a folder of its own, an administrator, devices with tokens."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.server import Server

PASSWORD = "bench-Password-1"
OWNER = "fleet"
REGISTER_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device and its token."""

    id: str
    token: str


class Mooring:
    """A running Mooring; a context manager. `folder` is kept if given, else it is temporary."""

    def __init__(self, folder: Path | None = None, **settings: str) -> None:
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="mooring-bench-")
        self.folder = folder or Path(self.temporary.name)  # type: ignore[union-attr]
        env = {"MOORING_MQTT_PORT": "0"} | {f"MOORING_{name.upper()}": value for name, value in settings.items()}
        env["MOORING_ADMIN_PASSWORD"] = PASSWORD
        self.server = Server(
            [sys.executable, "-m", "mooring", "serve", "--port", "0", "--data-dir", str(self.folder)], env=env
        )
        self.token = ""

    def __enter__(self) -> Mooring:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()
        if self.temporary:
            self.temporary.cleanup()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as the administrator and return its JSON; raises RuntimeError with the server's words."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error

    def log_in(self, username: str = "admin") -> None:
        """Take a token of the administrator, or of another user with the same password."""
        answer = self.call("POST", "/api/auth/login", {"username": username, "password": PASSWORD})
        self.token = answer["access_token"]

    def add_owner(self) -> None:
        """Add the owner through the command line, as an administrator on the machine would."""
        words = f"-m mooring user add {OWNER} --role admin --quota 1000000 --password {PASSWORD} --data-dir".split()
        subprocess.run(
            [sys.executable, *words, str(self.folder)],
            env=self.server.env,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

    def devices(self, count: int) -> list[Device]:
        """Register `count` devices for an owner who may have so many, and return them; `token` is the owner's."""
        self.add_owner()
        self.log_in(OWNER)

        def register(number: int) -> Device:
            made = self.call("POST", "/api/devices", {"name": f"bench-{number}", "type": "bench"})
            return Device(made["id"], made["auth_token"])

        with ThreadPoolExecutor(REGISTER_AT_ONCE) as pool:
            return list(pool.map(register, range(count)))
