"""The machines behind the ports: where readings are kept, how events travel, what time it is."""
