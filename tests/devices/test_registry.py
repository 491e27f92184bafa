"""The registry: registering, changing, deleting, tokens, quotas, and who may see what."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert, text
from tests.devices.conftest import ANNA, BERT, ROOT, Room, add_person

from mooring.devices.errors import (
    ActionDenied,
    DeviceUnknown,
    FieldInvalid,
    GroupUnknown,
    NameTaken,
    QuotaExceeded,
    TokenTaken,
)
from mooring.devices.model import NewDevice
from mooring.devices.tables import device_groups
from mooring.kernel.actor import SYSTEM, Actor
from mooring.kernel.errors import Denied
from mooring.kernel.events import CredentialRevoked, DeviceChanged
from mooring.kernel.ids import digest_of

OWN_TOKEN = "a-token-burnt-into-firmware"


async def test_registered_device_is_found_as_it_was_told(room: Room) -> None:
    told = NewDevice(
        name="  rover 🦾 ",
        device_type="robot",
        description="first\nline",
        ip_address="10.0.0.7",
        mac_address="aa:bb",
        firmware_version="1.2",
        configuration={"speed": 1.5, "tags": ["a", None, True]},
    )
    registered = await room.registry.register(ANNA, told)
    device = await room.registry.get(ANNA, registered.device.id)
    assert device == registered.device
    assert (device.name, device.status, device.last_seen, device.owner_id) == ("rover 🦾", "never", None, "u-anna")
    assert device.configuration == {"speed": 1.5, "tags": ["a", None, True]}
    assert room.bus.of(DeviceChanged) == [DeviceChanged(device.id, "u-anna", "created")]


async def test_token_is_kept_only_as_digest(room: Room) -> None:
    registered = await room.device()
    async with room.database.reading() as connection:
        kept = (await connection.execute(text("SELECT * FROM device_credentials"))).mappings().one()
    assert kept["digest"] == digest_of(registered.auth_token)
    assert registered.auth_token not in str(dict(kept))
    assert len(registered.auth_token) >= 32


async def test_a_devices_own_token_is_accepted_once(room: Room) -> None:
    own = NewDevice(name="a", auth_token=OWN_TOKEN)
    registered = await room.registry.register(ANNA, own)
    assert registered.auth_token == OWN_TOKEN
    with pytest.raises(TokenTaken):
        await room.registry.register(BERT, NewDevice(name="b", auth_token=OWN_TOKEN))
    assert (await room.registry.counts(BERT)).total == 0
    await room.registry.delete(ANNA, registered.device.id)
    assert (await room.registry.register(ANNA, own)).auth_token == OWN_TOKEN


async def test_name_is_unique_per_owner(room: Room) -> None:
    first = await room.device("rover")
    other = await room.device("rover", BERT)
    with pytest.raises(NameTaken):
        await room.device("rover")
    second = await room.device("second")
    with pytest.raises(NameTaken):
        await room.registry.update(ANNA, second.device.id, {"name": "rover"})
    assert first.device.id != other.device.id


async def test_quota_is_held_under_concurrent_registration(room: Room) -> None:
    eve = Actor(kind="user", id="u-eve", name="eve")
    await add_person(room.database, eve, quota=3)
    tries = await asyncio.gather(*(room.device(f"d{n}", eve) for n in range(6)), return_exceptions=True)
    assert sum(isinstance(result, QuotaExceeded) for result in tries) == 3
    assert await room.registry.count_owned("u-eve") == 3


async def test_many_are_registered_all_or_none(room: Room) -> None:
    with pytest.raises(NameTaken):
        await room.registry.register_many(ANNA, [NewDevice(name=name) for name in ("a", "b", "a")])
    assert (await room.registry.counts(ANNA)).total == 0
    fresh = await room.registry.register_many(SYSTEM, [NewDevice(name=name) for name in "ab"], owner_id="u-anna")
    assert [registered.device.owner_id for registered in fresh] == ["u-anna", "u-anna"]
    admitted = await room.admission.admit(fresh[1].auth_token)
    assert admitted is not None
    assert admitted.name == "b"


async def test_only_people_register_and_only_for_themselves(room: Room) -> None:
    device = Actor(kind="device", id="d", name="d")
    reader = Actor(kind="user", id="u-anna", name="anna", scopes=frozenset({"devices:read"}))
    for actor, owner in ((device, None), (ANNA, "u-bert"), (SYSTEM, None), (reader, None)):
        with pytest.raises(Denied):
            await room.registry.register(actor, NewDevice(name="x"), owner_id=owner)
    with pytest.raises(FieldInvalid):
        await room.registry.register(SYSTEM, NewDevice(name="x"), owner_id="u-nobody")


async def test_update_changes_only_what_people_may_change(room: Room) -> None:
    device = (await room.device()).device
    given = {"name": "new", "configuration": {"a": 1}, "id": "x", "user_id": "u-bert", "status": "online"}
    changed = await room.registry.update(ANNA, device.id, given)
    assert (changed.id, changed.owner_id, changed.status, changed.name) == (device.id, "u-anna", "never", "new")
    assert await room.registry.get(ANNA, device.id) == changed
    assert room.bus.of(DeviceChanged)[-1].change == "updated"


async def test_group_must_be_the_owners(room: Room) -> None:
    device = (await room.device()).device
    group = {"id": "g1", "user_id": "u-bert", "name": "g", "created_at": room.clock.now()}
    async with room.database.writing() as connection:
        await connection.execute(insert(device_groups).values(**group))
    for unknown in ("g1", "g2"):
        with pytest.raises(GroupUnknown):
            await room.registry.update(ANNA, device.id, {"group_id": unknown})


async def test_foreign_device_is_missing_like_an_unknown_one(room: Room) -> None:
    device = (await room.device()).device
    said = set()
    for device_id in (device.id, "nowhere", "nul\0", "half\ud800"):
        for call in (
            room.registry.get(BERT, device_id),
            room.registry.update(BERT, device_id, {"name": "mine"}),
            room.registry.rotate_token(BERT, device_id),
            room.registry.delete(BERT, device_id),
            room.journal.events(BERT, device_id=device_id),
            room.journal.logs(BERT, device_id),
        ):
            with pytest.raises(DeviceUnknown) as refused:
                await call
            said.add(str(refused.value))
    assert len(said) == 1
    assert await room.registry.get_many(BERT, [device.id, "nul\0"]) == []
    assert await room.registry.get(ANNA, device.id) == device


async def test_administrator_sees_and_changes_everything(room: Room) -> None:
    device = (await room.device()).device
    assert await room.registry.get(ROOT, device.id) == device
    assert (await room.registry.update(ROOT, device.id, {"name": "by root"})).owner_id == "u-anna"
    assert await room.registry.visible_ids(ROOT) is None
    assert await room.registry.visible_ids(ANNA) == {device.id}
    assert await room.registry.visible_ids(BERT) == frozenset()


async def test_narrow_key_reads_but_does_not_manage(room: Room) -> None:
    device = (await room.device()).device
    for role in ("user", "admin"):
        reader = Actor(kind="user", id="u-anna", name="anna", role=role, scopes=frozenset({"devices:read"}))
        assert await room.registry.get(reader, device.id) == device
        with pytest.raises(ActionDenied):
            await room.registry.delete(reader, device.id)


async def test_device_reads_and_reports_itself_only(room: Room) -> None:
    mine, other = (await room.device("a")).device, (await room.device("b")).device
    actor = Actor(kind="device", id=mine.id, name="a")
    assert (await room.registry.get(actor, mine.id, "report")).id == mine.id
    assert await room.registry.visible_ids(actor) == {mine.id}
    with pytest.raises(ActionDenied):
        await room.registry.get(actor, mine.id, "command")
    with pytest.raises(DeviceUnknown):
        await room.registry.get(actor, other.id)


async def test_admission_remembers_and_forgets_at_rotation(room: Room) -> None:
    registered = await room.device()
    digest = digest_of(registered.auth_token)
    assert room.admission.admit_cached(digest) is None
    admitted = await room.admission.admit(registered.auth_token)
    assert admitted is not None
    assert (admitted.id, admitted.owner_id) == (registered.device.id, "u-anna")
    assert room.admission.admit_cached(digest) is admitted
    fresh = await room.registry.rotate_token(ANNA, registered.device.id)
    assert room.admission.admit_cached(digest) is None
    assert await room.admission.admit(registered.auth_token) is None
    assert await room.admission.admit(fresh) == admitted
    assert room.bus.of(CredentialRevoked) == [CredentialRevoked(registered.device.id)]


async def test_admission_knows_the_new_name(room: Room) -> None:
    registered = await room.device()
    await room.admission.admit(registered.auth_token)
    await room.registry.update(ANNA, registered.device.id, {"name": "renamed"})
    admitted = await room.admission.admit(registered.auth_token)
    assert admitted is not None
    assert admitted.name == "renamed"


async def test_stranger_is_not_admitted(room: Room) -> None:
    for token in ("", "unknown-token-of-nobody", "x" * 10_000, "\ud800" * 20):
        assert await room.admission.admit(token) is None


async def test_admission_is_bounded(room: Room) -> None:
    room.admission._limit = 3
    fresh = await room.registry.register_many(ANNA, [NewDevice(name=f"d{n}") for n in range(5)])
    for registered in fresh:
        assert await room.admission.admit(registered.auth_token) is not None
    assert len(room.admission._by_digest) == 3
    assert len(room.admission._digests) == 3
    assert await room.admission.admit(fresh[0].auth_token) is not None


async def test_token_read_before_a_rotation_is_read_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    registered = await room.device()
    from mooring.devices import store

    original, turns = store.admitted_by_digest, []

    async def slow(connection: object, digest: str) -> object:
        found = await original(connection, digest)  # type: ignore[arg-type]
        turns.append(found)
        if len(turns) == 1:
            await room.registry.rotate_token(ANNA, registered.device.id)
        return found

    monkeypatch.setattr(store, "admitted_by_digest", slow)
    assert await room.admission.admit(registered.auth_token) is None
    assert len(turns) == 2


async def test_delete_removes_everything_and_tells(room: Room) -> None:
    registered = await room.device()
    device_id = registered.device.id
    room.presence.connected(device_id)
    await room.presence.save()
    asked: list[tuple[str, bool]] = []

    async def hook(deleted: str) -> None:
        asked.append((deleted, await room.admission.admit(registered.auth_token) is None))

    room.registry.on_delete(hook)
    await room.registry.delete(ANNA, device_id)
    assert asked == [(device_id, True)]
    assert CredentialRevoked(device_id) in room.bus.heard
    assert room.bus.of(DeviceChanged)[-1] == DeviceChanged(device_id, "u-anna", "deleted")
    async with room.database.reading() as connection:
        for table in ("devices", "device_credentials", "device_events", "device_logs"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0
    with pytest.raises(DeviceUnknown):
        await room.registry.delete(ANNA, device_id)


async def test_failed_delete_hook_leaves_the_device_to_be_deleted_again(room: Room) -> None:
    device_id = (await room.device()).device.id
    failures = [OSError("no"), None]

    async def hook(_: str) -> None:
        failure = failures.pop(0)
        if failure is not None:
            raise failure

    room.registry.on_delete(hook)
    with pytest.raises(OSError, match="no"):
        await room.registry.delete(ANNA, device_id)
    await room.registry.delete(ANNA, device_id)
    assert (await room.registry.counts(ANNA)).total == 0
