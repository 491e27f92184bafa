"""JSON of this room, in and out. What is not named here cannot be set: id, role, quota and status come from us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, PlainSerializer, model_validator

from mooring.access.model import ApiKey, LogIn, User, permissions_of
from mooring.kernel.clock import iso

Text = Annotated[str, Field(max_length=1024)]
Moment = Annotated[datetime, PlainSerializer(iso, return_type=str, when_used="json")]
MomentIn = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]


class RegisterIn(BaseModel):
    """A new account."""

    username: Text
    email: Text
    password: Text


class LogInIn(BaseModel):
    """Username or e-mail address, in either field, and the password."""

    username: Text | None = None
    email: Text | None = None
    password: Text

    @model_validator(mode="after")
    def _somebody(self) -> LogInIn:
        if not (self.username or self.email):
            raise ValueError("username or email is needed")
        return self

    @property
    def name(self) -> str:
        """What the person typed to be known by."""
        return self.username or self.email or ""


class RefreshIn(BaseModel):
    """A refresh token, usable once."""

    refresh_token: Text


class KeyIn(BaseModel):
    """A new API key."""

    name: Text
    scopes: list[Text] = Field(default=["*"], max_length=16)
    expires_at: MomentIn | None = None


class UserOut(BaseModel):
    """A person's account; ``api_key`` is how the first key begins, the rest is not kept."""

    id: str
    username: str
    email: str | None
    role: Literal["admin", "user", "auditor"]
    first_name: str
    last_name: str
    is_active: bool
    created_at: Moment
    device_quota: int
    api_key: str | None


class LogInOut(BaseModel):
    """What a log-in hands out; the session cookie comes beside it."""

    user: UserOut
    permissions: list[str]
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    refresh_token: str
    expires_in: int


class RegisteredOut(LogInOut):
    """A log-in, and the new account's API key, shown this once."""

    api_key: str


class Used(BaseModel):
    """A limit and how much of it is used."""

    limit: int
    used: int


class Quota(BaseModel):
    """What the account may use."""

    devices: Used


class AccountOut(BaseModel):
    """Who the caller is, and what they may do."""

    user: UserOut
    quota: Quota
    permissions: list[str]


class KeyOut(BaseModel):
    """An API key without its secret."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class KeyCreatedOut(KeyOut):
    """A new API key; ``key`` is shown this once."""

    key: str


class KeysOut(BaseModel):
    """The caller's API keys."""

    items: list[KeyOut]
    total: int
    next: str | None = None


def user_out(user: User, keys: list[ApiKey]) -> UserOut:
    """Render an account."""
    return UserOut(
        id=user.id,
        username=user.username,
        email=user.email,
        role=user.role,
        first_name=user.first_name,
        last_name=user.last_name,
        is_active=user.is_active,
        created_at=user.created_at,
        device_quota=user.device_quota,
        api_key=f"{keys[0].prefix}…" if keys else None,
    )


def log_in_out(log_in: LogIn, keys: list[ApiKey]) -> LogInOut:
    """Render a log-in."""
    return LogInOut(
        user=user_out(log_in.user, keys),
        permissions=permissions_of(log_in.user.role),
        access_token=log_in.access_token,
        refresh_token=log_in.refresh_token,
        expires_in=log_in.expires_in_s,
    )


def key_out(key: ApiKey) -> KeyOut:
    """Render a key."""
    return KeyOut(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=list(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
