"""New York City's restaurant inspections → what the method for heaps says of every cut of the scale.

Nothing is chosen here: which inspections count, one score for each premises, kind and year, the cuts and their good side, statistic and
correction are those of ``heaped_scores`` and of the rulebook. A cut that is none is tested as if a grade changed there.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from services.audit.domain.cuts import Scale, scale
from services.audit.domain.statistics import heaping
from services.audit.domain.statistics.distributions import holm
from services.audit.domain.statistics.heaping import Held, Natural
from services.intake.importers import nyc
from services.intake.importers.rows import Refused
from tests.statistics.fold import editions

FILE = "nyc_restaurants.csv"
FROM, TO = 5, 40
KINDS = {"initial": "initial inspections", "recheck": "re-inspections"}


@dataclass(frozen=True)
class Line:
    """``last_good``: the cut lies between this score and the next; ``real``: the rulebook's, for inspections of this kind."""

    last_good: int
    real: bool
    held: Held
    adjusted: float


@dataclass(frozen=True)
class Table:
    kind: str
    scores: int
    natural: Natural
    lines: tuple[Line, ...]

    @property
    def ranked(self) -> list[Line]:
        """The strangest first."""
        return sorted(self.lines, key=lambda one: (one.held.p, -one.held.z))


def read(folder: Path) -> tuple[Scale, dict[str, Counter[int]]]:
    """The oriented scores by kind of inspection: the first of each premises, kind and year."""
    found = scale(editions()[nyc.REGIME][0], date(2025, 12, 31))
    assert found is not None
    kept: dict[tuple[str, str, str], int] = {}
    with (folder / FILE).open(encoding="utf-8", newline="") as lines:
        for row in nyc.read(lines):
            assert not isinstance(row, Refused), row
            for event in row.events:
                data = event["data"]
                if data.get("kind") in KINDS and data.get("component_scores"):
                    points = sum(Decimal(str(one["points"])) for one in data["component_scores"])
                    kept.setdefault((event["subject"], data["kind"], data["occurred_on"][:4]), found.oriented(points))
    return found, {kind: Counter(score for (_, one, _), score in kept.items() if one == kind) for kind in KINDS}


def tables(folder: Path) -> list[Table]:
    """Every cut from ``FROM`` to ``TO``, for each kind of inspection."""
    found, scores = read(folder)
    made = []
    for kind, some in scores.items():
        natural = heaping.natural(some, [found.first_good(cut) for cut in found.cuts])
        assert natural is not None
        real = {int(cut.bound) for cut in found.decides(kind)}
        places = range(FROM, TO + 1)
        held = heaping.population(natural, some, [found.oriented(Decimal(place)) for place in places])
        adjusted = holm([one.p for one in held])
        lines = tuple(Line(place, place in real, one, p) for place, one, p in zip(places, held, adjusted, strict=True))
        made.append(Table(kind, sum(some.values()), natural, lines))
    return made


def rows(folder: Path) -> int:
    """Rows of the file."""
    with (folder / FILE).open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.DictReader(lines))
