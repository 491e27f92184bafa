"""What ingest remembers of a device between frames: its series numbers, its boots, its last told status."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakValueDictionary

from mooring.telemetry.check import BOUNDS

BOOTS_KEPT = 64


class Boot:
    """One boot of a device: ``last`` is the highest seq accepted, ``committed`` the highest on disk (-1: none)."""

    __slots__ = ("committed", "last", "no")

    def __init__(self, no: int, committed: int) -> None:
        self.no = no
        self.last = committed
        self.committed = committed


class Source:
    """The memory of one device; doors hold it while the device is connected."""

    __slots__ = ("__weakref__", "boots", "bounds", "device_id", "gone", "held", "rejected", "series", "status", "units")

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.series: dict[str, int] = {}
        self.units: dict[str, str] = {}
        self.bounds: list[tuple[str, float, float]] = []
        self.boots: dict[str, Boot] = {}
        self.status: str | None = None
        self.rejected = 0
        self.gone = False
        # How many of its frames wait for a look-up; later ones wait behind them.
        self.held = 0

    def learn(self, key: str, no: int, unit: str | None) -> None:
        """Keep the number and unit of a key, and its physical bounds if it has any."""
        if key in BOUNDS and key not in self.series:
            self.bounds.append((key, *BOUNDS[key]))
        self.series[key] = no
        if unit is not None:
            self.units[key] = unit

    def remember(self, boot_id: str, boot: Boot) -> None:
        """Keep a boot; the oldest with nothing in flight goes, and is looked up again when it returns."""
        self.boots[boot_id] = boot
        if len(self.boots) > BOOTS_KEPT:
            idle = (name for name, old in self.boots.items() if old.last == old.committed and old is not boot)
            self.boots.pop(next(idle, ""), None)


class Sources:
    """All sources in use, and the most recent of those that are not."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._alive: WeakValueDictionary[str, Source] = WeakValueDictionary()
        self._recent: OrderedDict[str, Source] = OrderedDict()
        self._capacity = capacity

    def get(self, device_id: str) -> Source:
        """Return the one source of a device; two connections of it share it."""
        source = self._recent.get(device_id)
        if source is not None:
            self._recent.move_to_end(device_id)
            return source
        source = self._alive.get(device_id) or Source(device_id)
        self._alive[device_id] = source
        self._recent[device_id] = source
        if len(self._recent) > self._capacity:
            self._recent.popitem(last=False)
        return source

    def forget(self, device_id: str) -> None:
        """Drop a deleted device; whoever still holds its source finds no series in it, and that it is gone."""
        source = self.get(device_id)
        source.gone = True
        source.series.clear()
        del self._recent[device_id], self._alive[device_id]
