"""Bodies of contract C, form or JSON, and the answers its clients read, word for word. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from mooring.kernel.errors import Invalid
from mooring.wire import json

REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NOT_TEXT = "Not a valid string."
INVALID_VALUE = "invalid value"
WRONG_LOGIN = {"detail": "No active account found with the given credentials"}
TOKEN_INVALID = {"detail": "Token is invalid or expired", "code": "token_not_valid"}
NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}
BAD_CREDENTIALS = {"detail": "Given token not valid for any token type", "code": "token_not_valid"}
NOT_ALLOWED = {"detail": "You do not have permission to perform this action."}
WRONG_PAIR = {"data": ["invalid data"]}
NOT_CONNECTED = {"robot": ["robot is not connected"]}
COMMANDS = ("auto", "idle", "error", "manual")
_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100


class Refused(Invalid):
    """The request is answered with a status and a body of the contract."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def fields_of(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a body; raises Refused with what the contract says about bodies."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == _FORM or (not kind and body[:1] not in (b"{", b"[")):
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        return json.decode_object(body) if body else {}
    except (ValueError, UnicodeError):
        raise Refused(400, {"detail": "Form parse error"}) from None
    except Invalid as error:
        raise Refused(400, {"detail": f"JSON parse error - {error.message}"}) from None


def texts(fields: dict[str, Any], *names: str, strip: bool = True) -> list[str]:
    """Return the named fields as text; raises Refused telling what is wrong with each."""
    wrong: dict[str, list[str]] = {}
    found = []
    for name in names:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            wrong[name] = [REQUIRED]
        elif not isinstance(value, str):
            wrong[name] = [NOT_TEXT]
        elif not value.strip():
            wrong[name] = [BLANK]
        else:
            found.append(value.strip() if strip else value)
    if wrong:
        raise Refused(400, wrong)
    return found
