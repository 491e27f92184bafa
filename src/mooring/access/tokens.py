"""Access tokens: JSON Web Tokens as RFC 8725 wants them: one algorithm, explicit type, issuer, audience, short life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import jwt

from mooring.access.errors import NotAuthenticated
from mooring.access.model import ACCESS_TOKEN_LIFETIME
from mooring.kernel.clock import Clock
from mooring.kernel.ids import new_id

ALGORITHM: Final = "HS256"
ISSUER: Final = "mooring"
AUDIENCE: Final = "mooring-api"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - RFC 9068, section 2.1
_LIFETIME_S: Final = int(ACCESS_TOKEN_LIFETIME.total_seconds())
_REQUIRED: Final = ["exp", "iat", "aud", "iss", "jti", "sub", "sid", "typ"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says: whose it is, and of which session."""

    user_id: str
    session_id: str
    expires_at_s: int


class AccessTokens:
    """Signs and reads access tokens with one secret of 256 bits."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        """Keep `secret`, which never leaves this object."""
        self._secret = secret
        self._clock = clock

    def sign(self, user_id: str, session_id: str) -> tuple[str, int]:
        """Return a token of the session and the seconds it lives."""
        now_s = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(),
            "typ": TOKEN_TYPE,
            "iat": now_s,
            "exp": now_s + _LIFETIME_S,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM, headers={"typ": TOKEN_TYPE}), _LIFETIME_S

    def read(self, token: str) -> Claims:
        """Return the claims of a token that is ours and not over; raises NotAuthenticated."""
        try:
            decoded = jwt.decode_complete(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Time is judged below, by our own clock.
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise NotAuthenticated from None
        return self._judged(decoded["payload"], decoded["header"])

    def _judged(self, payload: dict[str, object], header: dict[str, object]) -> Claims:
        user_id, session_id, expires_at_s = payload["sub"], payload["sid"], payload["exp"]
        if header.get("typ") != TOKEN_TYPE or payload["typ"] != TOKEN_TYPE:
            raise NotAuthenticated
        if not isinstance(user_id, str) or not isinstance(session_id, str) or not isinstance(expires_at_s, int):
            raise NotAuthenticated
        if expires_at_s <= self._clock.now().timestamp():
            raise NotAuthenticated
        return Claims(user_id, session_id, expires_at_s)
