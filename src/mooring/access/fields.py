"""Bounds of what people type about themselves; each function answers a clean value or says why not."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mooring.access.errors import FieldInvalid
from mooring.access.model import KEY_SCOPES

PASSWORD_MIN: Final = 8
PASSWORD_MAX: Final = 256
USERNAME_MAX: Final = 64
EMAIL_MAX: Final = 254
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_USERNAME = re.compile(r"[\w](?:[\w.\-]*[\w])?")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\]+\.[^\s@<>\"(),:;\[\]\\.]{2,}")


def username_of(text: str) -> str:
    """Return the username in NFKC; letters and digits of any script, dot, dash and underscore."""
    name = unicodedata.normalize("NFKC", _plain(text, "username", most=USERNAME_MAX)).strip()
    if not 2 <= len(name) <= USERNAME_MAX:
        raise FieldInvalid(f"a username has 2 to {USERNAME_MAX} characters: {len(name)} given")
    if not _USERNAME.fullmatch(name):
        raise FieldInvalid(
            "a username has letters, digits, dots, dashes and underscores only",
            hint="begin and end with a letter or a digit",
        )
    return name


def email_of(text: str) -> str:
    """Return the e-mail address without surrounding space; only its shape is checked."""
    email = unicodedata.normalize("NFKC", _plain(text, "email", most=EMAIL_MAX)).strip()
    if len(email) > EMAIL_MAX or not _EMAIL.fullmatch(email):
        raise FieldInvalid("this does not look like an e-mail address", hint="it should be like name@example.org")
    return email


def password_of(text: str, *, username: str, email: str | None = None) -> str:
    """Return the password as it is; long enough, not the name, not one character over and over."""
    _plain(text, "password", most=PASSWORD_MAX, controls=True)
    if len(text) < PASSWORD_MIN:
        raise FieldInvalid(f"a password has at least {PASSWORD_MIN} characters: {len(text)} given")
    if folded(text) in {folded(username), folded(email or "")}:
        raise FieldInvalid("a password must differ from the name and the e-mail address")
    if len(set(text)) < 3:
        raise FieldInvalid("a password needs at least 3 different characters")
    return text


def label_of(text: str, field: str = "name", *, most: int = 100) -> str:
    """Return a label for people: one line, not empty, at most `most` characters."""
    label = _plain(text, field, most=most).strip()
    if not label:
        raise FieldInvalid(f"this must not be empty: {field}")
    return label


def scopes_of(scopes: list[str]) -> tuple[str, ...]:
    """Return the scopes of a key, each once; an empty list would be a key for nothing."""
    unknown = sorted(set(scopes) - KEY_SCOPES)
    if unknown or not scopes:
        raise FieldInvalid("scopes are some of: " + ", ".join(sorted(KEY_SCOPES)))
    return tuple(sorted(set(scopes)))


def name_key(text: str) -> str | None:
    """Return the key to look a typed name up by; None when nobody can have such a name."""
    try:
        return folded(_plain(text, "name", most=EMAIL_MAX)) or None
    except FieldInvalid:
        return None


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id of ours."""
    return _ID.fullmatch(text) is not None


def folded(text: str) -> str:
    """Return the form under which two spellings are the same name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())


def _plain(text: str, field: str, *, most: int, controls: bool = False) -> str:
    """Refuse what no database, log line or terminal should be handed."""
    if len(text) > most:
        raise FieldInvalid(f"at most {most} characters: {field} has {len(text)}")
    for character in text:
        kind = unicodedata.category(character)
        if character == "\0" or kind == "Cs" or (kind == "Cc" and not controls):
            raise FieldInvalid(f"a character that cannot be stored: {field}")
    return text
