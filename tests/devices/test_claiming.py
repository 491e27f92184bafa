"""Claiming: a device that offers itself changes hands once, for the right secret, in time."""

from __future__ import annotations

import pytest
from tests.devices.conftest import ANNA, BERT, Room, add_person

from mooring.devices.claiming.service import AlreadyClaimed, ClaimRefused, Claims
from mooring.devices.errors import DeviceUnknown, NameTaken, QuotaExceeded
from mooring.devices.model import NewDevice
from mooring.devices.twin.service import Twins
from mooring.kernel.actor import Actor
from mooring.kernel.events import DeviceChanged


class Shop:
    """A room with a device on the shelf."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.twins = Twins(room.database, room.bus, room.clock)
        self.claims = Claims(
            room.database, room.bus, room.clock, twins=self.twins, admission=room.admission, journal=room.journal
        )

    async def shelve(self, name: str = "rover", secret: str = "s", seconds: float = 60) -> str:
        """Register a device and let it offer itself."""
        device = (await self.room.device(name)).device
        await self.twins.change(device.id, "server", {"claimingAllowed": True})
        assert await self.claims.offer(device.id, secret, seconds)
        return device.id


@pytest.fixture
def shop(room: Room) -> Shop:
    """Give the shop."""
    return Shop(room)


async def test_right_secret_hands_the_device_over(shop: Shop) -> None:
    registered = await shop.room.device("rover")
    await shop.twins.change(registered.device.id, "server", {"claimingAllowed": True})
    await shop.claims.offer(registered.device.id, "s", 60)
    before = await shop.room.admission.admit(registered.auth_token)
    assert before is not None
    assert before.owner_id == ANNA.id
    device = await shop.claims.claim(BERT, "rover", "s")
    assert (device.id, device.owner_id) == (registered.device.id, BERT.id)
    after = await shop.room.admission.admit(registered.auth_token)
    assert after is not None
    assert after.owner_id == BERT.id, "it keeps its token, and belongs to somebody else"
    with pytest.raises(DeviceUnknown):
        await shop.room.registry.get(ANNA, device.id)
    told = [(event.owner_id, event.change) for event in shop.room.bus.of(DeviceChanged)][-2:]
    assert told == [(ANNA.id, "updated"), (BERT.id, "created")]
    with pytest.raises(AlreadyClaimed):
        await shop.claims.claim(BERT, "rover", "s")


async def test_wrong_secret_withdraws_the_offer(shop: Shop) -> None:
    await shop.shelve(secret="right")
    for secret in ("wrong", "right"):
        with pytest.raises(ClaimRefused):
            await shop.claims.claim(BERT, "rover", secret)


async def test_offer_ends_with_its_time(shop: Shop) -> None:
    device_id = await shop.shelve(seconds=60)
    assert await shop.claims.offer(device_id, "other", 60) is False, "an offer that stands is not overwritten"
    shop.room.clock.pass_by(61)
    assert await shop.claims.offer(device_id, "other", 60) is True
    shop.room.clock.pass_by(61)
    with pytest.raises(ClaimRefused):
        await shop.claims.claim(BERT, "rover", "other")


async def test_device_offers_itself_only_where_its_owner_allows_it(shop: Shop) -> None:
    device = (await shop.room.device()).device
    assert await shop.claims.offer(device.id, "", 60) is False
    await shop.twins.change(device.id, "reported", {"claimingAllowed": True})
    assert await shop.claims.offer(device.id, "", 60) is False, "what a device says of itself allows nothing"


async def test_nothing_changes_hands_beyond_quota_or_over_a_name_that_is_taken(shop: Shop) -> None:
    poor = Actor(kind="user", id="u-poor", name="poor")
    await add_person(shop.room.database, poor, quota=0)
    device_id = await shop.shelve()
    with pytest.raises(QuotaExceeded):
        await shop.claims.claim(poor, "rover", "s")
    assert (await shop.room.registry.get(ANNA, device_id)).owner_id == ANNA.id
    await shop.room.registry.register(BERT, NewDevice(name="rover"))
    with pytest.raises((AlreadyClaimed, NameTaken)):
        await shop.claims.claim(BERT, "rover", "s")
