"""Runs Alembic on a connection the caller holds; imported only when there is something to upgrade."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection, target: str) -> None:
    """Bring the store on `connection` to `target`; the caller commits."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def head() -> str | None:
    """Return the newest version among the packaged scripts."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def versions() -> set[str]:
    """Return every version among the packaged scripts."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    # A percent sign in the path would be taken for an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
