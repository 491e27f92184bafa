"""uvicorn's WebSocket protocol with one thing more: many small text messages in one write.

After a commit a device is owed dozens of receipts at once; sent one by one they cost more than storing the frames.
Used by giving the class to uvicorn as ``ws=``; a door finds it as ``scope["extensions"]["mooring.texts"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION = "mooring.texts"
SendTexts = Callable[[Iterable[str]], bool]

_FIN_TEXT = 0x81
_HEADS = [bytes((_FIN_TEXT, size)) for size in range(126)]


class BurstProtocol(WebSocketsSansIOProtocol):
    """Sends unmasked, unfragmented, uncompressed text frames (RFC 6455, 5.2) straight to the transport."""

    def handle_connect(self, event: Request) -> None:
        """Offer ``send_texts`` to the application of this connection, which starts after this call."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][EXTENSION] = self.send_texts

    def send_texts(self, texts: Iterable[str]) -> bool:
        """Write `texts` as one message each; False, and nothing written, if the peer does not read or is gone."""
        if self.disconnected or self.close_sent or not self.writable.is_set():
            return False
        parts: list[bytes] = []
        for text in texts:
            data = text.encode()
            parts.append(_HEADS[len(data)] if len(data) < 126 else _head(len(data)))
            parts.append(data)
        self.transport.write(b"".join(parts))
        return True


def _head(size: int) -> bytes:
    if size < 1 << 16:
        return bytes((_FIN_TEXT, 126)) + size.to_bytes(2, "big")
    return bytes((_FIN_TEXT, 127)) + size.to_bytes(8, "big")


def texts_of(scope: Scope) -> SendTexts:
    """Return the connection's way to send many messages; it always declines where uvicorn's own protocol serves."""
    send: SendTexts = scope.get("extensions", {}).get(EXTENSION, _decline)
    return send


def _decline(_: Iterable[str]) -> bool:
    return False
