"""Battery records that came one by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mooring.storage.errors import StoreTooNew
from mooring.storage.types import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of records."""
    op.create_table(
        "battery_records",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_battery_records_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery_records")),
    )
    for columns in (("kind", "at_us"), ("kind", "received_us"), ("received_us",), ("device_id", "at_us")):
        op.create_index(op.f(f"ix_battery_records_{'_'.join(columns)}"), "battery_records", list(columns))


def downgrade() -> None:
    """Refuse: an older program must not be led to believe this store is its own."""
    raise StoreTooNew("a store cannot be taken back to an older schema", hint="restore a backup instead")
