"""Series on PostgreSQL: one table of readings in daily partitions, fed by binary COPY, shared by any number of nodes.

A frame is known by a unique (boot, seq), so of two nodes that were sent the same frame one stores it and the other is
told. asyncpg is needed only once the store is opened.
"""

from mooring.adapters.postgres_series.series import PostgresSeries

__all__ = ["PostgresSeries"]
