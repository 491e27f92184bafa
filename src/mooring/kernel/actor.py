"""Who is asking: the one description of a caller that every guard and every audit line reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ActorKind = Literal["user", "device", "system"]
Role = Literal["admin", "user", "auditor"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller: a person (by session, token or key), a device by its credential, or the server itself."""

    kind: ActorKind
    id: str
    name: str
    role: Role = "user"
    scopes: frozenset[str] = field(default_factory=lambda: frozenset({"*"}))
    session_id: str | None = None

    @property
    def is_admin(self) -> bool:
        """True for administrators and for the server itself."""
        return self.kind == "system" or (self.kind == "user" and self.role == "admin")


SYSTEM = Actor(kind="system", id="system", name="mooring", role="admin")
