"""Entries as a detector gets them, day by closed day, without records or signatures: what is measured here is arithmetic."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from schemas.rulebook import Rulebook, load_all_editions
from schemas.topics import FACTS
from services.audit.domain.detectors.model import Closed, Detector, Entry, Order, Scanned, Scene, Sign
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests.toolkit import genesis

DEPARTMENT = "/departments/made-up/offices"
_DAY = timedelta(days=1)


@cache
def editions() -> dict[str, list[Rulebook]]:
    """The repository's rulebooks, as detectors take them."""
    folder = Path(__file__).resolve().parents[2] / "rulebooks"
    return {regime: list(books) for regime, books in load_all_editions(folder).items()}


@dataclass
class Fold:
    """A detector that is fed. ``announcements``: regime, first and last day of the period, evaluation date; ``off``: days off;
    ``offices``: of the officers who entered something."""

    detector: Detector
    announcements: Sequence[tuple[str, str, str, str]] = ()
    off: Iterable[date] = ()
    told: list[Sign | Scanned] = field(default_factory=list)
    number: int = 0
    offices: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registry = Registry(genesis()["event"])
        self.registry.next_offset = 1
        self.registry.announcements = [(0, one) for one in self.announcements]
        by_year: dict[int, set[date]] = {}
        for day in self.off:
            by_year.setdefault(day.year, set()).add(day)
        self.calendar = WorkCalendar({year: YearTable(year, frozenset(days), frozenset()) for year, days in by_year.items()})

    def enter(
        self, kind: str, data: Mapping[str, Any], *, subject: str, office: str, officer: str, day: date, channel: str = "desk"
    ) -> None:
        """An entry of ``day``."""
        self.number += 1
        self.offices[f"officer:{officer}"] = f"{DEPARTMENT}/{office}"
        known = int(datetime(day.year, day.month, day.day, 8, tzinfo=UTC).timestamp() * 1000) + self.number % 1000
        name = str(uuid.UUID(bytes=hashlib.md5(f"{self.number}".encode(), usedforsecurity=False).digest()))
        said = {"entered_by": f"officer:{officer}", "occurred_on": day.isoformat(), **data}
        order = Order(known, 0, self.number)
        entry = Entry(FACTS, order, known, known, name, f"{DEPARTMENT}/{office}", kind, f"uscc:{subject}", channel, "k", 0, said)
        if kind in self.detector.types:
            self.told.extend(self.detector.take(entry, Scene(self.registry, 0, self.calendar)))

    def close(self, day: date) -> list[Sign | Scanned]:
        """A day ends."""
        told = list(self.detector.close(Closed(day, 0, Scene(self.registry, 0, self.calendar))))
        self.told.extend(told)
        return told

    def signs(self) -> list[Sign]:
        """What was found."""
        return [one for one in self.told if isinstance(one, Sign)]

    def scans(self) -> list[Scanned]:
        """The scans that were told."""
        return [one for one in self.told if isinstance(one, Scanned)]


def working_days(year: int, off: Iterable[date] = ()) -> list[date]:
    """Monday to Friday, without the days off."""
    gone = set(off)
    days = [date(year, 1, 1) + timedelta(days=one) for one in range(366)]
    return [day for day in days if day.year == year and day.weekday() < 5 and day not in gone]
