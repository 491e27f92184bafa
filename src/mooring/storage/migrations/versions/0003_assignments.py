"""Devices assigned to people, and the passes of robots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mooring.storage.errors import StoreTooNew
from mooring.storage.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "device_assignments",
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_assignments_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_device_assignments_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "user_id", name=op.f("pk_device_assignments")),
    )
    op.create_index(op.f("ix_device_assignments_user_id"), "device_assignments", ["user_id"], unique=False)
    op.create_table(
        "robot_passes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("credential", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_robot_passes_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_robot_passes")),
    )
    op.create_index(op.f("ix_robot_passes_device_id"), "robot_passes", ["device_id"], unique=False)
    op.create_index(op.f("ix_robot_passes_expires_at"), "robot_passes", ["expires_at"], unique=False)


def downgrade() -> None:
    """Refuse: an older program must not be led to believe this store is its own."""
    raise StoreTooNew("a store cannot be taken back to an older schema", hint="restore a backup instead")
