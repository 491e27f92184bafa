"""Cutting a stream of JSON objects that nobody framed: joined, split anywhere, or on lines of their own.

Only the cutting happens here: braces are counted outside of strings, and whatever lies between two objects is passed
over and counted. An object that cannot end — a line break inside a string, too deep, too long — is given up, and the
search for the next ``{`` goes on behind it.
"""

from __future__ import annotations

import re

MAX_OBJECT = 65_536
MAX_DEPTH = 16
_OUTSIDE = re.compile(rb'\{+|[}"]')
_INSIDE = re.compile(rb'["\\\x00-\x1f]')
_QUIET = b" \t\r\n,\x1e\x00"


class ObjectStream:
    """Gives whole top-level objects as they end; holds at most one unfinished one, of at most `most` bytes."""

    __slots__ = ("_at", "_depth", "_held", "_in_text", "_most", "skipped")

    def __init__(self, most: int = MAX_OBJECT) -> None:
        self._most = most
        self._held = b""
        self._at = 0
        self._depth = 0
        self._in_text = False
        self.skipped = 0

    @property
    def pending(self) -> int:
        """Return how many bytes of an unfinished object are kept."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; return the objects that are whole now, in order."""
        held = self._held + data if self._held else data
        found: list[bytes] = []
        start = 0
        while True:
            if not self._depth:
                start = self._open(held, start)
                if start < 0:
                    self._held, self._at = b"", 0
                    return found
            end = self._close(held)
            if end is None:
                break
            if self._depth:  # given up: look for the next object behind the place where it went wrong
                self._reset(end)
                self.skipped += end - start
            else:
                found.append(held[start:end])
            start = end
        self._held = held[start:]
        self._at -= start
        if len(self._held) > self._most:
            self._give_up()
        return found

    def _open(self, held: bytes, at: int) -> int:
        """Find where the next object begins, counting what is passed over; -1 if there is none."""
        start = held.find(b"{", at)
        passed = held[at:] if start < 0 else held[at:start]
        self.skipped += len(passed.translate(None, _QUIET))
        if start >= 0:
            self._depth, self._at = 1, start + 1
        return start

    def _close(self, held: bytes) -> int | None:
        """Walk on to the end of the object; None if it has not come, depth left over if it never can."""
        at = self._at
        while True:
            match = (_INSIDE if self._in_text else _OUTSIDE).search(held, at)
            if match is None:
                self._at = len(held)
                return None
            at = match.end()
            if self._in_text and match[0] == b"\\":
                if at >= len(held):
                    self._at = at - 1
                    return None
                at += 1
            elif self._turn(match[0]):
                return at

    def _turn(self, sign: bytes) -> bool:
        """Take a sign that matters, or a row of braces; True if the object ends here, or can never end."""
        if sign == b'"':
            self._in_text = not self._in_text
            return False
        if self._in_text:
            return True
        self._depth += -1 if sign == b"}" else len(sign)
        return not 0 < self._depth <= MAX_DEPTH

    def _reset(self, at: int) -> None:
        self._depth, self._in_text, self._at = 0, False, at

    def _give_up(self) -> None:
        """Let go of an object that has grown too long; what is left of it is passed over up to the next brace."""
        self.skipped += len(self._held)
        self._held = b""
        self._reset(0)
