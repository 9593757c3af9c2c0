"""One subject under two rulebooks: where it stands by each on a day, what decided, and on which days they would have differed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from schemas.events.derived import NOT_RATED
from schemas.rulebook import Condition, Rulebook
from schemas.rulebook.conditions import CAUSES
from services.rating.analysis.history import EVERYTHING, Known, Stage
from services.rating.domain.holding import Quantity
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
    first = min(old.scene.go_live, new.scene.go_live, day)
    # One after the other: a view keeps the acts sorted for one rulebook at a time.
    was, before = _course(known, old, first, day)
    now, after = _course(known, new, first, day)
    return Compared(known.subject.subject, known.name, was, now, tuple(corrections(before, after)))


def _course(known: Known, stage: Stage, first: date, last: date) -> tuple[Standing | None, list[Span]]:
    """The standing on the last day, and the stretches up to it."""
    at_end = stage.standing(known, last)
    turns = turns_of(known.subject, stage.controls(known), stage.scene.rated, upto=EVERYTHING, first=first, last=last)
    return at_end, spans(turns, lambda day: stage.standing(known, day), first=first, last=last, at_end=at_end)


def deciding(standing: Standing | None) -> tuple[Reason, ...]:
    """The reasons that gave the grade; without a grade those that say why there is none."""
    if standing is None:
        return ()
    giving = tuple(one for one in standing.reasons if one.grade == standing.grade)
    return giving or standing.reasons


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a deciding rule compared with a bound which the new rulebook changes. ``new``: by the new rulebook's rule."""

    new: bool
    rule: str
    clause: str
    quantity: Quantity


def numbers_of(rulebook: Rulebook, reasons: Iterable[Reason], changed: Collection[str], *, new: bool) -> list[Number]:
    """What the conditions that read one of the parameters ``changed`` found, for the rules behind the reasons."""
    rules = {rule.id: rule for rule in rulebook.rules}
    found = []
    for reason in reasons:
        conditions = rules[reason.rule].all if reason.rule in rules else ()
        if len(reason.holdings) < len(conditions):
            # A rule that acts at once says what its cause found alone.
            conditions = tuple(one for one in conditions if isinstance(one, CAUSES))
        for condition, holding in zip(conditions, reason.holdings, strict=False):
            if not read_by(condition).isdisjoint(changed):
                found += [Number(new, reason.rule, reason.clause, one) for one in holding.numbers]
    return found


def read_by(condition: Condition) -> set[str]:
    """The names of the parameters that a condition reads."""
    return {name for field in type(condition).parameters if (name := getattr(condition, field))}


def parameters_of(rulebook: Rulebook, reasons: Iterable[Reason]) -> set[str]:
    """The parameters that the rules behind the reasons read; for what is no rule, those that every evaluation reads."""
    rules = {rule.id: rule for rule in rulebook.rules}
    found: set[str] = set()
    for reason in reasons:
        rule = rules.get(reason.rule)
        if rule:
            found |= {name for condition in rule.all for name in read_by(condition)}
        elif rulebook.periodic:
            new = rulebook.periodic.new_enterprises
            found |= {new.months, new.start_unknown, new.legal_fields, rulebook.periodic.score_maximum}
    return found
