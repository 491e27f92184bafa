"""The composition root: opens stores, bus, rooms and doors in order, and closes them in reverse.

Nothing is built at import.
"""

from mooring.app.root import Mooring, migrated, people_only, running

__all__ = ["Mooring", "migrated", "people_only", "running"]
