"""Robots of contract C: which people they are assigned to beside their owner, and their short-lived passes."""
