"""Identifiers and secrets: how they are made, and the only form in which a secret is kept."""

from __future__ import annotations

import hashlib
import secrets
import uuid


def new_id() -> str:
    """Return a fresh random UUID as text."""
    return str(uuid.uuid4())


def new_token(prefix: str) -> str:
    """Return a secret of 192 random bits behind `prefix`, safe in a URL and in a header."""
    return f"{prefix}_{secrets.token_urlsafe(24)}"


def digest_of(token: str) -> str:
    """Return the SHA-256 of a token in hex: what is stored and looked up instead of the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
