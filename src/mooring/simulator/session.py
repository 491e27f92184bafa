"""One device's session on ``/ws/device``: the reference for keeping every frame until its receipt.

Frames are numbered within this start of the device (`boot_id`), sent in order, re-sent after a lost connection,
and forgotten only when the server says ``stored``, ``duplicate`` or ``rejected``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mooring.kernel.clock import Clock
from mooring.kernel.ids import new_id
from mooring.simulator.errors import TokenRefused
from mooring.simulator.faults import Faults, Mischief
from mooring.simulator.receipts import PASSING_CODES, comes_again, retry_after_s
from mooring.simulator.spool import CAPACITY, Spool
from mooring.simulator.tally import Tally
from mooring.simulator.waiting import Backoff, wait_until

Obey = Callable[[str, dict[str, Any]], tuple[bool, str]]
"""Carry out (command_type, parameters) and return whether it was done and a sentence about it."""

MOST_REFUSALS = 3
REMEMBERED_COMMANDS = 64


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Bounds and deadlines of a session."""

    window: int = 256
    batch: int = 32
    capacity: int = CAPACITY
    open_s: float = 10.0
    resume_s: float = 5.0
    send_s: float = 15.0
    receipt_s: float = 30.0
    retry_s: float = 5.0
    drain_s: float = 5.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
    strikes: int = 3


@dataclass(frozen=True, slots=True)
class Line:
    """Where a session goes and as whom; `proxied` lets an environment's proxy be used."""

    url: str
    token: str
    proxied: bool = False
    boot_id: str = field(default_factory=lambda: new_id()[:13])


class Session:
    """Offer frames at any time; `run` carries them to the server until `stop`."""

    def __init__(
        self,
        line: Line,
        clock: Clock,
        *,
        tally: Tally | None = None,
        limits: SessionLimits | None = None,
        faults: Faults | None = None,
        rng: random.Random | None = None,
        obey: Obey | None = None,
    ) -> None:
        self.line = line
        self.tally = tally or Tally()
        self.limits = limits or SessionLimits()
        self.last_seq_there: int | None = None
        self._clock = clock
        self._rng = rng or random.Random()
        self._mischief = Mischief(faults or Faults(), self._rng)
        self._obey = obey
        self._commands: dict[str, dict[str, Any]] = {}
        self._spool = Spool(self.limits.capacity)
        self._seq = 0
        self._pause_until = 0.0
        self._stop_by = 0.0
        self._opened = False
        self._trouble_seen = False
        self._answered = False
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._resumed = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def outstanding(self) -> int:
        """How many frames have no receipt yet."""
        return len(self._spool)

    def offer(self, frame: dict[str, Any]) -> int:
        """Number a frame, keep it, and have it sent; return its number."""
        self._seq += 1
        body = msgspec.json.encode({"seq": self._seq, "boot_id": self.line.boot_id, **frame})
        before = self._spool.dropped
        self._spool.add(self._seq, body, self._clock.monotonic() + self._mischief.delay_s())
        self.tally.dropped += self._spool.dropped - before
        self.tally.offered += 1
        self._drained.clear()
        self._wake.set()
        return self._seq

    def stop(self) -> None:
        """Have `run` deliver what is outstanding, for a few seconds at most, and return."""
        self._stop_by = self._clock.monotonic() + self.limits.drain_s
        self._stopping.set()

    async def run(self) -> None:
        """Stay connected until stopped; raises TokenRefused when the server will not have the token."""
        backoff = Backoff(self._rng, first_s=self.limits.first_backoff_s, longest_s=self.limits.longest_backoff_s)
        refusals = 0
        while True:
            self._answered = False
            try:
                await self._connect_once()
                refusals = 0
            except TokenRefused:
                refusals += 1
                if refusals >= MOST_REFUSALS:
                    raise
            if self._finished():
                return
            if self._answered:
                backoff.reset()
            if self._stopping.is_set():
                await self._clock.sleep(min(backoff.next_s(), self._drain_left_s()))
            else:
                await wait_until(self._stopping, self._clock, backoff.next_s())
            if self._finished():
                return

    def _finished(self) -> bool:
        return self._stopping.is_set() and (not self._spool or self._drain_left_s() <= 0)

    def _drain_left_s(self) -> float:
        return max(0.0, self._stop_by - self._clock.monotonic())

    async def _connect_once(self) -> None:
        socket = await self._open()
        if socket is None:
            return
        self.tally.reconnects += self._opened
        self._opened = True
        self.tally.connected += 1
        try:
            await self._converse(socket)
        finally:
            self.tally.connected -= 1
            self._spool.put_all_back(self._clock.monotonic())

    async def _open(self) -> ClientConnection | None:
        try:
            return await connect(
                self.line.url,
                additional_headers={"Authorization": f"Bearer {self.line.token}"},
                compression=None,
                proxy=True if self.line.proxied else None,
                open_timeout=self.limits.open_s,
                close_timeout=2.0,
                max_size=1 << 20,
            )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            if status in (401, 403):
                raise TokenRefused(
                    f"the server refused a device's token: HTTP status {status}",
                    hint="is another simulator running with the same names?",
                ) from refusal
            self.tally.last_reason = f"HTTP status {status}"
        except (OSError, TimeoutError, WebSocketException) as failure:
            self.tally.last_reason = str(failure) or type(failure).__name__
        return None

    async def _converse(self, socket: ClientConnection) -> None:
        self._resumed.clear()
        self._trouble_seen = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(socket))
                tasks.create_task(self._send(socket))
                tasks.create_task(self._watch(socket))
                tasks.create_task(self._close_when_stopped(socket))
        except* (ConnectionClosed, OSError, TimeoutError) as ended:
            if not self._stopping.is_set():
                self.tally.last_reason = str(ended.exceptions[0]) or type(ended.exceptions[0]).__name__
        finally:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with asyncio.timeout(3.0):
                    await socket.close()

    async def _send(self, socket: ClientConnection) -> None:
        await self._write(socket, msgspec.json.encode({"type": "resume", "boot_id": self.line.boot_id}))
        # A server that does not know the question is no reason to keep silent.
        await wait_until(self._resumed, self._clock, self.limits.resume_s)
        while True:
            self._wake.clear()
            now = self._clock.monotonic()
            room = 0 if now < self._pause_until else self.limits.window - self._spool.in_flight
            taken = self._spool.take(now, min(room, self.limits.batch))
            if not taken:
                await wait_until(self._wake, self._clock, self._next_wait_s(now, room))
                continue
            bodies = [entry.body for entry in taken]
            message = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
            self.tally.sent += len(bodies)
            await self._write(socket, message)
            if self._mischief.sends_twice():
                self.tally.sent += len(bodies)
                await self._write(socket, message)
            if self._mischief.drops_socket():
                socket.transport.abort()

    def _next_wait_s(self, now: float, room: int) -> float | None:
        if now < self._pause_until:
            return self._pause_until - now
        due = self._spool.next_at() if room > 0 else None
        return None if due is None else max(0.001, due - now)

    async def _write(self, socket: ClientConnection, message: bytes) -> None:
        async with asyncio.timeout(self.limits.send_s):
            await socket.send(message, text=True)

    async def _receive(self, socket: ClientConnection) -> None:
        # Silence is bounded by the library's pings, and a missing receipt by `_watch`.
        while True:
            try:
                said = msgspec.json.decode(await socket.recv())
            except msgspec.DecodeError:
                self.tally.last_reason = "the server sent something that is not JSON"
                continue
            for item in said if isinstance(said, list) else [said]:
                if isinstance(item, dict):
                    await self._hear(socket, item)

    async def _hear(self, socket: ClientConnection, item: dict[str, Any]) -> None:
        if item.get("type") == "resume":
            self.last_seq_there = item.get("last_seq")
            self._answered = True
            self._resumed.set()
        elif item.get("type") == "command":
            await self._command(socket, item)
        elif isinstance(item.get("status"), str) and isinstance(item.get("seq"), int):
            self._answered = True
            self._receipt(item["seq"], item["status"], item)
        elif "error" in item or "code" in item:
            self._trouble_seen |= str(item.get("code")) not in PASSING_CODES
            self.tally.last_reason = str(item.get("error") or item.get("code"))

    def _receipt(self, seq: int, status: str, receipt: dict[str, Any]) -> None:
        if comes_again(receipt):
            self._try_later(seq, receipt)
            return
        self.tally.duplicates += status == "duplicate"
        if self._spool.settle(seq) is None:
            self.tally.stray += 1
        elif status == "rejected":
            self.tally.rejected += 1
            self.tally.last_reason = str(receipt.get("reason") or "rejected")
        else:
            self.tally.acked += 1
        if not self._spool:
            self._drained.set()
        self._wake.set()

    def _try_later(self, seq: int, receipt: dict[str, Any]) -> None:
        until = self._clock.monotonic() + retry_after_s(receipt, self.limits.retry_s)
        self.tally.throttled += 1
        self.tally.last_reason = str(receipt.get("reason") or "throttled")
        self._pause_until = max(self._pause_until, until)
        self._spool.put_back(seq, until)
        self._wake.set()

    async def _command(self, socket: ClientConnection, item: dict[str, Any]) -> None:
        """Carry out a command once, however often it is delivered, and answer each delivery."""
        command_id = str(item.get("id"))
        result = self._commands.get(command_id)
        if result is None:
            done, response = (False, "this device takes no commands")
            if self._obey is not None:
                done, response = self._obey(str(item.get("command_type")), dict(item.get("parameters") or {}))
            status = "executed" if done else "failed"
            result = {"type": "command_result", "id": item.get("id"), "status": status, "response": response}
            self._commands[command_id] = result
            if len(self._commands) > REMEMBERED_COMMANDS:
                del self._commands[next(iter(self._commands))]
        await self._write(socket, msgspec.json.encode(result))

    async def _watch(self, socket: ClientConnection) -> None:
        """Give up a connection on which a receipt is overdue; a frame that causes this again and again goes."""
        while True:
            await self._clock.sleep(min(1.0, self.limits.receipt_s / 4))
            oldest = self._spool.oldest_in_flight()
            if oldest is None or oldest.sent_at is None:
                continue
            if self._clock.monotonic() - oldest.sent_at < self.limits.receipt_s:
                continue
            oldest.strikes += self._trouble_seen
            if oldest.strikes >= self.limits.strikes:
                self._spool.settle(oldest.seq)
                self.tally.rejected += 1
            socket.transport.abort()
            raise TimeoutError("no receipt in time")

    async def _close_when_stopped(self, socket: ClientConnection) -> None:
        await self._stopping.wait()
        if self._spool:
            await wait_until(self._drained, self._clock, self._drain_left_s())
        await socket.close()
