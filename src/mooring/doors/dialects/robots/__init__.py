"""Contract A, a robot fleet: ``GET /robots``, ``GET /robots/<id>``, and the same array over Socket.IO every 5 s.

A robot is a device of type ``robot``; its contract's names are read from whatever its readings are called.
"""
