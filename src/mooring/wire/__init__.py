"""Bytes to values and back, one file per format: no sockets, no clock, no async."""
