"""Claiming: a device that waits to be taken over by whoever knows its name and the secret it was given."""
