"""Socket.IO on the HTTP port: contract A's array, contract E's events for people, frames of devices with receipts.

python-socketio speaks the protocol; what a client is owed waits in our own bounded, conflating ``outbox``.
"""
