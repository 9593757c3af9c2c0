"""A bar on standard error for work that takes its time, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TaskProgressColumn as Share


@contextmanager
def bar(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """Says how much is done, of ``total``; 0: nobody knows how much there is, and it only shows that work goes on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), Share(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(words, total=total or None)
        yield lambda done: progress.update(task, completed=done)
