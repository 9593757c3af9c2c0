"""What rating knows of one subject: facts folded in the order of their offsets.

Invariants
1. A fact is folded once: the first copy of (source, id) counts, and an offset that was folded before changes nothing.
2. The state is a function of the folded facts; the order across subjects doesn't reach it.
3. Folding a fact costs the same on the 2,000th as on the first, but for the sorted insertion of its acts.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.rating.domain.acts import DOCUMENTS, Act, acts_of
from services.rating.domain.days import day
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.serving import Papers


def _order(act: Act) -> tuple[date, int, int]:
    return act.order


@dataclass(slots=True)
class Subject:
    """Mutable only through ``apply``. ``acts`` is sorted by the day of effect; ``arrived`` and ``corrections`` are in the
    order of arrival."""

    subject: str
    partition: int
    last_offset: int = -1
    last_known: int = 0
    regimes: set[str] = field(default_factory=set)
    registered: Fact | None = None
    count: int = 0
    acts: list[Act] = field(default_factory=list)
    arrived: list[Act] = field(default_factory=list)
    corrections: list[tuple[date, frozenset[str], str | None]] = field(default_factory=list)
    scores: dict[tuple[str, int], list[Fact]] = field(default_factory=dict)
    rated: dict[str, Fact] = field(default_factory=dict)
    declared: dict[str, Fact] = field(default_factory=dict)
    operation: list[tuple[date, int, str, date | None, Fact]] = field(default_factory=list)
    # Id → documents and services that carry or name it; several offices may use one id.
    papers: dict[str, Papers] = field(default_factory=dict)
    # Document's offset → the document, which waits for service, and a service that is dated before its decision.
    served_too_early: dict[int, tuple[Fact, Fact]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    # Regime → (offset of the last step, standing after it); kept up by ``fold.decide``.
    standings: dict[str, tuple[int, Any]] = field(default_factory=dict)
    # Months asked for → (length of ``operation``, what it comes to); kept up by ``operated_for.operating``.
    operated: dict[int, tuple[int, Any]] = field(default_factory=dict)
    # Per regime, made and kept up by ``index.index_of``.
    indexes: dict[str, Any] = field(default_factory=dict)

    def apply(self, fact: Fact) -> bool:
        """Fold a fact. False where it changed nothing: a further copy, or an offset at or before the last one."""
        if fact.offset <= self.last_offset or fact.name in CONTROLS:
            return False
        if fact.key in self.seen:
            return False
        self.seen.add(fact.key)
        self.last_offset = fact.offset
        self.last_known = max(self.last_known, fact.known)
        self.count += 1
        _FOLDS.get(fact.name, _fold_nothing)(self, fact)
        if fact.name in DOCUMENTS:
            papers = self.papers.setdefault(fact.id, Papers())
            papers.documents.append(fact)
            self._enter(acts_of(fact))
            self._settle(papers)
        elif fact.name == "document.served":
            papers = self.papers.setdefault(fact.data["document"], Papers())
            papers.services.append(fact)
            self._settle(papers)
        else:
            self._enter(acts_of(fact))
        return True

    def _settle(self, papers: Papers) -> None:
        """Let documents take effect by their services, and none by another's: an office's own document may come last."""
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
            insort(self.acts, act, key=_order)
            self.arrived.append(act)


def _fold_nothing(subject: Subject, fact: Fact) -> None:
    """Types whose acts are all that counts."""


def _fold_registered(subject: Subject, fact: Fact) -> None:
    subject.registered = subject.registered or fact
    subject.regimes.update(fact.data["regimes"])


def _fold_declared(subject: Subject, fact: Fact) -> None:
    regime = fact.data["regime"]
    subject.regimes.add(regime)
    subject.declared[regime] = fact


def _fold_operation(subject: Subject, fact: Fact) -> None:
    on = day(fact.data["occurred_on"])
    assert on is not None
    entry = (on, fact.offset, fact.name, day(fact.data.get("until")), fact)
    insort(subject.operation, entry, key=lambda one: one[:2])


def _fold_inspection(subject: Subject, fact: Fact) -> None:
    data = fact.data
    on = day(data["occurred_on"])
    assert on is not None
    if data.get("corrected"):
        subject.corrections.append((on, frozenset(data["corrected"]), data.get("regime")))
    regime = data.get("regime")
    if regime is None or not (data.get("component_scores") or data.get("published_outcome")):
        return
    subject.regimes.add(regime)
    newest = subject.rated.get(regime)
    if newest is None or (data["occurred_on"], fact.offset) >= (newest.data["occurred_on"], newest.offset):
        subject.rated[regime] = fact


def _fold_score(subject: Subject, fact: Fact) -> None:
    data = fact.data
    subject.regimes.add(data["regime"])
    if data["final"]:
        subject.scores.setdefault((data["regime"], data["year"]), []).append(fact)


_FOLDS = {
    "enterprise.registered": _fold_registered,
    "enterprise.status.declared": _fold_declared,
    "operation.started": _fold_operation,
    "operation.interrupted": _fold_operation,
    "inspection.recorded": _fold_inspection,
    "score.recorded": _fold_score,
}


def fold(subject: str, partition: int, facts: Iterable[Fact], *, before: int | None = None) -> Subject:
    """Fold facts in the order given, those at offsets below ``before`` only."""
    state = Subject(subject, partition)
    for fact in facts:
        if before is not None and fact.offset >= before:
            break
        state.apply(fact)
    return state
