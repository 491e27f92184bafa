"""Series on DuckDB: one writer thread that commits batches as columns, readers on cursors of their own.

No primary keys in this database; ids are dictionaries rebuilt from small tables, and duplicates are found by the
(boot, seq) rows that commit together with the readings.
"""

from mooring.adapters.duckdb_series.series import DuckDBSeries

__all__ = ["DuckDBSeries"]
