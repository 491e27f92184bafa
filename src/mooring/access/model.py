"""People, sessions and API keys as values, and the pure decisions about them: who may do what, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mooring.access.errors import PermissionMissing
from mooring.kernel.actor import Actor, Role

DEFAULT_DEVICE_QUOTA: Final = 50
SESSION_LIFETIME: Final = timedelta(days=14)
ACCESS_TOKEN_LIFETIME: Final = timedelta(minutes=10)
MAX_KEYS: Final = 100

_READ = ("devices:read", "data:read")
_OWN = (*_READ, "devices:write", "data:write", "keys:manage")
PERMISSIONS: Final[dict[Role, tuple[str, ...]]] = {
    "auditor": (*_READ, "keys:manage"),
    "user": _OWN,
    "admin": (*_OWN, "users:manage", "server:manage"),
}
# A key may carry less than its owner, never more; managing keys and people needs the whole owner.
KEY_SCOPES: Final = frozenset({"*", "devices:read", "devices:write", "data:read", "data:write"})


@dataclass(frozen=True, slots=True)
class User:
    """A person's account, without any secret."""

    id: str
    username: str
    email: str | None
    role: Role
    is_active: bool
    device_quota: int
    created_at: datetime
    last_login_at: datetime | None = None
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one person, until ``expires_at`` or until it is ended."""

    id: str
    user_id: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """True until the session was ended or is over."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that stands for its owner; the key itself is shown once and not kept."""

    id: str
    user_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """True until the key is over."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class LogIn:
    """What a successful log-in or refresh hands out; ``session_token`` is for the cookie and None on a refresh.

    Its secrets stay out of its own text, which may end in a log.
    """

    user: User
    session_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """From where a person comes: the network address and what the browser calls itself."""

    address: str = ""
    user_agent: str = ""


def permissions_of(role: Role, scopes: frozenset[str] = frozenset({"*"})) -> list[str]:
    """Return what a caller of `role` with `scopes` may do, in a fixed order."""
    return [permission for permission in PERMISSIONS[role] if "*" in scopes or permission in scopes]


def may(actor: Actor, permission: str) -> bool:
    """Tell whether `actor` has `permission`; the server itself has every one."""
    return actor.kind == "system" or permission in permissions_of(actor.role, actor.scopes)


def require(actor: Actor, permission: str) -> None:
    """Raise PermissionMissing unless `actor` has `permission`."""
    if not may(actor, permission):
        raise PermissionMissing(f"this needs a permission you do not have: {permission}")


def actor_by_session(user: User, session_id: str) -> Actor:
    """Return the caller who came by a session, with all of the person's rights."""
    return Actor(kind="user", id=user.id, name=user.username, role=user.role, session_id=session_id)


def actor_by_key(user: User, key: ApiKey) -> Actor:
    """Return the caller who came by an API key; ``session_id`` is the key's id, so revoking it ends his sockets."""
    return Actor(
        kind="user",
        id=user.id,
        name=user.username,
        role=user.role,
        scopes=frozenset(key.scopes),
        session_id=key.id,
    )
