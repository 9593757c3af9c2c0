"""What the conditions look at: the facts of one subject that are in effect, folded in the order of their offsets.

Invariants
1. A view is a function of the facts folded into it; nothing is ever taken out of one (``Subject`` makes another).
2. Folding a fact costs the same on the 2,000th as on the first, but for the sorted insertion of its acts.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from services.rating.domain.acts import ACTS, DOCUMENTS, Act, acts_of, put
from services.rating.domain.days import day
from services.rating.domain.effects import SERVED
from services.rating.domain.facts import Fact
from services.rating.domain.serving import Papers
from services.rating.domain.silent import brings_nothing

DEALINGS = frozenset(
    (
        "inspection.recorded",
        "case.closed",
        "rectification.reported",
        "self_inspection.reported",
        "announcement.made",
        "permit.applied_for",
        "notice_of_extension.issued",
        "enterprise.registered",
        "enterprise.changed",
    )
)
# All others bring no act and serve none.
BRING = ACTS | {SERVED}


@dataclass(slots=True)
class View:
    """Mutable only through ``enter``. ``acts`` is sorted by the day of effect; ``arrived`` and ``corrections`` are in the
    order of arrival."""

    subject: str
    partition: int
    regimes: set[str] = field(default_factory=set)
    registered: Fact | None = None
    acts: list[Act] = field(default_factory=list)
    arrived: list[Act] = field(default_factory=list)
    corrections: list[tuple[date, frozenset[str], str | None]] = field(default_factory=list)
    scores: dict[tuple[str, int], list[Fact]] = field(default_factory=dict)
    # Regime → inspections with scores, an outcome or a closure, by day and offset; statuses, in the order of arrival.
    rated: dict[str, list[Fact]] = field(default_factory=dict)
    declared: dict[str, list[Fact]] = field(default_factory=dict)
    # Regime → an approver's words on proposed grades, by day and offset.
    words: dict[str, list[Fact]] = field(default_factory=dict)
    # Joining and leaving a parent, by day and offset.
    parts: list[Fact] = field(default_factory=list)
    operation: list[tuple[date, int, str, date | None, Fact]] = field(default_factory=list)
    # Id → documents and services that carry or name it; several offices may use one id.
    papers: dict[str, Papers] = field(default_factory=dict)
    # Document's offset → the document, which waits for service, and a service that is dated before its decision.
    served_too_early: dict[int, tuple[Fact, Fact]] = field(default_factory=dict)
    # Months asked for → (length of ``operation``, what it comes to); kept up by ``operated_for.operating``.
    operated: dict[int, tuple[int, Any]] = field(default_factory=dict)
    # What performs or opens duties, by type, day and offset; None until ``Subject.dealings`` asks for it.
    dealings: dict[str, list[Fact]] | None = None
    # Per rulebook, by identity; made and kept up by ``index.index_of``.
    indexes: dict[int, Any] = field(default_factory=dict)

    def enter(self, fact: Fact) -> None:
        """Fold a fact that is in effect and was not folded before."""
        name = fact.name
        if self.dealings is not None and name in DEALINGS:
            insort(self.dealings.setdefault(name, []), fact, key=_by_day)
        if name == "inspection.recorded" and brings_nothing(fact):
            return
        if self.indexes:
            first = _first_touched(fact)
            for index in self.indexes.values():
                index.touched(first)
        if (folding := _FOLDS.get(name)) is not None:
            if not (regimes := regimes_of(fact)) <= self.regimes:
                self.regimes |= regimes
            folding(self, fact)
        if name not in BRING:
            return
        if name in DOCUMENTS:
            papers = self.papers.get(fact.id)
            if papers is None:
                papers = self.papers[fact.id] = Papers()
            papers.documents.append(fact)
            self._enter(acts_of(fact))
            if papers.services:
                self._settle(papers)
        elif name == SERVED:
            papers = self.papers.setdefault(fact.data["document"], Papers())
            papers.services.append(fact)
            self._settle(papers)
        else:
            self._enter(acts_of(fact))

    def _settle(self, papers: Papers) -> None:
        """Let documents take effect by their services, and none by another's: an office's own document may come last."""
        if not papers.services:
            return
        before = papers.joined
        papers.joined, too_early = papers.settle()
        for document in papers.documents:
            if service := too_early.get(document.offset):
                self.served_too_early[document.offset] = (document, service)
            else:
                self.served_too_early.pop(document.offset, None)
            was, served_by = before.get(document.offset), papers.joined.get(document.offset)
            if was is served_by:
                continue
            if was is not None:
                self._withdraw(document)
            if served_by is not None:
                self._enter(acts_of(document, served_by.data["service"], served_by))

    def _withdraw(self, document: Fact) -> None:
        """Take a document's acts out again. Rare, so the indexes are simply made anew."""
        self.acts = [act for act in self.acts if act.fact is not document]
        self.arrived = [act for act in self.arrived if act.fact is not document]
        self.indexes.clear()

    def _enter(self, acts: Iterable[Act]) -> None:
        for act in acts:
            put(self.acts, act)
            self.arrived.append(act)


def _first_touched(fact: Fact) -> date:
    """The first day on which the fact may count. A score does where its year is evaluated, a service where a document says so."""
    data = fact.data
    if fact.name in _EVERY_DAY:
        return date.min
    if fact.name == "score.recorded":
        return date(data["year"], 1, 1)
    return day(data.get("occurred_on")) or date.min


_EVERY_DAY = frozenset({"enterprise.registered", "operation.started", "operation.interrupted", SERVED})


def regimes_of(fact: Fact) -> frozenset[str]:
    """The regimes that rate a subject because of this fact."""
    data, name = fact.data, fact.name
    if name == "enterprise.registered":
        return frozenset(data["regimes"])
    if name in _RATING or (name == "inspection.recorded" and _rated(data)):
        return _only(data["regime"])
    return _NONE


@lru_cache(maxsize=256)
def _only(regime: str) -> frozenset[str]:
    """Asked of every score there is."""
    return frozenset((regime,))


_NONE: frozenset[str] = frozenset()
_RATING = frozenset({"enterprise.status.declared", "score.recorded"})


# What an inspection says that can decide about a grade. Audit has the same list (``services.audit.domain.regimes``).
RESULTS = ("component_scores", "published_outcome", "closure")


def _rated(data: dict[str, Any]) -> bool:
    return data.get("regime") is not None and any(data.get(one) for one in RESULTS)


def _fold_registered(view: View, fact: Fact) -> None:
    view.registered = view.registered or fact


def _fold_declared(view: View, fact: Fact) -> None:
    view.declared.setdefault(fact.data["regime"], []).append(fact)


def _fold_operation(view: View, fact: Fact) -> None:
    on = day(fact.data["occurred_on"])
    assert on is not None
    entry = (on, fact.offset, fact.name, day(fact.data.get("until")), fact)
    if view.operation and entry[:2] < view.operation[-1][:2]:
        insort(view.operation, entry, key=lambda one: one[:2])
    else:
        view.operation.append(entry)


def _fold_inspection(view: View, fact: Fact) -> None:
    data = fact.data
    on = day(data["occurred_on"])
    assert on is not None
    if data.get("corrected"):
        view.corrections.append((on, frozenset(data["corrected"]), data.get("regime")))
    if _rated(data):
        insort(view.rated.setdefault(data["regime"], []), fact, key=_by_day)


def _by_day(fact: Fact) -> tuple[str, int]:
    # A register may not know the day of a registration: it was before everything that is known.
    return (fact.data.get("occurred_on") or "", fact.offset)


def _fold_score(view: View, fact: Fact) -> None:
    data = fact.data
    if data["final"]:
        key = (data["regime"], data["year"])
        if key in view.scores:
            view.scores[key].append(fact)
        else:
            view.scores[key] = [fact]


def _fold_word(view: View, fact: Fact) -> None:
    insort(view.words.setdefault(fact.data["regime"], []), fact, key=_by_day)


def _fold_part(view: View, fact: Fact) -> None:
    insort(view.parts, fact, key=_by_day)


_FOLDS = {
    "part.joined": _fold_part,
    "part.left": _fold_part,
    "grade.approved": _fold_word,
    "grade.returned": _fold_word,
    "enterprise.registered": _fold_registered,
    "enterprise.status.declared": _fold_declared,
    "operation.started": _fold_operation,
    "operation.interrupted": _fold_operation,
    "inspection.recorded": _fold_inspection,
    "score.recorded": _fold_score,
}
