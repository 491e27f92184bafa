"""One server a data folder: a lock that the system releases when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.kernel.errors import Unavailable


def make_folder(folder: Path) -> None:
    """Make the folder if it is not there, for its owner alone; raises ``Unavailable`` if it cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"data folder cannot be made: {folder}: {error.strerror or error}",
            hint="choose another folder with --data-dir or MOORING_DATA_DIR",
        ) from error


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder; raises ``Unavailable`` if another process does."""
    try:
        descriptor = os.open(folder / "mooring.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"data folder cannot be used: {folder}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise Unavailable(
                f"data folder is in use by another mooring: {folder} (process {owner})",
                hint="stop it, or choose another folder with --data-dir or MOORING_DATA_DIR",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
