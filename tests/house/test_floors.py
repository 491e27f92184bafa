"""Imports go only downwards: the contracts of pyproject.toml hold, and they name every room."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.tree import PACKAGE, ROOT


def contracts() -> dict[str, dict[str, object]]:
    """Return the import contracts of pyproject.toml by id."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {each["id"]: each for each in settings["tool"]["importlinter"]["contracts"]}


def test_import_contracts_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    found = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [program, "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env=found, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_simulator_may_import_no_room_but_kernel_and_wire() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    forbidden = contracts()["simulator-is-a-stranger"]["forbidden_modules"]
    assert isinstance(forbidden, list)
    # The floors contract already forbids what stands beside the simulator and above it.
    others = rooms - {"kernel", "wire", "simulator", "doors", "adapters", "app", "collector", "commandline"}
    assert others == {name.rpartition(".")[2] for name in forbidden}
