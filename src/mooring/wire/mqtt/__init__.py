"""MQTT 3.1, 3.1.1 and 5 without sockets: ``stream`` cuts bytes into packets, ``encode`` makes bytes of packets.

Words: level (3, 4 or 5 for the three versions), packet, property (version 5), reason (what a refusal is numbered by).
Strict where the specification says "malformed" or "protocol error"; clauses are named as in the OASIS texts.
"""
