"""Does the rulebook give what the authority published? Every inspection of a published file worked out again, without a stack.

Rows go through the importer and the fold that the services use. The official outcome is only compared with: it is no input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.rulebook import Rulebook
from services.intake.importers.rows import Row
from services.rating.bulk import follow
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book
from services.rating.domain.standing import Standing

# What the rulebook makes of an inspection that decides nothing.
PASSED_OVER = "-"


@dataclass(frozen=True)
class Case:
    """An inspection of the file. ``official``: the published outcome, "" for none; ``ours``: the grade or status that the rulebook
    gives by it, ``PASSED_OVER`` where it decides nothing; ``rule``, ``clause``, ``zh``, ``en``: what decided."""

    lines: tuple[int, ...]
    premises: str
    on: str
    official: str
    ours: str
    rule: str = ""
    clause: str = ""
    zh: str = ""
    en: str = ""


@dataclass
class Agreement:
    """Inspections with an official grade of the rulebook, and the lines of the file that tell of them. ``unscored``: those that
    were published without what a grade is worked out from; ``differing``: those to which the rulebook gives something else.
    ``pairs``: (official, ours) → inspections, of all."""

    graded: int = 0
    graded_lines: int = 0
    agreed: int = 0
    agreed_lines: int = 0
    unscored: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    differing: list[Case] = field(default_factory=list)

    def enter(self, case: Case, rulebook: Rulebook) -> None:
        self.pairs[case.official, case.ours] += 1
        if case.official not in rulebook.rank:
            return
        self.graded += 1
        self.graded_lines += len(case.lines)
        status = rulebook.status_words.get(case.ours)
        if case.official == case.ours:
            self.agreed += 1
            self.agreed_lines += len(case.lines)
        elif status is not None and status.role == "not_gradable":
            self.unscored += 1
        else:
            self.differing.append(case)

    def as_json(self) -> dict[str, Any]:
        return {
            "graded": self.graded,
            "agreed": self.agreed,
            "graded_lines": self.graded_lines,
            "agreed_lines": self.agreed_lines,
            "unscored": self.unscored,
            "pairs": [{"official": official, "rulebook": ours, "inspections": n} for (official, ours), n in sorted(self.pairs.items())],
            "differing": [
                {
                    "lines": one.lines,
                    "premises": one.premises,
                    "occurred_on": one.on,
                    "official": one.official,
                    "rulebook": one.ours,
                    "rule": one.rule,
                    "clause": one.clause,
                    "zh": one.zh,
                    "en": one.en,
                }
                for one in self.differing
            ],
        }


def agreement(rows: Sequence[Row], rulebook: Rulebook) -> Agreement:
    """Work out every inspection of the rows, in their order."""
    found = Agreement()
    for case in cases(rows, rulebook):
        found.enter(case, rulebook)
    return found


def cases(rows: Iterable[Row], rulebook: Rulebook) -> Iterator[Case]:
    """Each inspection with what the rulebook makes of it, as far as the rows until then tell."""
    pairs = [(row, event) for row in rows for event in row.events]
    followed = follow((orjson.dumps(event) for _, event in pairs), Book.of(rulebook))
    for (row, _), (fact, standing) in zip(pairs, followed, strict=True):
        if fact is not None and fact.name == "inspection.recorded":
            yield _case(row, fact, standing)


def _case(row: Row, fact: Fact, standing: Standing | None) -> Case:
    premises, official = row.subject.partition(":")[2], fact.data.get("published_outcome") or ""
    plain = Case(tuple(sorted(row.lines)), premises, fact.data["occurred_on"], official, PASSED_OVER)
    if standing is None or all(one.fact is not fact for one in standing.decisive):
        return plain
    # By the inspection itself, where what stood before a closure stands again as well.
    reason = next(one for one in standing.reasons if any(decisive.fact is fact for decisive in one.decisive))
    return Case(
        plain.lines, premises, plain.on, official, standing.grade or standing.status, reason.rule, reason.clause, reason.zh, reason.en
    )
