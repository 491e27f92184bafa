"""What people write by hand, as yardstick: Flask and sqlite3, one commit per post."""
