"""Accounts: adding people, their passwords, who is the administrator, who is shut out."""

from __future__ import annotations

import secrets

from mooring.access import store
from mooring.access.admissions import Admissions
from mooring.access.errors import FieldInvalid, NameTaken, PersonUnknown
from mooring.access.fields import email_of, password_of, username_of
from mooring.access.model import DEFAULT_DEVICE_QUOTA, PERMISSIONS, User
from mooring.access.passwords import Passwords
from mooring.kernel.actor import Role
from mooring.kernel.clock import Clock
from mooring.kernel.ids import new_id
from mooring.storage.database import Database

MAX_DEVICE_QUOTA = 1_000_000


class People:
    """What can be done to accounts, by registration, by an administrator or by the command line."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords, admissions: Admissions) -> None:
        """Work on `database`; put people out through `admissions`."""
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._admissions = admissions

    async def add(
        self,
        username: str,
        password: str,
        *,
        email: str | None = None,
        role: Role = "user",
        device_quota: int = DEFAULT_DEVICE_QUOTA,
    ) -> User:
        """Make an account; raises FieldInvalid or NameTaken."""
        user = self._new(username, email, role, device_quota)
        password_of(password, username=user.username, email=user.email)
        password_hash = await self._passwords.hash(password)
        async with self._database.writing() as connection:
            await store.add_user(connection, user, password_hash)
        return user

    async def ensure_admin(self, username: str, password: str | None = None) -> str | None:
        """Make the first administrator if there is none; return the password when it had to be made up."""
        if await self.first_admin() is not None:
            return None
        chosen = password or secrets.token_urlsafe(15)
        try:
            await self.add(username, chosen, role="admin")
        except NameTaken as taken:
            if await self.first_admin() is not None:
                return None  # Another node was first.
            raise NameTaken(
                f"the administrator's name belongs to an ordinary account: {username}",
                hint="choose another with MOORING_ADMIN_USERNAME",
            ) from taken
        return None if password else chosen

    async def first_admin(self) -> User | None:
        """Return the oldest active administrator."""
        async with self._database.reading() as connection:
            return await store.first_admin(connection)

    async def by_id(self, user_id: str) -> User:
        """Return an account; raises PersonUnknown."""
        async with self._database.reading() as connection:
            user = await store.user_by_id(connection, user_id)
        if user is None:
            raise PersonUnknown("no such account")
        return user

    async def by_name(self, name: str) -> User:
        """Return the account of a username or e-mail address; raises PersonUnknown."""
        async with self._database.reading() as connection:
            found = await store.user_by_name(connection, name)
        if found is None:
            raise PersonUnknown(f"no such account: {name}")
        return found[0]

    async def list(self, *, limit: int = 200, offset: int = 0) -> tuple[list[User], int]:
        """Return accounts by name, and how many there are in all."""
        async with self._database.reading() as connection:
            return await store.list_users(connection, limit=limit, offset=offset)

    async def set_password(self, user_id: str, password: str, *, keep_session: str | None = None) -> None:
        """Give an account a new password and end its sessions, except `keep_session`."""
        user = await self.by_id(user_id)
        password_of(password, username=user.username, email=user.email)
        password_hash = await self._passwords.hash(password)
        now = self._clock.now()
        async with self._database.writing() as connection:
            await store.change_user(connection, user_id, password_hash=password_hash, password_changed_at=now)
            ended = await store.end_sessions(connection, user_id, now, keep=keep_session)
        for session_id in ended:
            self._admissions.put_out(user_id, session_id)

    async def set_active(self, user_id: str, active: bool) -> None:
        """Shut an account out, ending its sessions and silencing its keys at once, or let it in again."""
        async with self._database.writing() as connection:
            await store.change_user(connection, user_id, is_active=active)
            if not active:
                await store.end_sessions(connection, user_id, self._clock.now())
        self._admissions.put_out(user_id)

    async def set_role(self, user_id: str, role: Role) -> None:
        """Give an account another role; open sockets close and come back with it."""
        async with self._database.writing() as connection:
            await store.change_user(connection, user_id, role=_known_role(role))
        self._admissions.put_out(user_id)

    async def set_device_quota(self, user_id: str, devices: int) -> None:
        """Say how many devices an account may have."""
        async with self._database.writing() as connection:
            await store.change_user(connection, user_id, device_quota=_quota(devices))

    async def device_quota(self, user_id: str) -> int:
        """Return how many devices an account may have; raises PersonUnknown."""
        return (await self.by_id(user_id)).device_quota

    def _new(self, username: str, email: str | None, role: Role, device_quota: int) -> User:
        return User(
            id=new_id(),
            username=username_of(username),
            email=email_of(email) if email else None,
            role=_known_role(role),
            is_active=True,
            device_quota=_quota(device_quota),
            created_at=self._clock.now(),
        )


def _known_role(role: Role) -> Role:
    if role not in PERMISSIONS:
        raise FieldInvalid(f"no such role: {role}", hint="roles are: " + ", ".join(sorted(PERMISSIONS)))
    return role


def _quota(devices: int) -> int:
    if not 0 <= devices <= MAX_DEVICE_QUOTA:
        raise FieldInvalid(f"a device quota is between 0 and {MAX_DEVICE_QUOTA}: {devices}")
    return devices
