"""Coarse deadlines for waits that are many and short: one sweep for all of them instead of a timer each.

A timer of the event loop costs as much as decoding a frame; a deadline of tens of seconds needs no such precision.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from weakref import WeakKeyDictionary

SWEEP_S = 0.5


class Sweeper:
    """The spans open on one event loop; it looks at them every half second while there are any."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.spans: set[Span] = set()
        self._loop = loop
        self._scheduled = False

    def watch(self, span: Span) -> None:
        """Take in a span."""
        self.spans.add(span)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        for span in list(self.spans):
            span.age()
        self._scheduled = bool(self.spans)
        if self._scheduled:
            self._loop.call_later(SWEEP_S, self._sweep)


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
        self._sweeper.spans.discard(self)
        if self._expired and kind is asyncio.CancelledError and self._task is not None:
            self._task.uncancel()
            raise TimeoutError

    def age(self) -> None:
        """Grow older by one sweep; interrupt the task if that was the last."""
        self._left -= 1
        if self._left < 0 and not self._expired and self._task is not None:
            self._expired = True
            self._task.cancel()


_sweepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Sweeper] = WeakKeyDictionary()


def within(seconds: float) -> Span:
    """Return a span for the running task, used with ``with``; it ends after `seconds`, half a second late at most."""
    loop = asyncio.get_running_loop()
    sweeper = _sweepers.get(loop)
    if sweeper is None:
        sweeper = _sweepers[loop] = Sweeper(loop)
    return Span(sweeper, round(seconds / SWEEP_S))
