"""What waits for one client: the newest text per subject, under a bound; pure but for the socket it asks for room."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

MAX_BYTES = 128 * 1024
BURST_BYTES = 64 * 1024
# A text in a queue costs its packet and its places in lists too.
EACH = 300


class Outbox:
    """Newest texts by subject; a newer one takes the place of an older one, and beyond the bound the oldest go."""

    __slots__ = ("_bytes", "_texts", "dropped")

    def __init__(self) -> None:
        self._texts: dict[Hashable, str] = {}
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def size(self) -> int:
        """Return what the waiting texts cost, in bytes."""
        return self._bytes

    def put(self, subject: Hashable, text: str) -> None:
        """Let `text` wait in place of what was to be said on the same subject."""
        before = self._texts.pop(subject, None)
        if before is not None:
            self._bytes -= len(before) + EACH
        self._texts[subject] = text
        self._bytes += len(text) + EACH
        while self._bytes > MAX_BYTES and len(self._texts) > 1:
            oldest = self._texts.pop(next(iter(self._texts)))
            self._bytes -= len(oldest) + EACH
            self.dropped += 1

    def burst(self) -> Iterator[str]:
        """Take out what may be sent in one go, the oldest first: at least one text, then up to a bound."""
        taken = 0
        while self._texts:
            subject = next(iter(self._texts))
            cost = len(self._texts[subject]) + EACH
            if taken and taken + cost > BURST_BYTES:
                return
            taken += cost
            self._bytes -= cost
            yield self._texts.pop(subject)
