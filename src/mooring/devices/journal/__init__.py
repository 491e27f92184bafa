"""What happened to devices: events (their own words and their coming and going) and the log people read."""
