"""Bookkeeping of what devices sent and what they were answered, kept outside the server, and loaders that fill it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx
from tests.journeys.server import Device
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

WINDOW = 100
BATCH = 20
BOOT = "one"
BEGAN_MS = 1_790_000_000_000
GONE = (OSError, WebSocketException, httpx.TransportError, TimeoutError)


class Verdict(NamedTuple):
    """Acked and not there; there more than once; there and never sent."""

    lost: int
    duplicated: int
    phantom: int


@dataclass
class Ledger:
    """One device's book."""

    device: Device
    door: str
    next_seq: int = 0
    sent: set[int] = field(default_factory=set)
    acked: set[int] = field(default_factory=set)
    refused: list[Any] = field(default_factory=list)
    resumed: list[int | None] = field(default_factory=list)

    def frame(self, seq: int) -> dict[str, Any]:
        """Return the frame of a seq, the same however often it is asked for; now and then one that needs a look-up."""
        frame: dict[str, Any] = {
            "boot_id": BOOT,
            "seq": seq,
            "timestamp": BEGAN_MS + seq,
            "sensor_readings": {"n": seq, "t": seq / 7},
        }
        if seq % 97 == 5:
            frame["sensor_readings"][f"k{seq % 10}"] = True
        if seq % 101 == 7:
            frame |= {"event_type": f"e{seq}", "message": "as it happens"}
        if seq % 103 == 9:
            frame["sensor_readings"]["words"] = f"text {seq}"
        return frame

    def take(self) -> int:
        """Return the next seq and note that it is about to be sent."""
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        self.sent.add(seq)
        return seq

    def owed(self) -> list[int]:
        """Return what was sent and not answered, oldest first: it is sent again."""
        return sorted(self.sent - self.acked)

    def note(self, receipt: dict[str, Any]) -> None:
        """Note a receipt."""
        if receipt["status"] in ("stored", "duplicate"):
            self.acked.add(receipt["seq"])
        else:
            self.refused.append(receipt)

    async def run(self) -> None:
        """Send until the server is gone."""
        with contextlib.suppress(*GONE):
            await (self._by_socket() if self.door == "websocket" else self._by_posts())

    async def settle(self) -> None:
        """Send again what is owed, once, and wait for the answers."""
        with contextlib.suppress(*GONE):
            if self.door == "websocket":
                await self._by_socket(only_owed=True)
            else:
                await self._by_posts(only_owed=True)

    async def _by_socket(self, *, only_owed: bool = False) -> None:
        url = self.device.owner.server.url.replace("http", "ws", 1)
        async with connect(
            f"{url}/ws/device", additional_headers=self.device.headers, compression=None, proxy=None
        ) as socket:
            await socket.send(json.dumps({"type": "resume", "boot_id": BOOT}))
            self.resumed.append(json.loads(await socket.recv())["last_seq"])
            window = asyncio.Semaphore(WINDOW)
            owed = self.owed()
            if only_owed:
                await asyncio.gather(self._speak(socket, owed, window), self._listen(socket, len(owed), window))
                return
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._speak(socket, owed, window, on=True))
                tasks.create_task(self._listen(socket, None, window))

    async def _speak(
        self, socket: ClientConnection, owed: list[int], window: asyncio.Semaphore, *, on: bool = False
    ) -> None:
        with contextlib.suppress(*GONE):
            for seq in owed:
                await window.acquire()
                await socket.send(json.dumps(self.frame(seq)))
            while on:
                await window.acquire()
                await socket.send(json.dumps(self.frame(self.take())))

    async def _listen(self, socket: ClientConnection, count: int | None, window: asyncio.Semaphore) -> None:
        heard = 0
        try:
            while count is None or heard < count:
                self.note(json.loads(await socket.recv()))
                heard += 1
                window.release()
        except GONE:
            for _ in range(WINDOW):
                window.release()

    async def _by_posts(self, *, only_owed: bool = False) -> None:
        owed = self.owed()
        base = self.device.owner.server.url
        async with httpx.AsyncClient(base_url=base, headers=self.device.headers, timeout=30) as client:
            for start in range(0, len(owed), BATCH):
                await self._post(client, owed[start : start + BATCH])
            while not only_owed:
                await self._post(client, [self.take()])
                await self._post(client, [self.take() for _ in range(BATCH)])

    async def _post(self, client: httpx.AsyncClient, seqs: list[int]) -> None:
        frames = [self.frame(seq) for seq in seqs]
        answer = await client.post(self.device.path, json=frames[0] if len(frames) == 1 else {"frames": frames})
        body = answer.json()
        for receipt in body.get("receipts", [body]):
            if "status" in receipt and isinstance(receipt["status"], str):
                self.note(receipt)
            else:
                self.refused.append(body)

    def judge(self) -> Verdict:
        """Compare the book with what is stored."""
        counts = Counter(int(value) for value in self.device.values("n"))
        duplicated = sum(count - 1 for count in counts.values())
        return Verdict(len(self.acked - set(counts)), duplicated, len(set(counts) - self.sent))

    def judge_events(self) -> Verdict:
        """Compare the events in the book with those stored."""
        person, counts, cursor = self.device.owner, Counter[int](), None
        while True:
            asked = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            page = person.get(f"/api/devices/{self.device.id}/events", **asked)
            counts.update(int(row["event_type"][1:]) for row in page["items"] if row["message"] == "as it happens")
            cursor = page["next"]
            if cursor is None:
                break
        due = {seq for seq in self.acked if seq % 101 == 7}
        duplicated = sum(count - 1 for count in counts.values())
        return Verdict(len(due - set(counts)), duplicated, len(set(counts) - self.sent))
