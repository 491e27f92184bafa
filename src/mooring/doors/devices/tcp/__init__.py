"""Raw TCP: devices that connect and only talk. Nothing is answered, so TCP itself is what holds them back."""
