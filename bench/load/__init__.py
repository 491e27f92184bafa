"""Loaders that outrun the server from one Python core: raw protocols, bytes built beforehand, receipts counted."""
