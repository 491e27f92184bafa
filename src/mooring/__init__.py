"""Mooring: one backend for a fleet of devices and robots."""

__version__ = "0.1.0"
