"""What frames tell besides readings — events and states — on its way into the devices' journal."""

from __future__ import annotations

from collections.abc import Sequence

from mooring.devices.journal.service import Journal
from mooring.devices.model import NewEvent, StatusSaid
from mooring.kernel.clock import from_us
from mooring.telemetry.settle import EventRecorder, SpokenEvent


def recorder(journal: Journal) -> EventRecorder:
    """Return what ingest calls, before a frame's readings are stored, to keep what it told."""

    async def record(spoken: Sequence[SpokenEvent]) -> None:
        await journal.record_events([_event(one) for one in spoken if one.event_type is not None])
        await journal.note_statuses(
            [StatusSaid(one.device_id, one.device_status, from_us(one.at_us)) for one in spoken if one.device_status]
        )

    return record


def _event(one: SpokenEvent) -> NewEvent:
    return NewEvent(
        device_id=one.device_id,
        event_type=one.event_type or "",
        at=from_us(one.at_us),
        severity=one.severity,
        message=one.message,
        body=one.body,
        boot_id=one.boot_id,
        seq=one.seq,
    )
