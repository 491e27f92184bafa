"""The table of twins."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from mooring.storage.metadata import metadata
from mooring.storage.types import Json, UtcDateTime

device_twins = Table(
    "device_twins",
    metadata,
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("desired", Json, nullable=False),
    Column("reported", Json, nullable=False),
    Column("server", Json, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
