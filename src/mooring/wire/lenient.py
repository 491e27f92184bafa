"""JSON as lenient readers take it: names and text without quotes or in single ones, comments, ``;`` and ``=``.

What a shell leaves of ``{"temperature":25}`` is ``{temperature:25}``, and devices in the field send it. Depth is
bounded, numbers must be finite, time is linear in the text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mooring.kernel.errors import Invalid

MAX_DEPTH: Final = 32
_SPACE: Final = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*|#[^\n]*|/\*[\s\S]*?\*/)*")
_WORD: Final = re.compile(r"[^/\\;#={}\[\]:, \t\f\r\n\"']+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN: Final = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: Final = {"true": True, "false": False, "null": None}
_GUARD: Final = ")]}'\n"
_MAX_DIGITS: Final = 1000


def parse_lenient(text: str) -> Any:
    """Return the one value in `text`; raises ``Invalid`` saying where it is wrong."""
    reader = _Reader(text.removeprefix("\ufeff").removeprefix(_GUARD))
    value = reader.value(0)
    reader.skip()
    if reader.at != len(reader.text):
        raise reader.wrong("something behind the value")
    return value


class _Reader:
    """A place in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def wrong(self, what: str) -> Invalid:
        return Invalid(f"not JSON: {what} at character {self.at}")

    def skip(self) -> str:
        """Go past white space and comments; return the next character, nothing at the end."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        char = self.skip()
        if not char:
            raise self.wrong("nothing")
        if char in "{[" and depth >= MAX_DEPTH:
            raise Invalid(f"nested deeper than {MAX_DEPTH}")
        if char == "{":
            return self.members(depth)
        if char == "[":
            return self.elements(depth)
        if char in "\"'":
            return self.quoted(char)
        return self.literal(self.word())

    def members(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        if self.skip() == "}":
            self.at += 1
            return found
        while True:
            char = self.skip()
            name = self.quoted(char) if char and char in "\"'" else self.word()
            self.colon()
            found[name] = self.value(depth + 1)
            if self.ended("}"):
                return found

    def colon(self) -> None:
        char = self.skip()
        if not char or char not in ":=":
            raise self.wrong("no colon behind a name")
        self.at += 2 if self.text.startswith("=>", self.at) else 1

    def elements(self, depth: int) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        if self.skip() == "]":
            self.at += 1
            return found
        while True:
            char = self.skip()
            # An element left out is null, as in [1,,2].
            found.append(None if char and char in ",;]" else self.value(depth + 1))
            if self.ended("]"):
                return found

    def ended(self, closing: str) -> bool:
        """Go past what separates or closes; tell which it was."""
        char = self.skip()
        if not char or char not in (closing, ",", ";"):
            raise self.wrong(f"neither a comma nor {closing}")
        self.at += 1
        return char == closing

    def quoted(self, quote: str) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            found = _PLAIN[quote].match(self.text, self.at)
            assert found is not None  # noqa: S101 - it matches nothing at least
            parts.append(found[0])
            self.at = found.end() + 1
            if found.end() >= len(self.text):
                raise self.wrong("text without an end")
            if self.text[found.end()] == quote:
                return _whole("".join(parts))
            parts.append(self.escape())

    def escape(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == "u":
            digits = self.text[self.at : self.at + 4]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise self.wrong("an escape that is none")
            self.at += 4
            return chr(int(digits, 16))
        if not char:
            raise self.wrong("text without an end")
        return _ESCAPES.get(char, char)

    def word(self) -> str:
        found = _WORD.match(self.text, self.at)
        if found is None:
            raise self.wrong("an unexpected character")
        self.at = found.end()
        return found[0]

    def literal(self, word: str) -> Any:
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        number = _NUMBER.fullmatch(word)
        if number is None:
            if word in ("NaN", "Infinity", "-Infinity"):
                raise Invalid(f"not a finite number: {word}")
            return word
        if len(word) > _MAX_DIGITS:
            raise Invalid("a number of too many digits")
        return _number(word, number[1], number[2])


def _number(word: str, decimals: str | None, exponent: str | None) -> Any:
    if decimals is None and exponent is None:
        return int(word)
    if decimals is not None and exponent is None and len(decimals) > 17:
        # More than 16 places say more than a double can.
        return word
    value = float(word)
    if value - value != 0:
        raise Invalid(f"not a finite number: {word[:40]}")
    return value


def _whole(text: str) -> str:
    """Return text whose surrogates stand in pairs."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Invalid("text with half a surrogate pair") from None
    return text
