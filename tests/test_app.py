"""The composition root: opens everything, closes everything, and leaves nothing behind when it cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mooring.adapters.lock import folder_lock
from mooring.app import migrated, people_only, running
from mooring.kernel.errors import Invalid, Unavailable
from mooring.settings import Settings


def settings(folder: Path, **more: object) -> Settings:
    return Settings(data_dir=folder / "data", admin_password="a long enough password", mqtt_port=0, **more)  # type: ignore[arg-type]


async def test_it_opens_and_closes_as_often_as_one_likes(tmp_path: Path) -> None:
    for _ in range(2):
        async with running(settings(tmp_path)) as mooring:
            assert (await mooring.access.people.by_name("admin")).role == "admin"
            assert mooring.made_password is None
        with folder_lock(tmp_path / "data"):
            pass
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert len(names) == 1, f"tasks are left: {names}"


async def test_a_password_is_made_up_once(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path / "data", mqtt_port=0)
    async with running(given) as mooring:
        assert mooring.made_password
        assert len(mooring.made_password) >= 16
    async with running(given) as mooring:
        assert mooring.made_password is None


async def test_a_store_there_is_none_of_stops_the_start_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="MONGODB_URI"):
        async with running(settings(tmp_path, mongodb_uri="mongodb://x")):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_in_use_is_refused_and_the_other_left_alone(tmp_path: Path) -> None:
    async with running(settings(tmp_path)):
        with pytest.raises(Unavailable, match="in use by another mooring"):
            async with running(settings(tmp_path)):
                pass
        with pytest.raises(Unavailable, match="in use by another mooring"):
            async with people_only(settings(tmp_path)):
                pass


async def test_a_start_that_fails_half_way_lets_go_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "readings.duckdb").write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(Unavailable, match="readings cannot be opened"):
            async with running(settings(tmp_path)):
                pass
        with folder_lock(tmp_path / "data"):
            pass


async def test_accounts_can_be_opened_alone(tmp_path: Path) -> None:
    async with people_only(settings(tmp_path)) as access:
        await access.people.add("anna", "a long enough password", email=None)
    async with people_only(settings(tmp_path)) as access:
        assert (await access.people.by_name("anna")).username == "anna"


async def test_a_store_is_brought_up_to_date_once(tmp_path: Path) -> None:
    assert await migrated(settings(tmp_path)) is True
    assert await migrated(settings(tmp_path)) is False
