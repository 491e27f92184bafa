"""The commands behind ``mooring``, one file a subject; heavy imports wait until a command needs them."""
