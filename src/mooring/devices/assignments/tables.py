"""The tables of this room; a pass and the credential it came from are kept as SHA-256 only."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from mooring.storage.metadata import metadata
from mooring.storage.types import UtcDateTime

device_assignments = Table(
    "device_assignments",
    metadata,
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "user_id"),
)

robot_passes = Table(
    "robot_passes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("credential", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "device_id"),
    Index(None, "expires_at"),
)
