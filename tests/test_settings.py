"""Settings: defaults, where they come from, which wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mooring.commandline.given import settings as given_settings
from mooring.kernel.errors import Invalid
from mooring.settings import Settings, variable_of

NAMES = ("HOST", "PORT", "API_HOST", "API_PORT", "MONGODB_URI", "DATA_DIR", "DATABASE_URL", "LOG_LEVEL")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_it_listens_on_this_machine_alone() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.admin_password is None
    assert settings.allowed_origins == []
    assert settings.people_url == "sqlite:///mooring-data/mooring.sqlite3"


def test_every_setting_has_a_type_a_default_and_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.annotation is not None, name
        assert not field.is_required(), name
        assert field.description, name
        assert field.description.endswith("."), name
        assert "\n" not in field.description, name


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    field = Settings.model_fields[name]
    samples: dict[object, str] = {int: "4096", float: "7.5", bool: str(not field.default), Path: "elsewhere"}
    special = {"log_level": "debug", "database_url": "postgresql://x/y", "open_dialects": "robots"}
    value = special.get(name) or samples.get(field.annotation, "words")
    monkeypatch.setenv(variable_of(name), value)
    read = getattr(Settings(), name)
    assert read != field.default, f"{variable_of(name)} is not read"


@pytest.mark.parametrize(
    ("weaker", "stronger"), [("API_PORT", "MOORING_PORT"), ("PORT", "API_PORT"), ("PORT", "MOORING_PORT")]
)
def test_the_programs_own_name_wins_over_those_of_older_systems(
    monkeypatch: pytest.MonkeyPatch, weaker: str, stronger: str
) -> None:
    monkeypatch.setenv(weaker, "9001")
    assert Settings().port == 9001
    monkeypatch.setenv(stronger, "9002")
    assert Settings().port == 9002


def test_variables_meant_for_other_programs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "DATA_DIR", "DATABASE_URL", "LOG_LEVEL", "ADMIN_PASSWORD"):
        monkeypatch.setenv(name, "debug")
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.data_dir == Path("mooring-data")
    assert settings.log_level == "warning"


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_PORT", "9001")
    monkeypatch.setenv("MOORING_HOST", "192.0.2.7")
    monkeypatch.setenv("API_HOST", "192.0.2.8")
    monkeypatch.setenv("MOORING_DATA_DIR", "there")
    settings = given_settings(host="127.0.0.2", port=9002, data_dir=Path("here"))
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.2", 9002, Path("here"))
    assert given_settings(host=None, port=None).port == 9001


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_ALLOWED_ORIGINS", " https://a.example ,, https://b.example")
    assert Settings().allowed_origins == ["https://a.example", "https://b.example"]
    assert Settings(allowed_origins=["https://c.example"]).allowed_origins == ["https://c.example"]


def test_a_database_elsewhere_is_taken_for_people_too() -> None:
    assert Settings(database_url="postgresql://db/mooring").people_url == "postgresql://db/mooring"


def test_a_password_is_not_shown() -> None:
    settings = Settings(admin_password="sesame")
    assert "sesame" not in repr(settings)
    with pytest.raises(ValidationError) as refused:
        Settings(admin_password=["sesame"])
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("port", 65_536),
        ("heartbeat_timeout_s", 0),
        ("max_body_bytes", 10),
        ("max_frame_bytes", 1 << 30),
        ("max_waiting_readings", 1),
        ("memory_limit_mb", 1),
        ("disk_reserve_mb", 0),
        ("query_timeout_s", float("nan")),
        ("log_level", "shout"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_variable(name: str, value: object) -> None:
    with pytest.raises(Invalid, match=f"setting {variable_of(name)}: "):
        given_settings(**{name: value})
