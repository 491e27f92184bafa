"""Words every room shares: frames, receipts, actors, events, errors, and the Bus and Clock ports.

Nothing here knows a socket, a database or the wall clock.
"""
