"""Reading a request body under a limit and a deadline, and writing a plain answer, on bare ASGI."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from mooring.doors.deadlines import within
from mooring.kernel.errors import Invalid, MooringError

BODY_DEADLINE_S = 30.0


class BodyTooLarge(Invalid):
    """The body is larger than this route takes."""

    code = "body_too_large"


class EncodingUnsupported(Invalid):
    """The body is packed: a few bytes of it could unfold to any size."""

    code = "unsupported_encoding"


class BodyTooSlow(MooringError):
    """The body did not arrive in time."""

    code = "body_too_slow"


class Gone(Invalid):
    """The client went away before its request was complete."""

    code = "client_gone"


async def read_body(scope: Scope, receive: Receive, limit: int, deadline_s: float = BODY_DEADLINE_S) -> bytes:
    """Return the whole body; raises ``BodyTooLarge`` before reading more than `limit` bytes, or a refusal."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise BodyTooLarge(f"body is larger than {limit} bytes", hint="send fewer frames at once")
        if name == b"content-encoding" and value.lower() != b"identity":
            raise EncodingUnsupported("content-encoding is not supported here", hint="send the body as it is")
    try:
        with within(deadline_s):
            return await _collect(receive, limit)
    except TimeoutError:
        raise BodyTooSlow(f"the body did not arrive within {deadline_s:g} s") from None


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone("client went away")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(f"body is larger than {limit} bytes", hint="send fewer frames at once")
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the body already read, then what the connection says."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


async def reply(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    """Send a complete answer."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
