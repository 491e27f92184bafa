"""Promise A3: ``kill -9`` at any moment loses nothing that was acked, stores nothing twice and invents nothing."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.journeys.ledger import Ledger, Verdict
from tests.journeys.server import Server

DEVICES = 6
START_S = 5.0
CLEAN = Verdict(0, 0, 0)


def seeded() -> random.Random:
    """Return the one source of chance, printing the seed that repeats it (JOURNEY_SEED)."""
    seed = int(os.environ.get("JOURNEY_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: JOURNEY_SEED={seed}")
    return random.Random(seed)


class Ordeal:
    """A server that is killed again and again while devices send."""

    def __init__(self, folder: Path, *, module: Sequence[str] = ("mooring",)) -> None:
        self.chance = seeded()
        self.server = Server(folder, module=module).start()
        admin = self.server.admin()
        doors = ("websocket", "http")
        self.ledgers = [Ledger(admin.device(), doors[index % 2]) for index in range(DEVICES)]

    async def load_then_kill(self, least_s: float, most_s: float) -> None:
        """Let devices send for a random while, then kill the server under them."""
        loads = [asyncio.create_task(ledger.run()) for ledger in self.ledgers]
        await asyncio.sleep(self.chance.uniform(least_s, most_s))
        self.server.kill()
        await asyncio.wait_for(asyncio.gather(*loads), 60)

    async def kill_at_start(self) -> None:
        """Kill the server somewhere on its way up."""
        self.server.spawn()
        await asyncio.sleep(self.chance.uniform(0.2, 1.2))
        self.server.kill()

    def start(self) -> None:
        """Start, without help and in time."""
        self.server.start()
        # On a machine that others keep busy the clock on the wall says little; work done says the same anywhere.
        assert min(self.server.started_in_s, 2 * self.server.worked_s) <= START_S

    async def judge(self) -> list[Verdict]:
        """Send again what nobody answered for, then compare the books."""
        for ledger in self.ledgers:
            await asyncio.wait_for(ledger.settle(), 120)
            assert ledger.refused == []
            assert ledger.owed() == []
        sent = sum(len(ledger.sent) for ledger in self.ledgers)
        print(f"frames: {sent}")
        return [verdict for ledger in self.ledgers for verdict in (ledger.judge(), ledger.judge_events())]


async def survive(folder: Path, kills: int, most_s: float) -> None:
    """Go through an ordeal: three kills of four under load, one on the way up."""
    ordeal = Ordeal(folder)
    try:
        for number in range(kills):
            if number % 4 == 3:
                await ordeal.kill_at_start()
                continue
            if number:
                ordeal.start()
            await ordeal.load_then_kill(0.05, most_s)
        ordeal.start()
        assert await ordeal.judge() == [CLEAN] * (2 * DEVICES)
        assert sum(len(ledger.acked) for ledger in ordeal.ledgers) > 50 * kills
        for ledger in ordeal.ledgers:
            # What a device is told on its return never falls behind what it was acked.
            told = [seq for seq in ledger.resumed if seq is not None]
            assert told == sorted(told)
    finally:
        ordeal.server.kill()


async def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    await survive(tmp_path / "data", 20, 0.6)


@pytest.mark.slow
async def test_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    await survive(tmp_path / "data", 100, 2.5)


async def test_a_server_that_acks_early_loses_frames_and_is_caught(tmp_path: Path) -> None:
    ordeal = Ordeal(tmp_path / "data", module=("tests.journeys.altered", "acks_early"))
    try:
        for _ in range(2):
            await ordeal.load_then_kill(0.3, 0.6)
            ordeal.start()
        assert sum(verdict.lost for verdict in await ordeal.judge()) > 0
    finally:
        ordeal.server.kill()


async def test_a_server_that_forgets_stores_twice_and_is_caught(tmp_path: Path) -> None:
    ordeal = Ordeal(tmp_path / "data", module=("tests.journeys.altered", "forgets"))
    try:
        for _ in range(2):
            await ordeal.load_then_kill(0.3, 0.6)
            ordeal.start()
            for ledger in ordeal.ledgers:
                # As if the last receipts had got lost on the way: these frames are sent again.
                ledger.acked = set(sorted(ledger.acked)[:-5])
        assert sum(verdict.duplicated for verdict in await ordeal.judge()) > 0
    finally:
        ordeal.server.kill()
