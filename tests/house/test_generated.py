"""What the documentation says of settings, routes and commands is what the program does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.generate_docs import PAGES, openapi
from tests.house.tree import ROOT

from mooring.settings import Settings, variable_of


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs` and look at the difference"


def test_every_reference_in_the_description_leads_somewhere() -> None:
    described = openapi()
    referred = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(described)))
    assert referred - set(described["components"]["schemas"]) == set()


def test_every_setting_has_a_sentence() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert silent == []


def test_config_prints_every_setting_with_its_sentence() -> None:
    program = [sys.executable, "-m", "mooring", "config"]
    found = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    printed = subprocess.run(program, cwd=ROOT, env=found, capture_output=True, text=True, check=True).stdout
    words = " ".join(printed.split())
    assert [name for name in Settings.model_fields if variable_of(name) not in words] == []
    sentences = [field.description or "" for field in Settings.model_fields.values()]
    assert [each for each in sentences if each.split()[0] not in words] == []


def test_no_module_reads_a_variable_that_is_not_a_setting() -> None:
    documented = {variable_of(name) for name in Settings.model_fields} | BESIDE_SETTINGS
    named = {
        variable
        for path in Path(ROOT / "src").rglob("*.py")
        for variable in re.findall(r"\bMOORING_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert named <= documented


# Read by the simulator and the build, which are no part of a server.
BESIDE_SETTINGS = {"MOORING_API_KEY", "MOORING_DEVICE_TOKEN", "MOORING_RECORDINGS", "MOORING_SKIP_CONSOLE"}
