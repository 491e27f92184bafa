"""One robot of contract C on its two channels: it obtains a token, sends frames, counts confirmations, obeys."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass, field

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mooring.kernel.clock import Clock, iso
from mooring.simulator.errors import ServerUnreachable, TokenRefused
from mooring.simulator.http_client import HttpClient
from mooring.simulator.tally import Tally
from mooring.simulator.united_robot import UnitedRobot
from mooring.simulator.waiting import Backoff, wait_until

MOST_UNCONFIRMED = 100
OPEN_S = 10.0
DRAIN_S = 3.0
_LOST = (OSError, TimeoutError, ConnectionClosed, WebSocketException, ServerUnreachable)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a robot is known by: its serial and its own token."""

    serial: str
    token: str = field(repr=False)


class UnitedSession:
    """Runs one robot until stopped; a lost connection is opened again with a fresh token."""

    def __init__(self, client: HttpClient, pair: Pair, robot: UnitedRobot, clock: Clock, *, tally: Tally) -> None:
        self._client = client
        self._pair = pair
        self._robot = robot
        self._clock = clock
        self._tally = tally
        self._numbers = itertools.count(1)
        self._unconfirmed: set[int] = set()

    async def run(self, stop: asyncio.Event, rate_hz: float) -> None:
        """Stay connected until `stop`; raises TokenRefused when serial and token are not taken."""
        backoff = Backoff(random.Random(self._pair.serial))
        while not stop.is_set():
            try:
                await self._talk(stop, 1.0 / rate_hz)
                backoff.reset()
            except _LOST:
                self._tally.dropped += len(self._unconfirmed)
                self._unconfirmed.clear()
                self._tally.reconnects += 1
            if not stop.is_set():
                await wait_until(stop, self._clock, backoff.next_s())

    async def _talk(self, stop: asyncio.Event, period_s: float) -> None:
        token = await self._obtain_token()
        async with await self._open("robot_data", token) as data, await self._open("robot_command", token) as commands:
            self._tally.connected += 1
            try:
                await self._converse(data, commands, stop, period_s)
            finally:
                self._tally.connected -= 1

    async def _converse(
        self, data: ClientConnection, commands: ClientConnection, stop: asyncio.Event, period_s: float
    ) -> None:
        """Send, count and obey at the same time, until stopped or until one channel is lost."""
        parts = [
            asyncio.ensure_future(self._send(data, stop, period_s)),
            asyncio.ensure_future(self._count(data)),
            asyncio.ensure_future(self._listen(commands)),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        for part in done:
            part.result()

    async def _send(self, data: ClientConnection, stop: asyncio.Event, period_s: float) -> None:
        while not stop.is_set():
            self._robot.step(period_s)
            if len(self._unconfirmed) < MOST_UNCONFIRMED:
                number = next(self._numbers)
                self._unconfirmed.add(number)
                self._tally.offered += 1
                await data.send(msgspec.json.encode(self._robot.frame(number, iso(self._clock.now()))).decode())
                self._tally.sent += 1
            await wait_until(stop, self._clock, period_s)
        until = self._clock.monotonic() + DRAIN_S
        while self._unconfirmed and self._clock.monotonic() < until:
            await self._clock.sleep(0.05)

    async def _count(self, data: ClientConnection) -> None:
        async for text in data:
            answer = msgspec.json.decode(text)
            number = answer.get("id")
            if number not in self._unconfirmed:
                self._tally.stray += 1
                continue
            self._unconfirmed.discard(number)
            if answer.get("status") == "ok":
                self._tally.acked += 1
            else:
                self._tally.rejected += 1

    async def _listen(self, commands: ClientConnection) -> None:
        async for text in commands:
            message = msgspec.json.decode(text)
            self._robot.obey(message.get("command") if isinstance(message, dict) else None)

    async def _obtain_token(self) -> str:
        pair = {"serial": self._pair.serial, "token": self._pair.token}
        answer = await self._client.request("POST", "/robots/robot/obtain_token", pair)
        if answer.status == 400:
            raise TokenRefused(f"the server does not know this serial and token: {self._pair.serial}")
        if answer.status != 201 or not isinstance(answer.body, dict) or "access_token" not in answer.body:
            raise ServerUnreachable(f"no token for {self._pair.serial}: {answer.reason}")
        return str(answer.body["access_token"])

    async def _open(self, channel: str, token: str) -> ClientConnection:
        address = self._client.address
        try:
            return await connect(
                address.websocket(f"/robots/{channel}"),
                additional_headers={"x-token": token},
                compression=None,
                proxy=None if address.is_loopback else True,
                open_timeout=OPEN_S,
                close_timeout=2.0,
            )
        except InvalidStatus as refusal:
            raise ServerUnreachable(f"{channel} was refused: {refusal}") from refusal
