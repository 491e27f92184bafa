"""The records that came one by one, as they were written; times are µs since 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from mooring.storage.metadata import metadata
from mooring.storage.types import Json

battery_records = Table(
    "battery_records",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("body", Json, nullable=False),
    Index(None, "kind", "at_us"),
    Index(None, "kind", "received_us"),
    Index(None, "received_us"),
    Index(None, "device_id", "at_us"),
)
