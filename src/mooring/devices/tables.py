"""The tables of the devices room, one text for SQLite and PostgreSQL.

``last_seen_us`` is microseconds since 1970 and 0 for never, so that it sorts, pages and flushes without NULLs.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from mooring.storage.metadata import metadata
from mooring.storage.types import Json, UtcDateTime

_FILTERS = ("status", "device_type", "group_id", "search")
_RowId = BigInteger().with_variant(Integer(), "sqlite")

device_groups = Table(
    "device_groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(36), ForeignKey("users.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("parent_id", String(64), ForeignKey("device_groups.id", ondelete="SET NULL")),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("user_id", "name"),
    Index(None, "parent_id"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(36), ForeignKey("users.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("device_type", String(64), nullable=False, server_default="generic"),
    Column("description", Text, nullable=False, server_default=""),
    Column("ip_address", String(64)),
    Column("mac_address", String(64)),
    Column("status", String(16), nullable=False, server_default="never"),
    Column("device_status", String(200)),
    Column("lifecycle", String(16), nullable=False, server_default="registered"),
    Column("last_seen_us", BigInteger, nullable=False, server_default="0"),
    Column("firmware_version", String(128)),
    Column("group_id", String(64), ForeignKey("device_groups.id", ondelete="SET NULL")),
    Column("configuration", Json, nullable=False),
    # Casefolded name, type, id, addresses and description: what ``q`` looks through, alike in both databases.
    Column("search", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("user_id", "name"),
    # These two cover every filter and the usual order, so that counting and searching 100,000 devices never
    # touches the wide rows; the search text is kept short enough for PostgreSQL's index rows of 2.7 kB.
    Index("ix_devices_name_filters", "name", "id", *_FILTERS),
    Index("ix_devices_user_id_filters", "user_id", "name", "id", *_FILTERS),
    Index(None, "created_at", "id"),
    Index(None, "last_seen_us", "id"),
    Index(None, "user_id", "created_at", "id"),
    Index(None, "user_id", "last_seen_us", "id"),
    Index(None, "group_id"),
)

device_credentials = Table(
    "device_credentials",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("digest"),
    Index(None, "device_id"),
)

device_events = Table(
    "device_events",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("event_type", String(128), nullable=False),
    Column("severity", String(16), nullable=False, server_default="info"),
    Column("message", Text, nullable=False, server_default=""),
    Column("body", Json, nullable=False),
    Column("timestamp", UtcDateTime, nullable=False),
    Column("boot_id", String(128), nullable=False, server_default=""),
    # NULL for events the server writes itself; NULLs never collide in the key below.
    Column("seq", BigInteger),
    UniqueConstraint("device_id", "boot_id", "seq"),
    Index(None, "device_id", "id"),
    sqlite_autoincrement=True,
)

device_logs = Table(
    "device_logs",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("device_id", String(64), ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("event_type", String(128), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("severity", String(16), nullable=False, server_default="info"),
    Column("timestamp", UtcDateTime, nullable=False),
    Index(None, "device_id", "id"),
    sqlite_autoincrement=True,
)
