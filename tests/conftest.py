"""Fixtures every test may ask for, and the one rule for all: no setting of the caller's own shell reaches a test."""

from __future__ import annotations

import os
import sys

import hypothesis
import pytest
from tests.postgres import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]

# A shared machine may pause any example; and a check of somebody's change must not fail by chance.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("house")

# Settings under names of older systems; and what says where recordings are, not how the program behaves.
BEYOND = {"PORT", "API_HOST", "API_PORT", "MONGODB_URI"}
KEPT = {"MOORING_RECORDINGS"}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove every variable that is a setting, so a developer's own server settings change no result."""
    for name in list(os.environ):
        if name in BEYOND or (name.upper().startswith("MOORING_") and name not in KEPT):
            monkeypatch.delenv(name)


ENDED_WITH = [0]


def pytest_sessionfinish(exitstatus: int) -> None:
    """Note how the run ended."""
    ENDED_WITH[0] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End at once: at a slow end DuckDB's binding lists what is still alive, long lines behind the summary."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ENDED_WITH[0])
