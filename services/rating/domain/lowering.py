"""五(四) ¶4, R7: a penalty outside the regime's own law lowers the existing grade by a step at once, until the evaluation of its
own period. The legal field decides, not the agency: a fine under price law counts here whoever imposed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from schemas.rulebook import Rulebook
from schemas.rulebook.periodic import Lowering
from services.rating.domain.acts import Act, between, put
from services.rating.domain.approval import approvals
from services.rating.domain.days import ONE_DAY
from services.rating.domain.holding import Holding, Quantity
from services.rating.domain.sentences import Reason
from services.rating.domain.standing import Standing

RULE = "lowered_by_step"


def matches(lowering: Lowering, rulebook: Rulebook, act: Act) -> bool:
    """True for a penalty whose legal field is one of those that lower. An act that names no field is the regime's own."""
    if act.legal_field is None or act.sanctions.isdisjoint(rulebook.sets[lowering.acts]):
        return False
    return act.legal_field in (rulebook.parameter(lowering.legal_fields).at(act.effective) or ())


@dataclass(slots=True)
class Counted:
    """The acts that lower, by day of effect, each decision once, by its first service."""

    lowering: Lowering
    rulebook: Rulebook
    _acts: list[Act] = field(default_factory=list)
    _counted: list[Act] | None = None
    _names: set[tuple[object, ...]] = field(default_factory=set)

    def enter(self, act: Act) -> None:
        """Take an act that lowers: see ``matches``."""
        put(self._acts, act)
        if self._acts[-1] is not act:
            self._counted = None
        elif self._counted is not None:
            self._count(act)

    def __bool__(self) -> bool:
        """False while there is none."""
        return bool(self._acts)

    def between(self, first: date, last: date) -> list[Act]:
        """The counted acts that took effect from ``first`` to ``last``, both days included."""
        if not self._acts:
            return []
        if self._counted is None:
            self._counted, self._names = [], set()
            for act in self._acts:
                self._count(act)
        return between(self._counted, first, last)

    def _count(self, act: Act) -> None:
        """The next by day, unless its decision is counted already."""
        assert self._counted is not None
        by = self.rulebook.parameter(self.lowering.counted_by).at(act.effective)
        name = act.decision if by == "decision" else act.identity
        if name not in self._names:
            self._names.add(name)
            self._counted.append(act)


Count = Callable[[Reason], Reason | None]


def stepped(
    rulebook: Rulebook, acts: Iterable[Act], on: Callable[[date], Standing], held: Standing | None, count: Count
) -> Standing | None:
    """The standing that steps come to. ``on`` tells what held on a day without any step; a step
    lowers what held on the day before; ``held``: what earlier steps came to, if
    there were any; ``count``: the step's reason where it counts, by an approval if it needs one (R8). None where there was no grade
    to lower."""
    worst = rulebook.grades[-1].grade
    for day, some in groupby(acts, key=lambda act: act.effective):
        if held is not None and held.grade == worst:
            break
        existing = worse(rulebook, on(day - ONE_DAY), held)
        if existing.grade is not None and existing.grade != worst:
            held = _lower(rulebook, existing, day, list(some), count)
    return held


def worse(rulebook: Rulebook, one: Standing, other: Standing | None) -> Standing:
    """R10: of two the worse holds; of two alike the earlier, resting on what both rest on. A grade lowers no status."""
    if other is None or one.grade is None or other.grade is None:
        return one
    if one.grade != other.grade:
        return max(one, other, key=lambda standing: rulebook.rank[standing.grade or ""])
    first, second = sorted((one, other), key=lambda standing: standing.in_force_from or date.min)
    return replace(first, reasons=(*first.reasons, *(reason for reason in second.reasons if reason not in first.reasons)))


def _lower(rulebook: Rulebook, existing: Standing, day: date, acts: Sequence[Act], count: Count) -> Standing:
    assert rulebook.periodic is not None and rulebook.periodic.lowering is not None and existing.grade is not None
    lowering = rulebook.periodic.lowering
    steps = len(acts) * (rulebook.parameter(lowering.steps).at(day) or 0)
    grade = rulebook.grades[min(rulebook.rank[existing.grade] + steps, len(rulebook.grades) - 1)].grade
    if grade == existing.grade:
        return existing
    values = {
        "day": day,
        "was": existing.grade,
        "now": grade,
        "steps": steps,
        "authorities": ", ".join(dict.fromkeys(str(act.fact.data.get("authority") or act.fact.source) for act in acts)),
    }
    holding = Holding(acts=tuple(acts), numbers=(Quantity("steps", str(steps), None),))
    reason = count(Reason(RULE, lowering.clause, grade, lowering, values, holdings=(holding,), readings=lowering.readings, on=day))
    if reason is None:
        return existing
    reasons = (reason, *approvals(rulebook, (reason,), grade), *existing.reasons)
    return replace(existing, grade=grade, in_force_from=reason.on, moment="immediate", reasons=reasons)
