"""A viewer on ``/ws/live`` beside a steady load: when was a frame, or a newer one of its device, shown?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.fleet import Device
from bench.load.frames import burst_of, masked
from bench.load.socket import Socket, Target
from bench.load.tally import Tally
from bench.load.ws import Paced, hang_up, open_all, pace

SETTLE_S = 1.0


@dataclass(slots=True)
class Shown(Tally):
    """A tally whose latencies end at the viewer; `exact` frames were shown themselves."""

    exact: int = 0
    messages: int = 0
    gaps: int = 0
    waiting: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def share_shown(self) -> float:
        """Share of the frames that were shown themselves, not only by a newer one."""
        return self.exact / max(1, len(self.latencies_s))


class ShownFrame(msgspec.Struct):
    """One frame in a live message."""

    device_id: str
    values: dict[str, Any]


class LiveMessage(msgspec.Struct):
    """Any live message; only readings carry frames."""

    type: str
    frames: list[ShownFrame] = []


_MESSAGE = msgspec.json.Decoder(LiveMessage)


class Viewer(Socket):
    """Subscribes to everything and settles frames by their mark, which repeats the seq."""

    tally: Shown

    def subscribe(self) -> None:
        """Ask for all devices."""
        self.transport.write(masked(b'{"type":"subscribe","devices":"*"}'))

    def heard(self, data: bytes) -> None:
        """Settle every frame a message shows, and the older ones of its device with it."""
        for payload in self.messages(data):
            message = _MESSAGE.decode(payload)
            now = time.perf_counter()
            if message.type == "gap":
                self.tally.gaps += 1
            if message.frames:
                self.tally.messages += 1
            for frame in message.frames:
                mark = frame.values.get("mark")
                if mark is not None:
                    self.settle(frame.device_id, int(mark), now)

    def settle(self, device_id: str, seq: int, now: float) -> None:
        """Note that `seq` of a device was on the screen at `now`."""
        waiting = self.tally.waiting.get(device_id, {})
        self.tally.exact += seq in waiting
        for older in [other for other in waiting if other <= seq]:
            self.tally.latencies_s.append(now - waiting.pop(older))


class Sender(Paced):
    """A paced device whose frames wait for the viewer, not for the receipt."""

    waiting: dict[int, float]
    tally: Shown

    def send(self, due: float) -> range:
        """Send the next frame and note it as not yet shown."""
        seqs = super().send(due)
        self.waiting.update(dict.fromkeys(seqs, due))
        return seqs

    def settle(self, receipt: Any, message: bytes) -> None:
        """Count receipts, but take no latency from them."""
        self.due_at.pop(receipt.seq, None)
        if receipt.status == "stored":
            self.tally.stored += 1
        else:
            self.tally.other += 1
            self.tally.refuse(message)


async def watch(url: str, token: str, devices: list[Device], rate: float, seconds: float, *, boot_id: str) -> Shown:
    """Send `rate` frames/s over the sockets of `devices` for `seconds` and return what one viewer saw of them when."""
    tally = Shown()
    viewer = Viewer(Target(url, [token], path="/ws/live"), token, tally)
    target = Target(url, [one.token for one in devices])
    senders = []
    for at, device in enumerate(devices):
        sender = Sender(target, device.token, tally, burst_of(1, boot_id=boot_id, salt=at))
        sender.waiting = tally.waiting.setdefault(device.id, {})
        senders.append(sender)
    await open_all([viewer, *senders])
    viewer.subscribe()
    await pace(senders, rate, SETTLE_S)
    tally.latencies_s.clear()
    tally.exact, before, begun = 0, tally.stored, time.perf_counter()
    await pace(senders, rate, seconds)
    tally.seconds = time.perf_counter() - begun
    await asyncio.sleep(SETTLE_S)
    tally.stored -= before
    unseen = sum(map(len, tally.waiting.values()))
    if unseen or tally.gaps:
        tally.refuse(f"{unseen} frames never shown, {tally.gaps} gaps".encode())
        tally.other += unseen
    await hang_up([viewer, *senders])
    return tally
