"""JSON frames: bytes in, ``Frame`` out, receipts back. Strict: no NaN, no lone surrogates, no unbounded depth."""

from __future__ import annotations

from typing import Any

import msgspec

from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Frame, Receipt

_frame = msgspec.json.Decoder(Frame)
_many = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, Any])
_encoder = msgspec.json.Encoder()

MAX_FRAMES = 10_000


class _Envelope(msgspec.Struct):
    frames: list[msgspec.Raw] | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def decode_frame(data: bytes | str | msgspec.Raw) -> Frame:
    """Return the one frame in `data`; raises ``Invalid`` saying where it is wrong."""
    try:
        return _frame.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _invalid(error) from None


def decode_object(data: bytes | str | msgspec.Raw) -> dict[str, Any]:
    """Return a JSON object with all its keys, as a device wrote it."""
    try:
        return _object.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _invalid(error) from None


def frame_of(value: dict[str, Any]) -> Frame:
    """Return the frame in an object that another codec has read; raises ``Invalid`` saying where it is wrong."""
    try:
        return msgspec.convert(value, Frame)
    except (msgspec.MsgspecError, RecursionError, OverflowError) as error:
        raise _invalid(error) from None


def split_array(data: bytes | str) -> list[msgspec.Raw]:
    """Return the elements of a JSON array undecoded, so that one bad frame does not spoil the others."""
    try:
        return _bounded(_many.decode(data))
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _invalid(error) from None


def split_envelope(data: bytes) -> list[msgspec.Raw] | None:
    """Return the frames of ``{"frames": […]}`` undecoded, or None if `data` is a single frame."""
    try:
        frames = _envelope.decode(data).frames
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _invalid(error) from None
    return None if frames is None else _bounded(frames)


def split_lines(data: bytes) -> list[bytes]:
    """Return the non-empty lines of NDJSON."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) > MAX_FRAMES:
        raise Invalid(f"too many frames in one message: {len(lines)}", hint=f"send at most {MAX_FRAMES}")
    return lines


def encode(value: object) -> bytes:
    """Return compact JSON."""
    return _encoder.encode(value)


def encode_receipt(receipt: Receipt) -> str:
    """Return the text of a receipt as sockets send it; the common one without a detour."""
    if receipt.status == "stored" and receipt.seq is not None:
        return f'{{"seq":{receipt.seq},"status":"stored"}}'
    return _encoder.encode(receipt).decode()


def _bounded(frames: list[msgspec.Raw]) -> list[msgspec.Raw]:
    if len(frames) > MAX_FRAMES:
        raise Invalid(f"too many frames in one message: {len(frames)}", hint=f"send at most {MAX_FRAMES}")
    return frames


def _invalid(error: Exception) -> Invalid:
    if isinstance(error, RecursionError):
        return Invalid("nested too deep")
    if isinstance(error, UnicodeError):
        return Invalid("not UTF-8")
    what = "not a frame" if isinstance(error, msgspec.ValidationError) else "not JSON"
    text = str(error)
    return Invalid(f"{what}: {text[:1].lower()}{text[1:200]}")
