"""The one MetaData on which every room's ``tables.py`` puts its Tables, with stable constraint names."""

from __future__ import annotations

from sqlalchemy import MetaData

# Migrations drop and alter constraints by name, so a name must not depend on the database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
