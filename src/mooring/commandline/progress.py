"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from mooring.simulator.fleet import Progress

_EVERY_S = 10.0


class Reporter:
    """Called with the simulator's progress; shows as much as the output can bear."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._told_at = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
        if self._bar is not None:
            self._draw(self._bar, progress)
        elif not self._quiet:
            self._tell(progress)

    def _draw(self, bar: Bar, progress: Progress) -> None:
        words = f"{progress.stage} {progress.message}".strip()
        if progress.stage != self._stage or self._task is None:
            self._stage = progress.stage
            if self._task is not None:
                bar.remove_task(self._task)
            self._task = bar.add_task(words, total=progress.total or None)
        bar.update(self._task, description=words, completed=progress.done, total=progress.total or None)

    def _tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage or now - self._told_at >= _EVERY_S:
            self._stage, self._told_at = progress.stage, now
            typer.echo(f"{progress.stage}: {progress.done} of {progress.total} {progress.message}".rstrip(), err=True)
