"""The bare loop: the same server, the same frames, the same receipts, no storage. ``python -m bench.bare.app``.

``ws /ws/device`` is plain ASGI, ``POST /api/devices/<id>/data`` a plain Starlette route; both decode with msgspec.
"""

from __future__ import annotations

import socket
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mooring.kernel.frames import Frame, Receipt

_decode = msgspec.json.Decoder(Frame).decode
_encode = msgspec.json.Encoder().encode


async def data(request: Request) -> Response:
    """Answer one frame over HTTP."""
    frame = _decode(await request.body())
    receipt = Receipt(frame.seq, "stored", stored=len(frame.sensor_readings or ()))
    return Response(_encode(receipt), 201, media_type="application/json")


async def ready(_: Request) -> Response:
    """Say that it serves."""
    return Response(b"{}", media_type="application/json")


_http = Starlette(
    routes=[Route("/api/devices/{device_id}/data", data, methods=["POST"]), Route("/readyz", ready)],
)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every frame of a socket as it comes; HTTP goes to Starlette."""
    if scope["type"] != "websocket":
        await _http(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        frame = _decode(message["text"])
        await send({"type": "websocket.send", "text": _encode(Receipt(frame.seq, "stored")).decode()})


def main() -> None:
    """Serve on a free port with the settings of the real server and print the `ready:` line."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        lifespan="off",
    )
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
