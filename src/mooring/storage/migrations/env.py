"""What Alembic runs: the upgrade, inside the transaction of the connection ``upgrade()`` was given."""

from __future__ import annotations

from alembic import context

from mooring.storage.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
    # SQLite's DDL is transactional once the driver does not commit behind our back, and ours does not.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
