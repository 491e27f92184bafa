"""How a database is named: which addresses are taken, and what the driver makes of them."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mooring.kernel.errors import Invalid

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class DatabaseUrlInvalid(Invalid):
    """The database address is not one Mooring can open."""

    code = "database_url_invalid"


def database_url(url: str) -> URL:
    """Return `url` with the driver Mooring uses; raises DatabaseUrlInvalid, never showing a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlInvalid("the database address cannot be read", hint=_HINT) from None
    driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise DatabaseUrlInvalid(f"no such kind of database: {parsed.drivername}", hint=_HINT)
    parsed = parsed.set(drivername=driver)
    return _sqlite(parsed) if driver.startswith("sqlite") else _postgres(parsed)


_HINT = "use sqlite:///path/to/file.db or postgresql://user:password@host/name"


def _sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseUrlInvalid("a store in memory would forget what it confirmed", hint=_HINT)
    return url.set(query={})


def _postgres(url: URL) -> URL:
    # libpq spells it sslmode, asyncpg ssl; people paste the libpq form.
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(query=query)
