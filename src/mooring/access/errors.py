"""The refusals of this room, each with a stable code."""

from __future__ import annotations

from mooring.kernel.errors import Conflict, Denied, Exhausted, Invalid, Missing, Unauthenticated


class NotAuthenticated(Unauthenticated):
    """No credential, or none that is valid now; which of the two is not told."""

    code = "not_authenticated"

    def __init__(self) -> None:
        """Say the same to everyone."""
        super().__init__("log in first", hint="send a session cookie, a bearer token or an API key")


class LogInFailed(Unauthenticated):
    """Name and password do not belong together, or nobody of that name may log in."""

    code = "log_in_failed"

    def __init__(self) -> None:
        """Say the same for an unknown name, a wrong password and a disabled account."""
        super().__init__("wrong name or password")


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, used up or over."""

    code = "refresh_refused"

    def __init__(self) -> None:
        """Say the same for every reason."""
        super().__init__("the refresh token is not valid", hint="log in again")


class PermissionMissing(Denied):
    """The caller is known and lacks the permission."""

    code = "permission_missing"


class RegistrationClosed(Denied):
    """New people are added by an administrator here."""

    code = "registration_closed"


class NameTaken(Conflict):
    """Another account has this username or e-mail address."""

    code = "name_taken"


class LogInThrottled(Exhausted):
    """Too many attempts for this account or from this network."""

    code = "log_in_throttled"


class KeysExhausted(Exhausted):
    """The account holds as many API keys as it may."""

    code = "keys_exhausted"


class FieldInvalid(Invalid):
    """A field of an account or key breaks its stated bound."""

    code = "field_invalid"


class PersonUnknown(Missing):
    """There is no such account."""

    code = "person_unknown"


class KeyUnknown(Missing):
    """There is no such API key, or it is somebody else's."""

    code = "key_unknown"
