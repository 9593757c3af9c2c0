"""One subject under two rulebooks: where it stands by each on a day, what decided, and on which days they would have differed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schemas.events.derived import NOT_RATED
from schemas.rulebook import Rulebook
from services.rating.analysis.history import EVERYTHING, Known, Stage
from services.rating.domain.sentences import Reason
from services.rating.domain.spans import Correction, Span, corrections, spans, turns_of
from services.rating.domain.standing import Standing


@dataclass(frozen=True, slots=True)
class Compared:
    """``differing``: the stretches up to the day compared on which grade or status differ; ``was`` of a stretch is the old
    rulebook's standing, ``now`` the new one's pair."""

    subject: str
    name: str | None
    old: Standing | None
    new: Standing | None
    differing: tuple[Correction, ...]

    @property
    def moves(self) -> bool:
        """Whether grade or status differ on the day compared."""
        return label(self.old) != label(self.new)

    @property
    def rated(self) -> bool:
        """Whether either rulebook rates it."""
        return self.old is not None or self.new is not None

    @property
    def since(self) -> date | None:
        """For one that moves: the first day of the stretch that reaches the day compared."""
        return self.differing[-1].first if self.moves and self.differing else None

    @property
    def days(self) -> int:
        """On how many days of the whole history grade or status differ."""
        return sum((one.last - one.first).days + 1 for one in self.differing)


def label(standing: Standing | None) -> str:
    """The grade, or the status word where there is no grade."""
    return label_of(*standing.pair) if standing else NOT_RATED


def label_of(grade: str | None, status: str | None) -> str:
    """The same of a pair."""
    return grade or status or NOT_RATED


def compare(known: Known, old: Stage, new: Stage, day: date) -> Compared:
    """The subject under both stages' rulebooks, on ``day`` and on every day from the earlier go-live to it."""
    was, now = old.standing(known, day), new.standing(known, day)
    first = min(old.scene.go_live, new.scene.go_live, day)
    differing = corrections(_spans(known, old, first, day, was), _spans(known, new, first, day, now))
    return Compared(known.subject.subject, known.name, was, now, tuple(differing))


def _spans(known: Known, stage: Stage, first: date, last: date, at_end: Standing | None) -> list[Span]:
    turns = turns_of(known.subject, stage.controls(known), stage.scene.book.rulebook, upto=EVERYTHING, first=first, last=last)
    return spans(turns, lambda day: stage.standing(known, day), first=first, last=last, at_end=at_end)


def deciding(standing: Standing | None) -> tuple[Reason, ...]:
    """The reasons that gave the grade; without a grade those that say why there is none."""
    if standing is None:
        return ()
    giving = tuple(one for one in standing.reasons if one.grade == standing.grade)
    return giving or standing.reasons


def parameters_of(rulebook: Rulebook, reasons: Iterable[Reason]) -> set[str]:
    """The parameters that the rules behind the reasons read; for what is no rule, those that every evaluation reads."""
    rules = {rule.id: rule for rule in rulebook.rules}
    found: set[str] = set()
    for reason in reasons:
        rule = rules.get(reason.rule)
        if rule:
            for condition in rule.all:
                found |= {name for field in type(condition).parameters if (name := getattr(condition, field))}
        elif rulebook.periodic:
            new = rulebook.periodic.new_enterprises
            found |= {new.months, new.start_unknown, new.legal_fields, rulebook.periodic.score_maximum}
    return found
