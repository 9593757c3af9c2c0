"""How the command line speaks: Chinese or English by the locale, colour and bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_PLAIN_STEPS = 10


def language() -> str:
    """``zh`` where ``MINGJIAN_LANG`` or the locale says Chinese, else ``en``."""
    said = os.environ.get("MINGJIAN_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if said.lower().startswith("zh") else "en"


class Bar(Protocol):
    """A count that grows. ``to`` is absolute, so that a repeat changes nothing."""

    def to(self, done: int) -> None: ...

    def note(self, words: str) -> None: ...


@dataclass
class Voice:
    """``out`` for answers, ``err`` for what goes on meanwhile, so that pipes get answers alone."""

    out: Console
    err: Console
    lang: str

    @staticmethod
    def of_terminal() -> Voice:
        return Voice(Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True), language())

    def pick(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def say(self, words: str = "") -> None:
        """A line of the answer, at once: whoever reads a pipe shall not wait for a full buffer."""
        self.out.print(words, markup=False)
        self.out.file.flush()

    def mention(self, words: str) -> None:
        """A line beside the answer, to standard error."""
        self.err.print(words, markup=False)

    @contextmanager
    def bar(self, words: str, total: int, *, beside: bool = False) -> Iterator[Bar]:
        """A progress bar on a terminal; a line at every tenth elsewhere. ``beside``: on standard error."""
        console = self.err if beside else self.out
        if not console.is_terminal:
            yield _Lines(console, words, total)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console) as progress:
            yield _Rich(progress, progress.add_task(words, total=total, note=""))


@dataclass
class _Rich:
    progress: Progress
    task: object

    def to(self, done: int) -> None:
        self.progress.update(self.task, completed=done, note="")  # type: ignore[arg-type]

    def note(self, words: str) -> None:
        self.progress.update(self.task, note=words)  # type: ignore[arg-type]


@dataclass
class _Lines:
    console: Console
    words: str
    total: int
    shown: int = 0
    noted: str = ""

    def to(self, done: int) -> None:
        tenth = done * _PLAIN_STEPS // self.total if self.total else _PLAIN_STEPS
        if tenth > self.shown:
            self.shown = tenth
            self.console.print(f"{self.words} {done:,} / {self.total:,}", markup=False)
            self.console.file.flush()

    def note(self, words: str) -> None:
        if words != self.noted:
            self.noted = words
            self.console.print(f"{self.words}: {words}", markup=False)
            self.console.file.flush()


def fail(words: str) -> None:
    """One sentence to standard error."""
    print(words, file=sys.stderr, flush=True)
