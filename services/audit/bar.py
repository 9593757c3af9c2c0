"""Progress of audit's commands: on a terminal, silence elsewhere."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Told(Protocol):
    """Takes how much of a task is done, and of how much, where that is not known from the start."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


class Bar:
    """One line for each task."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def task(self, words: str, total: int | None = None) -> Told:
        """A line that begins at 0."""
        task = self._progress.add_task(words, total=total)
        return lambda done, total=None: self._progress.update(task, completed=done, total=total)
