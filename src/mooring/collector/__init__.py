"""The two battery ports alone, next to their senders: what arrives goes to a spool on disk, and from there to a server.

The senders notice nothing of a server that is away. What the server has not confirmed stays on the disk, over restarts
of both, and is sent again under the same numbers, so that nothing is stored twice. Stands above the doors, whose
listeners it uses; knows no store of its own but the spool.
"""
