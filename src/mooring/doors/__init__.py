"""Every way in: devices and people. Doors parse, call a room, and render the answer."""
