"""The spool: what was kept is there after any end, in order, until it is confirmed."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.collector.spool import Entry, Spool
from mooring.kernel.errors import Unavailable


def opened(folder: Path, **options: int) -> Spool:
    spool = Spool(folder, **options)
    spool.open()
    return spool


def said(spool: Spool) -> list[tuple[int, int, int, bytes]]:
    return [(entry.seq, entry.at_us, entry.kind, entry.body) for entry in spool.entries()]


def fill(spool: Spool, count: int, first: int = 0, size: int = 10) -> list[tuple[int, int, int, bytes]]:
    entries = [(first + i, 1_000 + first + i, 1 + i % 3, bytes([i % 256]) * size) for i in range(count)]
    for entry in entries:
        spool.append(*entry)
    return entries


def test_what_is_kept_is_read_in_order(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    assert spool.empty
    entries = fill(spool, 20)
    assert said(spool) == entries
    assert spool.waiting_bytes > 200
    assert not spool.empty


def test_confirming_lets_go_of_the_front_and_of_read_files(tmp_path: Path) -> None:
    spool = opened(tmp_path, segment_bytes=300)
    entries = fill(spool, 60)
    files = len(list(tmp_path.glob("*.spool")))
    assert files > 5
    found = list(spool.entries())
    spool.confirm(found[39].end)
    assert said(spool) == entries[40:]
    assert len(list(tmp_path.glob("*.spool"))) < files
    spool.confirm(found[-1].end)
    assert spool.empty
    assert len(list(tmp_path.glob("*.spool"))) == 1
    assert fill(spool, 3, 60) == said(spool)


def test_a_new_start_finds_everything_under_the_old_boot(tmp_path: Path) -> None:
    first = opened(tmp_path)
    entries = fill(first, 10)
    first.confirm(list(first.entries())[3].end)
    # No close: the process was killed.
    second = opened(tmp_path)
    fill(second, 2, 100)
    found = list(second.entries())
    assert [entry.body for entry in found[:6]] == [entry[3] for entry in entries[4:]]
    assert {entry.boot_id for entry in found[:6]} == {first.boot_id}
    assert {entry.boot_id for entry in found[6:]} == {second.boot_id} != {first.boot_id}
    second.confirm(found[-1].end)
    assert opened(tmp_path).empty


def test_a_spool_cut_at_any_byte_gives_what_was_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    spool = opened(source)
    entries = fill(spool, 5, size=7)
    ends = [entry.end.offset for entry in spool.entries()]
    [file] = source.glob("*.spool")
    data = file.read_bytes()
    for cut in range(len(data)):
        folder = tmp_path / "cut"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / file.name).write_bytes(data[:cut])
        again = opened(folder)
        whole = sum(end <= cut for end in ends)
        assert said(again) == entries[:whole]
        fill(again, 1, 50)
        assert len(said(again)) == whole + 1


@settings(max_examples=200)
@given(data=st.data())
def test_damage_is_never_read_as_data(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = opened(folder)
    entries = fill(spool, 5)
    [file] = folder.glob("*.spool")
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    found = [entry[3] for entry in said(opened(folder))]
    assert found == [entry[3] for entry in entries[: len(found)]]


@pytest.mark.parametrize("place", ["", "x", "1", "99999 5", "0 0", "-3 -5"])
def test_a_lost_place_means_sending_again_and_nothing_worse(tmp_path: Path, place: str) -> None:
    entries = fill(opened(tmp_path), 3)
    (tmp_path / "place").write_text(place)
    again = opened(tmp_path)
    assert said(again) == (entries if place != "99999 5" else [])
    assert len([*fill(again, 1, 9)]) == 1
    assert said(again)[-1][0] == 9


def test_a_full_spool_drops_its_oldest_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = opened(tmp_path, segment_bytes=500, max_bytes=2000)
    entries = fill(spool, 300)
    assert sum(file.stat().st_size for file in tmp_path.glob("*.spool")) <= 2000
    left = said(spool)
    assert left == entries[-len(left) :]
    assert spool.dropped_bytes > 0
    assert "the oldest" in caplog.text


def test_an_entry_the_disk_takes_only_half_of_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    entries = fill(spool, 2)
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: real(file, data[: len(data) // 2]))
        with pytest.raises(OSError, match="only a part"):
            spool.append(9, 9, 1, b"xxxx")
    with monkeypatch.context() as full:

        def refuse(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr(os, "write", refuse)
        with pytest.raises(OSError, match="No space"):
            spool.append(9, 9, 1, b"xxxx")
    assert said(spool) == entries
    spool.append(3, 3, 1, b"after")
    assert said(spool)[-1] == (3, 3, 1, b"after")


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="the spool cannot be used"):
        opened(tmp_path / "file" / "spool")
    (tmp_path / "mine.spool").write_text("not ours")
    with pytest.raises(Unavailable):
        opened(tmp_path)


def test_entries_name_where_the_next_begins(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    fill(spool, 3)
    found: list[Entry] = list(spool.entries())
    assert [one.end for one in found] == sorted(one.end for one in found)
    spool.close()
    spool.close()
