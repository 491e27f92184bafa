"""Refusals of the telemetry room."""

from __future__ import annotations

from typing import ClassVar

from mooring.kernel.errors import Conflict, Exhausted, Invalid, Missing


class FrameEmpty(Invalid):
    """A frame with nothing in it that could be stored."""

    code: ClassVar[str] = "frame_empty"


class DeviceGone(Missing):
    """The device was deleted while it was still talking."""

    code: ClassVar[str] = "device_gone"


class TooManyKeys(Exhausted):
    """A device invents more keys than one device may have."""

    code: ClassVar[str] = "too_many_keys"


class QueueFull(Exhausted):
    """The store is slower than the devices; the frame was not taken."""

    code: ClassVar[str] = "queue_full"


class SeqConflict(Conflict):
    """The same (device, boot_id, seq) came with another content."""

    code: ClassVar[str] = "seq_conflict"
