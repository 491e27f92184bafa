"""Telemetry over HTTP: ``POST /api/devices/<id>/data`` and, for gateways, ``POST /api/data``.

Plain ASGI, because ten thousand posts a second pass here: body under a limit and a deadline, decode, accept, wait for
the commit, answer with the receipt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from mooring.access.guard import is_key
from mooring.devices.admission import Admission
from mooring.doors.devices.credentials import device_token, plain_token
from mooring.doors.devices.payloads import Payloads, type_named
from mooring.doors.devices.receipts import OneReceipt, Raw, accept_many, choose_only, committed, frame_in, offer
from mooring.doors.problems import problem_of
from mooring.doors.request import read_body, reply
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Invalid, Missing, MooringError
from mooring.kernel.frames import Frame, Receipt
from mooring.kernel.ids import digest_of
from mooring.telemetry.batch import Sink
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import json

COMMIT_DEADLINE_S = 30.0
_STATUS = {"stored": 201, "duplicate": 200, "rejected": 422, "throttled": 429}
_JSON = [(b"content-type", b"application/json")]


class Writers(Protocol):
    """Who, other than the device itself, may post for a device: people and gateways by session or key."""

    async def actor(self, scope: Scope) -> Actor:
        """Return who asks; raises ``Unauthenticated``."""

    async def may_write(self, actor: Actor, device_id: str) -> None:
        """Raise ``Missing`` unless `actor` may post for this device."""


class DataDoor:
    """The HTTP data routes."""

    def __init__(
        self, ingest: Ingest, admission: Admission, writers: Writers, payloads: Payloads, *, max_body: int
    ) -> None:
        self._payloads = payloads
        self._ingest = ingest
        self._admission = admission
        self._writers = writers
        self._max_body = max_body

    async def one_device(self, scope: Scope, receive: Receive, send: Send, device_id: str) -> None:
        """Serve ``POST /api/devices/<id>/data``."""
        try:
            source = await self._source(scope, device_id)
            body = await read_body(scope, receive, self._max_body)
            codec = type_named(_header(scope, b"content-type"))
            if codec is not None:
                await self._coded(send, source, await self._payloads.frames(device_id, codec, body))
                return
            raws = json.split_envelope(body) if b'"frames"' in body else None
            if raws is None:
                await self._single(send, source, body)
            else:
                await _send_many(send, await accept_many(self._ingest, choose_only(source), raws, COMMIT_DEADLINE_S))
        except MooringError as error:
            await reply(send, *problem_of(error))

    async def many_devices(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve ``POST /api/data``: frames that each name their device, as JSON or NDJSON."""
        try:
            actor = await self._writers.actor(scope)
            body = await read_body(scope, receive, self._max_body)
            raws = await self._many(_header(scope, b"content-type"), body)
            if raws is None:
                raise Invalid("no frames", hint='send {"frames": [{"device_id": …}]} or NDJSON')
            allowed = await self._allowed(actor, raws)
            await _send_many(send, await accept_many(self._ingest, allowed, raws, COMMIT_DEADLINE_S))
        except MooringError as error:
            await reply(send, *problem_of(error))

    async def _coded(self, send: Send, source: Source, frames: list[dict[str, Any]]) -> None:
        """Answer frames of another codec as JSON is answered: one frame with its receipt, several with a list."""
        receipts = await accept_many(self._ingest, choose_only(source), frames, COMMIT_DEADLINE_S)
        if len(receipts) == 1:
            await _send(send, status_of(receipts[0]), json.encode(receipts[0]))
        else:
            await _send_many(send, receipts)

    async def _many(self, content_type: bytes, body: bytes) -> Sequence[Raw] | None:
        codec = type_named(content_type)
        if codec is not None:
            return await self._payloads.frames(None, codec, body)
        return json.split_lines(body) if b"ndjson" in content_type else json.split_envelope(body)

    async def _single(self, send: Send, source: Source, body: bytes) -> None:
        if self._ingest.full:
            await self._ingest.room(COMMIT_DEADLINE_S)
        frame = json.decode_frame(body)
        sink = OneReceipt(asyncio.get_running_loop())
        if frame.device_id is not None:
            choose_only(source)(frame)
        offer(self._ingest, source, frame, sink, body)
        receipt: Receipt = await committed(sink.future, COMMIT_DEADLINE_S)
        await _send(send, status_of(receipt), json.encode(receipt))

    def post_at_once(self, headers: Iterable[tuple[bytes, bytes]], device_id: str, body: bytes, sink: Sink) -> bool:
        """Take one frame of a remembered device; False if there is anything unusual about it, and nothing was taken."""
        token = plain_token(headers)
        if token is None or len(body) > self._max_body or b'"frames"' in body or self._ingest.full:
            return False
        device = self._admission.admit_cached(digest_of(token))
        if device is None or device.id != device_id:
            return False
        try:
            frame = json.decode_frame(body)
            if frame.device_id is not None:
                return False
            offer(self._ingest, self._ingest.sources.get(device_id), frame, sink, body)
        except MooringError:
            # The long way finds the same fault and says which.
            return False
        return True

    async def _source(self, scope: Scope, device_id: str) -> Source:
        token = device_token(scope)
        if token is not None and not is_key(token):
            device = self._admission.admit_cached(digest_of(token)) or await self._admission.admit(token)
            if device is not None:
                if device.id != device_id:
                    raise Missing("no such device")
                return self._ingest.sources.get(device_id)
        actor = await self._writers.actor(scope)
        await self._writers.may_write(actor, device_id)
        return self._ingest.sources.get(device_id)

    async def _allowed(self, actor: Actor, raws: Sequence[Raw]) -> Any:
        """Return a chooser of sources; devices not the caller's are told apart frame by frame, all alike."""
        verdicts: dict[str, MooringError | None] = {}
        for raw in raws:
            try:
                device_id = frame_in(raw).device_id
            except Invalid:
                continue
            if device_id is not None and device_id not in verdicts:
                verdicts[device_id] = await self._verdict(actor, device_id)

        def choose(frame: Frame) -> Source:
            if frame.device_id is None:
                raise Invalid("frame names no device", hint="add device_id")
            refused = verdicts.get(frame.device_id)
            if refused is not None:
                raise refused
            return self._ingest.sources.get(frame.device_id)

        return choose

    async def _verdict(self, actor: Actor, device_id: str) -> MooringError | None:
        try:
            await self._writers.may_write(actor, device_id)
        except MooringError as error:
            return error
        return None


def status_of(receipt: Receipt) -> int:
    """Return the HTTP status that says the same as a receipt."""
    reason = receipt.reason or ""
    if receipt.status == "rejected":
        if reason.startswith("storage_full"):
            return 507
        if reason.startswith("unavailable"):
            return 503
        if reason.startswith("seq_conflict"):
            return 409
    return _STATUS[receipt.status]


async def _send_many(send: Send, receipts: list[Receipt]) -> None:
    stored = sum(receipt.stored or 0 for receipt in receipts)
    kinds = {status_of(receipt) for receipt in receipts} or {200}
    status = 201 if 201 in kinds else 200 if kinds == {200} else max(kinds)
    told = [_plain(receipt) for receipt in receipts]
    await _send(send, status, json.encode({"stored": stored, "receipts": told}))


def _plain(receipt: Receipt) -> dict[str, Any]:
    told: dict[str, Any] = {"seq": receipt.seq, "status": receipt.status}
    if receipt.reason is not None:
        told["reason"] = receipt.reason
    if receipt.retry_after_s is not None:
        told["retry_after_s"] = receipt.retry_after_s
    return told


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [*_JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Scope, name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
