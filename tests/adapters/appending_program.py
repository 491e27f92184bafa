"""A program that appends batches and says on standard output which are acknowledged, until it is killed.

``python -m tests.adapters.appending_program FOLDER [SIGN]``: before its fourth batch it makes the file SIGN, where one
is named (a preloaded library then fails every sync), and it says what the store answers from there on.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.contracts.batches import START_US, Said, Told, batch

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.kernel.errors import MooringError
from mooring.telemetry.series import Columns, NewSeries

ROWS = 50


def numbered(no: int, text: int, boot: int, step: int) -> Columns:
    """Return batch `step`: fifty numbers, one text and one frame, all telling its number."""
    said = [Said(no, START_US + step * ROWS + at, step, frame=0) for at in range(ROWS)]
    return batch(*said, Said(text, START_US + step, f"batch {step}", frame=0), frames=[Told(boot, step, step)])


async def append_for_ever(folder: Path, sign: Path | None) -> None:
    """Append until killed, or until the store has refused three times."""
    store = DuckDBSeries(folder, reserve_bytes=0, checkpoint_bytes=100_000)
    try:
        await store.open()
    except MooringError as error:
        tell(f"refused {error.code}: {error.message}: {error.hint}")
        return
    numbers = await store.enroll([NewSeries("d", "number", None), NewSeries("d", "text", None)])
    [mark] = await store.boots([("d", "b")])
    step, refused = mark.last_seq + 1, 0
    while refused < 3:
        if sign is not None and step == 3:
            sign.touch()
        try:
            committed = await store.append(numbered(*numbers, mark.no, step))
            tell(f"acked {step} {committed.commit_seq}")
        except MooringError as error:
            tell(f"refused {error.code}: {error.message}: {error.hint}")
            refused += 1
        step += 1
    os._exit(0)


def tell(line: str) -> None:
    """Write one line that a kill cannot take back."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    asyncio.run(append_for_ever(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
