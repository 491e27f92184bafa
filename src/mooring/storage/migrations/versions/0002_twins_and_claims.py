"""Twins of devices, and devices that may be claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mooring.storage.errors import StoreTooNew
from mooring.storage.types import Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "device_twins",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("desired", Json(), nullable=False),
        sa.Column("reported", Json(), nullable=False),
        sa.Column("server", Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_twins_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_twins")),
    )
    op.create_table(
        "device_claims",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_claims_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_claims")),
    )


def downgrade() -> None:
    """Refuse: an older program must not be led to believe this store is its own."""
    raise StoreTooNew("a store cannot be taken back to an older schema", hint="restore a backup instead")
