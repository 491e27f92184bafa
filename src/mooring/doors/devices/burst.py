"""uvicorn's WebSocket protocol, faster where it counts: whole text frames in, many small messages out in one write.

A device's frames come as whole, masked text messages; those are cut out here. Whatever else comes (fragments, binary,
close, large or wrong frames) is left to uvicorn from then on. After a commit a device is owed dozens of receipts at
once; a door finds the way to send them together as ``scope["extensions"]["mooring.texts"]``.
Used by giving the class to uvicorn as ``ws=``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined] # the C version where there is one
from websockets.http11 import Request

EXTENSION = "mooring.texts"
SendTexts = Callable[[Iterable[str]], bool]

_FIN_TEXT = 0x81
_PINGS = (0x89, 0x8A)
_HEADS = [bytes((_FIN_TEXT, size)) for size in range(126)]


class BurstProtocol(WebSocketsSansIOProtocol):
    """Reads and writes whole, uncompressed text frames (RFC 6455, 5.2) itself."""

    _whole: bool | None = None
    _rest = b""

    def data_received(self, data: bytes) -> None:
        """Cut whole text frames out of the bytes; all else, and what comes before the upgrade, is uvicorn's."""
        if self._whole is None and self.handshake_initiated:
            # Only a connection that sent nothing while it was being accepted is surely at the start of a frame.
            self._whole = self.handshake_complete and not self.conn.reader.buffer
        if self._whole:
            self._cut(self._rest + data if self._rest else data)
        else:
            super().data_received(data)

    def _cut(self, data: bytes) -> None:
        at, end, limit = 0, len(data), self.config.ws_max_size
        while end - at >= 2:
            first, size, start = data[at], data[at + 1] - 0x80, at + 6
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 8
            if first == _FIN_TEXT and 0 <= size != 127 and size <= limit:
                if start + size > end:
                    break
                text = apply_mask(data[start : start + size], data[start - 4 : start])
                if not self._put(text):
                    return
            elif first in _PINGS and 0 <= size < 126:
                if start + size > end:
                    break
                super().data_received(data[at : start + size])
            else:
                self._whole, self._rest = False, b""
                super().data_received(data[at:])
                return
            at = start + size
        self._rest = data[at:]

    def _put(self, text: bytes) -> bool:
        if self.close_sent:
            return True
        try:
            self.queue.put_nowait({"type": "websocket.receive", "text": text.decode()})
        except UnicodeDecodeError:
            self._whole = False
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return False
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        return True

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
