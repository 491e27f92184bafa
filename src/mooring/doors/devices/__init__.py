"""The doors devices use: HTTP posts and WebSocket frames, both answered with receipts after the commit."""
