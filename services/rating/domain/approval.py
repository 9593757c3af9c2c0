"""五(四) ¶3, R8: what needs approval counts from its approval (ADR 0016).

A gate stands between the conditions that hold and the grade: what needs no approval passes; what does passes from the day on which an
approver said so, having been able to see a ground of it. What doesn't pass is left out, so the grade in force is worked out from the
rest; with a gate that lets through what merely waits, the same rules work out what is proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from schemas.rulebook import Rulebook
from services.rating.domain.acts import Act, Decision
from services.rating.domain.days import civil_day, day
from services.rating.domain.facts import Fact
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.terms import terms_of
from services.rating.domain.view import View

APPROVED, RETURNED = "grade.approved", "grade.returned"


class Admitted(NamedTuple):
    """``counted``: the reasons that pass. ``waiting``: those that await a word, so that their rules hold and give no grade yet."""

    counted: list[Reason]
    waiting: list[Reason]


class When(NamedTuple):
    """When reasons were met. ``on``: the day, None where each reason has its own; ``known``: the instant from which it was known
    that they would be, for nobody approves ahead of it; ``by``: the day that is asked about."""

    on: date | None
    known: int
    by: date


@dataclass(slots=True)
class Gate:
    """``lenient``: what waits passes as well. ``waited``: whether anything that waits was met on the way; ``returned``: the newest
    return that kept something out."""

    rulebook: Rulebook
    words: tuple[Fact, ...]
    lenient: bool = False
    waited: bool = False
    returned: Fact | None = field(default=None)

    @staticmethod
    def of(view: View, rulebook: Rulebook) -> Gate | None:
        """None where no grade of the rulebook needs approval."""
        if rulebook.periodic is None or rulebook.periodic.approval is None:
            return None
        return Gate(rulebook, tuple(view.words.get(rulebook.regime, ())))

    def asks(self, grade: str, on: date) -> bool:
        """True for a grade that needs approval on a day."""
        return grade in terms_of(self.rulebook, on).approved

    def admit(self, reasons: Iterable[Reason], when: When) -> Admitted:
        """Sort reasons by whether they count on ``when.by``. One that was approved acts from the day of that at the earliest."""
        found = Admitted([], [])
        # What was met on one day is asked by the terms of that day alone.
        approved = terms_of(self.rulebook, when.on).approved if when.on else None
        for reason in reasons:
            on = when.on or reason.on
            assert on is not None and reason.grade is not None
            if not (self.asks(reason.grade, on) if approved is None else reason.grade in approved):
                found.counted.append(reason)
            elif word := self._approved(reason, when):
                found.counted.append(replace(reason, on=max(on, _day(word)), approved_by=word))
            elif self._is_returned(reason, when):
                continue
            else:
                self.waited = True
                (found.counted if self.lenient else found.waiting).append(reason)
        return found

    def note(self, waited: bool, returned: Fact | None) -> None:
        """Take over what another gate met on a part of the way."""
        self.waited = self.waited or waited
        if returned and (self.returned is None or returned.offset > self.returned.offset):
            self.returned = returned

    def _said(self, name: str, reason: Reason, when: When) -> Iterator[Fact]:
        """The words of a kind on the reason's grade that were entered after what made it so, and whose day has come."""
        for word in self.words:
            if word.name == name and word.data["grade"] == reason.grade and word.known >= when.known and _day(word) <= when.by:
                yield word

    def _approved(self, reason: Reason, when: When) -> Fact | None:
        """The first approval by someone who could see it: of acts one, of other facts all were entered before."""
        if not self.words:
            return None
        zone = self.rulebook.zone
        for word in self._said(APPROVED, reason, when):
            if when.on is not None and civil_day(word.known, zone) < when.on:
                continue
            acts = [act for holding in reason.holdings for act in holding.acts]
            if acts:
                seen = any(_entered(act) < word.offset for act in acts)
            else:
                seen = all(fact.offset < word.offset for holding in reason.holdings for fact in holding.facts)
            if seen:
                return word
        return None

    def _is_returned(self, reason: Reason, when: When) -> bool:
        """Whether it was returned and rests on nothing that was entered, worded or served after that. A decision that is merely
        entered once more is nothing new."""
        if not self.words:
            return False
        newest: int | None = None
        for word in self._said(RETURNED, reason, when):
            if newest is None:
                newest = _newest(reason)
            if word.offset > newest:
                self.note(False, word)
                return True
        return False


def _day(word: Fact) -> date:
    found = day(word.data["occurred_on"])
    assert found is not None
    return found


def _entered(act: Act) -> int:
    """The offset from which on an act was there to be seen."""
    return max(act.fact.offset, act.served_by.offset if act.served_by else -1)


def _changed(fact: Fact) -> int:
    return max(fact.offset, fact.worded_by.offset if fact.worded_by else -1)


def _newest(reason: Reason) -> int:
    """The offset of the newest that the reason rests on."""
    acts = [act for holding in reason.holdings for act in holding.acts]
    facts = [fact for holding in reason.holdings for fact in holding.facts]
    return max((*_first_of_each(acts), *(_changed(fact) for fact in facts)), default=-1)


def _first_of_each(acts: Iterable[Act]) -> Iterator[int]:
    """For each decision the offset at which it was as it is now, by the first of its entries."""
    first: dict[Decision, int] = {}
    for act in acts:
        offset = max(_changed(act.fact), _entered(act))
        first[act.decision] = min(first.get(act.decision, offset), offset)
    yield from first.values()


def approvals(rulebook: Rulebook, reasons: Sequence[Reason], grade: str) -> tuple[Reason, ...]:
    """What an approved grade's explanation ends with: who said so and when, each word once."""
    assert rulebook.periodic is not None
    approval = rulebook.periodic.approval
    if approval is None or all(one.approved_by is None for one in reasons):
        return ()
    words = {one.approved_by.offset: one.approved_by for one in reasons if one.approved_by and one.grade == grade}
    if approval is None or not words:
        return ()
    found = []
    for word in words.values():
        values = {"grade": grade, "day": _day(word), "document": word.data.get("document_no") or word.id}
        rule = APPROVED.replace(".", "_")
        found.append(Reason(rule, approval.clause, grade, approval, values, facts=(Decisive(word),), readings=approval.readings))
    return tuple(found)


def with_proposal(gate: Gate, found: Standing, work_out: Callable[[Gate], Standing]) -> Standing:
    """``found``, the standing in force, with what is proposed beside it. ``work_out``: the same rules through another gate."""
    if not gate.waited:
        return replace(found, returned=gate.returned) if gate.returned else found
    met = work_out(replace(gate, lenient=True, waited=False))
    waits = met.grade is not None and met.in_force_from is not None and gate.asks(met.grade, met.in_force_from)
    reasons = [one for one in met.reasons if one.grade == met.grade]
    # A word on a ground of the same grade answers the proposal, also where the grade in force still stands by an earlier ground.
    answered = met.grade == found.grade and any(one.approved_by for one in reasons)
    if not waits or answered or any(one in found.reasons for one in reasons):
        return replace(found, returned=gate.returned)
    return replace(found, proposed=met, returned=gate.returned)
