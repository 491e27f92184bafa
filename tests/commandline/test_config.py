"""``mooring config`` shows every setting as it is; a wrong one is named with its variable."""

from __future__ import annotations

import pytest
from tests.commandline.conftest import Command

from mooring.settings import Settings, variable_of


def test_every_setting_is_shown_with_its_sentence(mooring: Command) -> None:
    said = mooring("config")
    assert said.status == 0
    for name, field in Settings.model_fields.items():
        assert f"\n{variable_of(name)}=" in f"\n{said.out}"
        assert field.description
        assert field.description in said.out


def test_what_is_set_is_shown_beside_its_default(mooring: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_PORT", "9001")
    monkeypatch.setenv("MOORING_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    said = mooring("config")
    assert "MOORING_PORT=9001\n" in said.out
    assert "Default: 8000." in said.out
    assert "MOORING_ALLOWED_ORIGINS=https://a.example,https://b.example\n" in said.out


def test_no_secret_is_shown(mooring: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_ADMIN_PASSWORD", "sesame-open")
    monkeypatch.setenv("MOORING_DATABASE_URL", "postgresql://keeper:hunter2pass@db.example/mooring")
    said = mooring("config")
    assert "sesame-open" not in said.out
    assert "hunter2pass" not in said.out
    assert "keeper" in said.out
    assert "db.example/mooring" in said.out


@pytest.mark.parametrize(("name", "variable"), [("PORT", "MOORING_PORT"), ("API_PORT", "MOORING_PORT")])
def test_the_older_systems_names_work(
    mooring: Command, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(name, "9002")
    assert f"{variable}=9002\n" in mooring("config").out
    monkeypatch.setenv("MOORING_PORT", "9003")
    assert "MOORING_PORT=9003\n" in mooring("config").out


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MOORING_PORT", "many"),
        ("MOORING_PORT", "70000"),
        ("MOORING_HEARTBEAT_TIMEOUT_S", "0"),
        ("MOORING_LOG_LEVEL", "loud"),
        ("MOORING_MAX_BODY_BYTES", "-1"),
    ],
)
def test_a_wrong_setting_is_named(mooring: Command, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    for command in ("config", "serve", "doctor"):
        said = mooring(command)
        assert said.status == 1
        assert f"error: setting {variable}: " in said.err
        assert "hint: " in said.err
        assert "Traceback" not in said.err
