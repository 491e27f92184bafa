"""Coarse deadlines for waits that are many and short: one sweep for all of them instead of a timer each.

A timer of the event loop costs as much as decoding a frame; a deadline of tens of seconds needs no such precision.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Protocol

SWEEP_S = 0.5


class Aging(Protocol):
    """What waits, and grows older by half a second a sweep."""

    def age(self) -> None:
        """Grow older by one sweep."""


class Sweeper:
    """What waits on one event loop; it is told of every half second that passes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._aging: set[Aging] = set()
        self.loop = loop
        self._scheduled = False

    def watch(self, one: Aging) -> None:
        """Tell `one` of every sweep from now on."""
        self._aging.add(one)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_later(SWEEP_S, self._sweep)

    def forget(self, one: Aging) -> None:
        """Tell `one` no more."""
        self._aging.discard(one)

    def _sweep(self) -> None:
        for one in list(self._aging):
            one.age()
        self._scheduled = bool(self._aging)
        if self._scheduled:
            self.loop.call_later(SWEEP_S, self._sweep)


class Span:
    """A stretch of one task's work that ends in ``TimeoutError`` if it outlives its deadline."""

    __slots__ = ("_expired", "_left", "_sweeper", "_task")

    def __init__(self, sweeper: Sweeper, sweeps: int) -> None:
        self._sweeper = sweeper
        self._left = sweeps
        self._expired = False
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        """Begin."""
        self._sweeper.watch(self)

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        """End; what a sweep cancelled comes out as ``TimeoutError``."""
        self._sweeper.forget(self)
        if self._expired and kind is asyncio.CancelledError and self._task is not None:
            self._task.uncancel()
            raise TimeoutError

    def age(self) -> None:
        """Grow older by one sweep; interrupt the task if that was the last."""
        self._left -= 1
        if self._left < 0 and not self._expired and self._task is not None:
            self._expired = True
            self._task.cancel()


_latest: Sweeper | None = None


def within(seconds: float) -> Span:
    """Return a span for the running task, used with ``with``; it ends after `seconds`, half a second late at most."""
    return Span(sweeper(), round(seconds / SWEEP_S))


def sweeper() -> Sweeper:
    """Return the sweeper of the running loop."""
    global _latest  # noqa: PLW0603 (a process has one loop at a time; spans keep the sweeper they began with)
    loop = asyncio.get_running_loop()
    if _latest is None or _latest.loop is not loop:
        _latest = Sweeper(loop)
    return _latest
