"""The relational base: where people, devices and their history are kept, on SQLite or PostgreSQL.

``Database`` hands out connections (``reading``, ``writing``), ``metadata`` collects every room's tables,
``types`` holds the column types, and ``migrations`` brings a stored schema up to this program's.
"""
