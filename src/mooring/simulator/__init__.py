"""Robots and sensors that come in through the doors like any stranger.

A fleet registers over HTTP, speaks over the device socket, and keeps every frame until its receipt:
how it behaves on the wire is the reference for people who write a device of their own.
"""
