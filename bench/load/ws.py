"""The WebSocket loader: a window of frames on every socket, or a steady rate; `stored` receipts are counted."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from bench.load.frames import FIRST_SEQ, Block, Burst, burst_of, socket_block
from bench.load.socket import Socket, Target
from bench.load.tally import Pressure, Tally

STORED = b'"status":"stored"'
CARRY = len(STORED) - 1  # finds a marker cut in two, and can never hold a whole one
REFUSALS = (b'"rejected"', b'"throttled"', b'"duplicate"', b'"error"')
TICK_S = 0.001
OPEN_AT_ONCE = 50


class Flood(Socket):
    """Keeps two blocks unanswered: when the receipts of one are in, the next leaves."""

    def __init__(self, target: Target, token: str, tally: Tally, block: Block) -> None:
        super().__init__(target, token, tally)
        self.block, self.size, self.next_seq = block, block.size, FIRST_SEQ
        self.answered, self.tail, self.stopped = 0, b"", False
        self.sent_at: deque[float] = deque()

    def send(self) -> None:
        """Write one block."""
        data = self.block.take(self.next_seq)
        self.next_seq += self.size
        self.sent_at.append(time.perf_counter())
        self.tally.sent += self.size
        self.transport.write(data)

    def heard(self, data: bytes) -> None:
        """Count receipts by their marker: cheaper than parsing, and exact because of the carry."""
        text = self.tail + data
        self.tail = text[-CARRY:]
        stored = text.count(STORED)
        self.tally.stored += stored
        self.answered += stored
        for refusal in REFUSALS:
            if refusal in data:
                self.answered += data.count(refusal)
                self.tally.other += data.count(refusal)
                self.tally.refuse(data)
        while self.answered >= self.size and self.sent_at:
            self.answered -= self.size
            self.tally.latencies_s.append(time.perf_counter() - self.sent_at.popleft())
            if not self.stopped:
                self.send()


class ReceiptIn(msgspec.Struct):
    """What a receipt must say to be counted in a paced run."""

    seq: int
    status: str
    reason: str | None = None


_RECEIPT = msgspec.json.Decoder(ReceiptIn)
_RECEIPTS = msgspec.json.Decoder(list[ReceiptIn])


class Paced(Socket):
    """Sends a few frames when told; every receipt is decoded and matched to its frame by seq."""

    def __init__(self, target: Target, token: str, tally: Tally, burst: Burst) -> None:
        super().__init__(target, token, tally)
        self.burst, self.next_seq = burst, FIRST_SEQ
        self.due_at: dict[int, float] = {}

    def send(self, due: float) -> range:
        """Write the next frames, which were due at `due` (perf_counter seconds); return their seqs."""
        seqs = range(self.next_seq, self.next_seq + self.burst.size)
        self.next_seq = seqs.stop
        self.due_at.update(dict.fromkeys(seqs, due))
        self.tally.sent += len(seqs)
        self.transport.write(self.burst.take(seqs.start))
        return seqs

    def heard(self, data: bytes) -> None:
        """Settle the frames whose receipts are in `data`."""
        for message in self.messages(data):
            if message[:1] == b"[":
                for receipt in _RECEIPTS.decode(message):
                    self.settle(receipt, message)
            elif message.startswith(b'{"seq"'):
                self.settle(_RECEIPT.decode(message), message)
            else:
                self.tally.other += 1
                self.tally.refuse(message)

    def settle(self, receipt: ReceiptIn, message: bytes) -> None:
        """Take one receipt: stored frames give a latency, anything else a refusal."""
        due = self.due_at.pop(receipt.seq, None)
        if receipt.status == "stored" and due is not None:
            self.tally.stored += 1
            self.tally.latencies_s.append(time.perf_counter() - due)
        else:
            self.tally.other += 1
            self.tally.refuse(message)


async def open_all(sockets: Sequence[Socket]) -> None:
    """Connect and upgrade `sockets`, some at a time; raises ConnectionError with the server's words."""
    loop = asyncio.get_running_loop()
    for at in range(0, len(sockets), OPEN_AT_ONCE):
        some = sockets[at : at + OPEN_AT_ONCE]
        for one in some:
            await loop.create_connection(lambda one=one: one, *one.target.address)  # type: ignore[misc]
        async with asyncio.timeout(30):
            await asyncio.gather(*(one.opened for one in some))


async def flood(target: Target, pressure: Pressure, *, boot_id: str) -> Tally:
    """Press as many frames as the server takes through every socket of `target`; return what was stored per time."""
    tally = Tally(clock=pressure.clock)
    sockets = [
        Flood(target, token, tally, socket_block(pressure.block, boot_id=boot_id, salt=at))
        for at, token in enumerate(target.tokens)
    ]
    await open_all(sockets)
    for one in sockets:
        one.send()
        one.send()
    await asyncio.sleep(pressure.warm_s)
    before = tally.mark()
    await asyncio.sleep(pressure.seconds)
    measured = tally.since(before)
    for one in sockets:
        one.stopped = True
    await asyncio.sleep(0.3)  # the last receipts; the next run finds a quiet server
    await hang_up(sockets)
    return measured.warned_by(tally)


async def hang_up(sockets: Sequence[Socket]) -> None:
    """Close all and let the loop see it through."""
    for one in sockets:
        one.close()
    await asyncio.sleep(0.05)


async def pace(sockets: Sequence[Paced], rate: float, seconds: float) -> None:
    """Send `rate` frames/s in turn over open `sockets`; a late tick sends all that has become due since."""
    rate /= sockets[0].burst.size
    begun, done, total = time.perf_counter(), 0, int(rate * seconds)
    while done < total:
        now = time.perf_counter()
        while done < total and (due := begun + done / rate) <= now:
            sockets[done % len(sockets)].send(due)
            done += 1
        await asyncio.sleep(TICK_S)


async def steady(target: Target, rate: float, pressure: Pressure, *, boot_id: str) -> Tally:
    """Send `rate` frames/s in blocks as `pressure` says, after warming up, and return the receipt latencies."""
    tally = Tally(clock=pressure.clock)
    sockets = [
        Paced(target, token, tally, burst_of(pressure.block, boot_id=boot_id, salt=at))
        for at, token in enumerate(target.tokens)
    ]
    await open_all(sockets)
    await pace(sockets, rate, pressure.warm_s)
    before = tally.mark()
    await pace(sockets, rate, pressure.seconds)
    measured = tally.since(before)
    await asyncio.sleep(0.5)
    await hang_up(sockets)
    return measured.warned_by(tally)
