"""Kinds of refusal. Doors map a kind to HTTP, WebSocket, MQTT or TCP; rooms raise named facts of a kind."""

from __future__ import annotations

from typing import ClassVar


class MooringError(Exception):
    """A refusal with a stable ``code``, a sentence for people and, where there is a way out, a hint."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Invalid(MooringError):
    """The input cannot be understood or breaks a stated bound."""

    code = "invalid"


class Unauthenticated(MooringError):
    """Nobody, or nobody we can recognise, is asking."""

    code = "unauthenticated"


class Denied(MooringError):
    """We know who asks, and the answer is no."""

    code = "denied"


class Missing(MooringError):
    """There is no such thing, or it is not the caller's to see; the two look alike."""

    code = "missing"


class Conflict(MooringError):
    """The request contradicts what is already so."""

    code = "conflict"


class Exhausted(MooringError):
    """A quota, a rate or a queue is used up; ``retry_after_s`` says when to come back, if that helps."""

    code = "exhausted"

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unavailable(MooringError):
    """A part we depend on does not answer or has failed."""

    code = "unavailable"


class StorageFull(Unavailable):
    """The disk has no room for another write; reads still work."""

    code = "storage_full"
