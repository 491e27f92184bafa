"""Contract C: people and robots with tokens of their own, two channels per robot, one status channel per watcher.

It is never open without credentials; what it stores are ordinary devices, readings and log lines.
"""
