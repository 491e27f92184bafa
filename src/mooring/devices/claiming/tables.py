"""The table of devices that may be claimed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from mooring.storage.metadata import metadata
from mooring.storage.types import UtcDateTime

device_claims = Table(
    "device_claims",
    metadata,
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
