"""Every setting, with its type, default and one sentence; read from ``MOORING_…`` variables and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Names = Annotated[list[str], NoDecode]
DIALECTS = ("robots", "events", "channels", "united", "battery", "tcp")


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(
        env_prefix="MOORING_", extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    host: str = Field(
        "127.0.0.1",
        validation_alias=AliasChoices("MOORING_HOST", "API_HOST"),
        description="Address to listen on; 0.0.0.0 for all.",
    )
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("MOORING_PORT", "API_PORT", "PORT"),
        description="HTTP port; 0 takes a free one.",
    )
    mqtt_port: int = Field(1883, ge=0, le=65535, description="MQTT port; 0 turns MQTT off.")
    data_dir: Path = Field(Path("mooring-data"), description="Folder for everything that is kept.")
    database_url: str = Field(
        "", description="PostgreSQL for people, devices and readings; empty means SQLite and DuckDB in the data folder."
    )
    admin_username: str = Field("admin", description="Name of the administrator made at the first start.")
    admin_password: SecretStr | None = Field(
        None, description="Password of the first administrator; without it one is made up and printed once."
    )
    registration_open: bool = Field(True, description="Whether anybody may register an account.")
    allowed_origins: Names = Field(
        [], description="Further origins whose pages may talk to this server, separated by commas."
    )
    open_dialects: Names = Field(
        [],
        description=f"Dialects that answer without credentials, separated by commas: {', '.join(DIALECTS)}.",
    )
    default_owner: str = Field(
        "", description="Name of the account that devices of open dialects belong to; empty: the first administrator."
    )
    battery_port: int = Field(
        23456,
        ge=0,
        le=65535,
        description="TCP port of packed battery frames, while the dialect tcp is open; 0 is off.",
    )
    predictor_port: int = Field(
        23457,
        ge=0,
        le=65535,
        description="TCP port of the battery predictor's JSON objects, while the dialect tcp is open; 0 is off.",
    )
    battery_by_address: bool = Field(
        False, description="Whether each address that sends on these two ports is a battery of its own."
    )
    battery_keep_days: int = Field(
        30, ge=0, le=36_500, description="Days after which battery data is removed, by time of receipt; 0 is never."
    )
    heartbeat_timeout_s: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="Seconds without a sign of life after which a device without a connection is offline.",
    )
    max_body_bytes: int = Field(4 << 20, ge=1024, le=1 << 28, description="Largest body of a data post, in bytes.")
    max_frame_bytes: int = Field(262_144, ge=1024, le=1 << 24, description="Largest WebSocket message, in bytes.")
    max_waiting_readings: int = Field(
        200_000, ge=1000, le=10_000_000, description="Readings that may wait for the disk before devices are held back."
    )
    max_connections: int = Field(20_000, ge=10, le=1_000_000, description="Connections served at the same time.")
    memory_limit_mb: int = Field(512, ge=128, description="Memory the readings' database may use, in MB.")
    disk_reserve_mb: int = Field(
        64, ge=16, description="Free disk space, in MB, below which writes are refused so that the rest keeps working."
    )
    query_timeout_s: float = Field(30.0, gt=0, le=3600, description="Seconds a question about history may take.")
    forwarded_allow_ips: str = Field(
        "127.0.0.1", description="Addresses of proxies whose X-Forwarded headers are believed, separated by commas."
    )
    log_level: str = Field("warning", pattern="^(debug|info|warning|error)$", description="How much is logged.")
    mongodb_uri: str = Field(
        "",
        validation_alias=AliasChoices("MONGODB_URI"),
        description="Not supported: a MongoDB store does not exist, so setting it stops the start.",
    )

    @field_validator("allowed_origins", "open_dialects", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given

    @field_validator("open_dialects")
    @classmethod
    def _known(cls, given: list[str]) -> list[str]:
        unknown = [name for name in given if name not in DIALECTS]
        if unknown:
            raise ValueError(f"no such dialect: {unknown[0]}; known are {', '.join(DIALECTS)}")
        return given

    @property
    def people_url(self) -> str:
        """Return where people and devices are kept."""
        return self.database_url or f"sqlite:///{self.data_dir / 'mooring.sqlite3'}"


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return "MONGODB_URI" if name == "mongodb_uri" else f"MOORING_{name.upper()}"
