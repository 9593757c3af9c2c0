"""What the pages of the console are made of, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import Path
from starlette.requests import Request

from services._bus.problems import Problem, language
from services.audit.adapters.console_reader import ConsoleReader
from services.audit.adapters.subject_grades import SubjectGrades
from services.audit.domain.registry import Registry
from services.audit.proving import ReadFile
from services.audit.web.console.words import Words
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages

State = Literal["open", "hearing", "confirmed", "cleared", "retracted"]
STATES: Mapping[str, tuple[str, str]] = {
    "open": ("待处理", "Open"),
    "hearing": ("听取意见中", "In hearing"),
    "confirmed": ("已认定", "Confirmed"),
    "cleared": ("已澄清", "Cleared"),
    "retracted": ("已撤回", "Retracted"),
}
OutagesOf = Callable[[str | None, dict[str, Any]], list[dict[str, Any]]]
"""Regime and data of a finding → the declared outages that touch its term."""
Auditor = Callable[..., Any]
Id = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f-]{8,64}$")]


@dataclass(frozen=True)
class Desk:
    """``log``: the log's state, as ``/status`` tells it. ``today``: the wall clock's date where the stack is. ``standings``: what hearings
    say of matters, those never notified left out."""

    reader: ConsoleReader
    grades: SubjectGrades
    words: Words
    pages: Pages
    outages: OutagesOf
    leaves: Leaves
    read_file: ReadFile
    registry: Callable[[], Registry]
    log: Callable[[], Mapping[str, Any]]
    time_zone: str
    today: Callable[[], date]
    standings: Callable[[], Mapping[str, State]] = dict

    def closed_through(self) -> date | None:
        """The last closed day."""
        closings = self.registry().closings
        return date.fromisoformat(closings[-1][1]) if closings else None

    def state_of(self, matter: str, retracted: bool) -> State:
        """Where a matter stands. What a hearing said stays, also where the finding is gone."""
        said = self.standings().get(matter)
        return said or ("retracted" if retracted else "open")


@dataclass(frozen=True)
class Link:
    """Addresses of one page with its filters: what is not named stays, ``None`` drops it."""

    path: str
    lang: str
    chosen: Mapping[str, str | None] = field(default_factory=dict)

    def __call__(self, **changed: str | None) -> str:
        wanted = {"lang": self.lang, **self.chosen, **changed}
        return f"{self.path}?" + urlencode({name: value for name, value in wanted.items() if value})


def to(path: str, lang: str) -> str:
    """The address of another page, in the same language."""
    return f"{quote(path, safe='/:')}?lang={lang}"


async def wanted_finding(desk: Desk, id: str) -> dict[str, Any]:
    """The row of a finding. Raises ``Problem`` 404."""
    row = await desk.reader.one(id)
    if row is None:
        zh, en = "没有这个编号的发现。请从发现列表进入。", "There is no finding of this id. Come in by the list of findings."
        raise Problem(404, "no-finding", zh=zh, en=en)
    return row


def lang_of(request: Request) -> str:
    """``zh`` or ``en``."""
    return language(request)
