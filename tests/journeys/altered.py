"""The real program with one promise broken, or one deadline shortened: tests must turn red on the first kind.

``python -m tests.journeys.altered acks_early serve …``
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from mooring.__main__ import main


def acks_early() -> None:
    """Give receipts when a frame is accepted instead of when it is on disk: a promise broken on purpose."""
    from mooring.kernel.frames import Receipt
    from mooring.telemetry.ingest import Ingest

    accept = Ingest.accept

    def too_soon(self: Ingest, source: Any, frame: Any, sink: Any, body: Any = None) -> None:
        accept(self, source, frame, None, body)
        if sink is not None:
            sink.settled([Receipt(frame.seq, "stored", stored=1)])

    Ingest.accept = too_soon  # type: ignore[method-assign]


def forgets() -> None:
    """Forget which frames are stored: a promise broken on purpose."""
    from mooring.telemetry.settle import Settlement

    async def nothing_known(_: Settlement, pending: list[Any], batch: Any) -> list[Any]:
        return pending

    Settlement._drop_known = nothing_known  # type: ignore[method-assign]


def hasty() -> None:
    """Shorten the deadlines for headers and bodies, so a test need not sit them out."""
    from mooring.doors import front, headers_due, request
    from mooring.doors.devices.mqtt import connection

    connection.CONNECT_DEADLINE_S = connection.PACKET_DEADLINE_S = 0.7  # type: ignore[misc]
    connection.GUEST_S = 1.5  # type: ignore[misc]
    headers_due.HEADER_DEADLINE_S = front.BODY_DEADLINE_S = 0.7
    request.read_body.__defaults__ = (0.7,)


ALTERATIONS: dict[str, Callable[[], None]] = {"acks_early": acks_early, "forgets": forgets, "hasty": hasty}

if __name__ == "__main__":
    ALTERATIONS[sys.argv.pop(1)]()
    main()
