"""Scores by unit as a year of entries gives them: one for each subject and year, turned so that more is better."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from services.audit.domain.cuts import ANY, FINAL, Scale, just_good
from services.audit.domain.detectors.model import Entry, Shown, shown
from services.audit.domain.statistics import heaping
from services.audit.domain.statistics.populations import Names, acting

_MOST_SHOWN = 12


class Unit(NamedTuple):
    """``officer`` '' for the office as a whole."""

    office: str
    officer: str

    @property
    def words(self) -> tuple[str, str]:
        """Who it is, in Chinese and in English."""
        return (f"{self.officer}（{self.office}）", f"{self.officer} at {self.office}") if self.officer else (self.office, self.office)


def units_of(entry: Entry) -> list[Unit]:
    """Whose entry it is: the office's, and each acting officer's there."""
    return [Unit(entry.source, ""), *(Unit(entry.source, one) for one in acting(entry))]


@dataclass(slots=True)
class Stratum:
    """Oriented scores of one regime and kind. ``just_good``: the last entries right above each cut, by unit and parameter."""

    scores: dict[Unit, Counter[int]] = field(default_factory=dict)
    whole: Counter[int] = field(default_factory=Counter)
    names: dict[Unit, Names] = field(default_factory=dict)
    just_good: dict[tuple[Unit, str], deque[Shown]] = field(default_factory=dict)

    def add(self, entry: Entry, of: Scale, stratum: str, score: int) -> None:
        """A score, oriented."""
        self.whole[score] += 1
        near = [parameter for parameter, first in just_good(of, stratum) if 0 <= score - first < heaping.WIDTH]
        for unit in units_of(entry):
            self.scores.setdefault(unit, Counter())[score] += 1
            self.names.setdefault(unit, Names()).add(entry)
            for parameter in near:
                self.just_good.setdefault((unit, parameter), deque(maxlen=_MOST_SHOWN)).append(shown(entry, "just_good"))


def scored(entry: Entry, of: Scale) -> tuple[str, int, Decimal] | None:
    """Stratum, year and score; None of what is no score of the scale."""
    data = entry.data
    if entry.type == "score.recorded":
        return (FINAL, int(data["year"]), Decimal(data["total"])) if data["final"] and of.more_is_better else None
    points = {one["component"]: Decimal(one["points"]) for one in data.get("component_scores") or ()}
    if of.more_is_better or not all(one in points for one in of.components):
        return None
    stratum = str(data["kind"]) if any(cut.kinds for cut in of.cuts) else ANY
    total = sum((points[one] for one in of.components), Decimal(0))
    return stratum, date.fromisoformat(data["occurred_on"]).year, total
