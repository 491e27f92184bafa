"""What the server software can do at most: decode and answer, nothing stored. The yardstick of the durable figures."""
