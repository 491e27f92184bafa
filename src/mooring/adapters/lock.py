"""One server a data folder: a lock that the system releases when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.kernel.errors import Unavailable


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder; raises ``Unavailable`` if another process does."""
    descriptor = os.open(folder / "mooring.lock", os.O_RDWR | os.O_CREAT, 0o600)
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
