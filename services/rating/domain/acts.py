"""Facts → acts: what happened to a subject, in the sanction words of the rulebooks, with the day it took effect.

An act takes effect on the day its document was served (R3); what has no document takes effect on the day it happened.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import date
from functools import lru_cache
from typing import Any

from services.rating.domain.days import day
from services.rating.domain.facts import Fact
from services.rating.domain.values import quick

Decision = tuple[str, str, str]
"""An authority's decision by who decided, kind and number."""


@quick
class Act:
    """``effective`` orders acts; ``served_by`` is the later event that made service known, where it wasn't in the document."""

    effective: date
    offset: int
    sanctions: frozenset[str]
    fact: Fact
    legal_field: str | None = None
    violation: str | None = None
    concepts: frozenset[str] = frozenset()
    approvals: int = 0
    happened: date | None = None
    served: date | None = None
    correct_by: date | None = None
    served_by: Fact | None = None
    position: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """What two entries of one act share: the office, the kind and number of its document, and the act's place in it. An event
        for each violation of one warning is told apart by the violation."""
        place = self.violation if self.fact.name in ONE_VIOLATION else self.position
        return (*self.decision, place)

    @property
    def decision(self) -> Decision:
        """What the acts of one decision share, however often it was entered; of what has no document its own event."""
        return decision_of(self.fact) or (self.fact.source, self.fact.name, self.fact.id)

    @property
    def same_as(self) -> frozenset[tuple[object, ...]]:
        """Names of the act for the violation: two acts that share one are one to a succession. An announcement has that of the
        act which it makes public."""
        names = {self.identity, (self.fact.source, self.fact.id, self.violation)}
        if announced := self.fact.data.get("announces"):
            names.add((announced["source"], announced["id"], self.violation))
        return frozenset(names)

    @property
    def order(self) -> tuple[date, int, int]:
        return order_of(self)

    # An act that is a moment by itself, as ``causes.Cause`` is one of several.
    @property
    def on(self) -> date:
        return self.effective

    @property
    def act(self) -> Act:
        return self

    @property
    def quantity(self) -> int:
        return 1

    def acts(self) -> tuple[Act, ...]:
        return (self,)

    def comes_before(self, other: Act) -> bool:
        """By ``order``, without making one: it is asked of every act there is."""
        if self.effective != other.effective:
            return self.effective < other.effective
        return self.offset < other.offset or (self.offset == other.offset and self.position < other.position)

    @property
    def regime(self) -> str | None:
        """The regime that an inspection was made for, where it names one: its findings are of that regime only."""
        regime: str | None = self.fact.data.get("regime")
        return regime

    @property
    def document(self) -> str | None:
        return self.fact.data.get("document_no") or self.fact.data.get("case_no")


def order_of(act: Act) -> tuple[date, int, int]:
    """``Act.order``, for sorting by it."""
    return (act.effective, act.offset, act.position)


def put(acts: list[Act], act: Act) -> None:
    """Enter an act into a list that is sorted by order. Mostly the newest comes last."""
    if acts and act.comes_before(acts[-1]):
        insort(acts, act, key=order_of)
    else:
        acts.append(act)


ONE_VIOLATION = frozenset({"warning.issued", "announcement.made"})
_OTHER = "other_department.penalised"
DOCUMENTS = frozenset(
    {
        _OTHER,
        "warning.issued",
        "announcement.made",
        "correction.ordered",
        "penalty.decided",
        "crime.judged",
        "obstruction.determined",
        "permit.revoked",
    }
)
# All others bring none.
ACTS = DOCUMENTS | {"enterprise.closed", "inspection.recorded", "case.closed"}


def decision_of(fact: Fact) -> Decision | None:
    """What two entries of one decision share; None for what has no document. Who decided is the office that entered it, or the other
    department whose decision it is."""
    number = fact.data.get("document_no")
    if fact.name not in DOCUMENTS or not number:
        return None
    return ((fact.data.get("authority") if fact.name == _OTHER else None) or fact.source, fact.name, number)


def between(acts: list[Act], first: date, last: date) -> list[Act]:
    """Of acts in the order of their days of effect those from ``first`` to ``last``, both days included."""
    low = bisect_left(acts, first, key=lambda act: act.effective)
    return acts[low : bisect_right(acts, last, key=lambda act: act.effective)]


def acts_of(fact: Fact, service: dict[str, Any] | None = None, served_by: Fact | None = None) -> list[Act]:
    """The acts that a fact brings. A document without ``service`` (its own, or the one given) brings none: awaiting service."""
    name, data = fact.name, fact.data
    if name not in ACTS:
        return []
    happened = day(data.get("occurred_on"))
    if name not in DOCUMENTS:
        return [] if happened is None else _of_event(fact, happened)
    service = data.get("service") or service
    if service is None:
        return []
    served, correct_by = day(service["served_on"]), day(data.get("correct_by"))
    assert served is not None
    return [
        Act(served, fact.offset, sanctions, fact, field, violation, concepts, approvals, happened, served, correct_by, served_by, position)
        for position, (sanctions, field, violation, concepts, approvals) in enumerate(_of_document(name, data))
    ]


# What an act of a document says: sanctions, legal field, violation, concepts, approvals revoked.
_Words = tuple[frozenset[str], str | None, str | None, frozenset[str], int]
_NO_WORDS: frozenset[str] = frozenset()


def _of_event(fact: Fact, happened: date) -> list[Act]:
    """Of what has no document: it takes effect on the day it happened."""
    name, data = fact.name, fact.data
    if name == "enterprise.closed":
        return [Act(happened, fact.offset, _words((data["reason"],)), fact, happened=happened)]
    if name == "inspection.recorded":
        sanctions, violations = _words(("violation_found",)), data.get("violations") or ()
    elif data["outcome"] == "violation_no_penalty":
        sanctions, violations = _words(("violation_established",)), data.get("violations") or (None,)
    else:
        return []
    return [
        Act(happened, fact.offset, sanctions, fact, None, code, _NO_WORDS, 0, happened, position=position)
        for position, code in enumerate(violations)
    ]


def _of_document(name: str, data: dict[str, Any]) -> list[_Words]:
    if name in ("penalty.decided", _OTHER):
        return [_penalty(act) for act in data["acts"]]
    field = data.get("legal_field")
    if name == "warning.issued":
        return [(_words(("warning",)), field, data["violation"], _NO_WORDS, 0)]
    if name == "announcement.made":
        return [(_words(("announcement",)), field, data["violation"], _NO_WORDS, 0)]
    if name == "correction.ordered":
        return [(_words(("correction_order",)), field, code, _NO_WORDS, 0) for code in data["violations"]]
    if name == "crime.judged":
        return [(_words(("crime" if data["final"] else "crime_not_final",)), field, None, _NO_WORDS, 0)]
    if name == "obstruction.determined":
        return [(_words(("obstruction",)), None, None, _NO_WORDS, 0)]
    return [(_words(("permit_revoked" if data["whole"] else "permit_partly_revoked",)), None, None, _NO_WORDS, 0)]


def _penalty(act: dict[str, Any]) -> _Words:
    kinds, concepts = _words(tuple(act["kinds"])), act.get("concepts")
    approvals = (act.get("approvals_revoked") or 1) if "advertising_approval_revoked" in kinds else 0
    return (kinds, act["legal_field"], act["violation"], _words(tuple(concepts)) if concepts else _NO_WORDS, approvals)


@lru_cache(maxsize=4_096)
def _words(some: tuple[str, ...]) -> frozenset[str]:
    """One set for all acts alike: its hash is worked out once."""
    return frozenset(some)
