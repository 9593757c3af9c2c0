"""What takes a fact out of effect, or puts other words in its place (R18; ADR 0015).

Invariants
1. Nothing leaves the log: what is in effect is worked out from all facts that were entered so far, and from nothing else.
2. A fact that acts on others can be taken away by one that was entered later only, so there are no circles.
3. What was taken away stays away whatever is said about its words; of several wordings the last entered counts.
4. A decision of an authority (``act.*``, repair) is meant wherever it was entered; a correction means the one entry it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from services.rating.domain.acts import DOCUMENTS, Decision, decision_of
from services.rating.domain.days import day
from services.rating.domain.facts import Fact

Key = tuple[str, str]
"""An event's source and id."""

REPAIR = "repair.decided"
_ON_DECISIONS = frozenset({"act.annulled", "act.changed", REPAIR})
ACTING = frozenset({"act.annulled", "act.changed", "entry.corrected", "entry.retracted", "objection.decided"})
SERVED = "document.served"
# No correction makes an approver's word out of another entry.
_NOT_WORDED = ACTING | {REPAIR, "grade.approved", "grade.returned"}
_TWICE = "entered_twice"
# What acts, what can be acted on together with others, and what serves; all other facts are only ever acted on by name.
LOOKED_AT = DOCUMENTS | ACTING | {REPAIR, SERVED}


def named_by(fact: Fact) -> list[Key]:
    """The facts that an acting fact or a repair means, as it names them."""
    data = fact.data
    named = data.get("acts") or [data.get("act") or data.get("entry")]
    return [(one["source"], one["id"]) for one in named if one]


def _takes_away(fact: Fact) -> bool:
    return fact.name in ("act.annulled", "entry.retracted") or fact.data.get("outcome") == "upheld"


def _words(fact: Fact) -> Mapping[str, object] | None:
    """What an acting fact says instead; None where it says nothing of the kind, or what the fact it names can't become."""
    words: Mapping[str, object] | None = fact.data.get("replacement")
    return words if words and words["name"] not in _NOT_WORDED else None


@dataclass(slots=True)
class Effects:
    """Acting facts by what they name, and the facts of the log by what others find them by. Grows only."""

    acting: dict[Key, list[Fact]] = field(default_factory=dict)
    _documents: list[Fact] = field(default_factory=list)
    # The documents by decision, as far as anybody asked: where nothing acts on anything nobody does.
    _entries: dict[Decision, list[Fact]] = field(default_factory=dict)
    _sorted: int = 0
    _services: dict[str, list[Fact]] = field(default_factory=dict)
    # Ids of the acting facts, for what serves one makes it act.
    _waiting: set[str] = field(default_factory=set)
    repairs: list[Fact] = field(default_factory=list)
    # Acting fact's offset → whether nothing takes it away; None: to be worked out again.
    _standing: dict[int, bool] | None = None

    def enter(self, fact: Fact) -> bool:
        """Take a fact of the log, in the order of offsets. True where others than itself may be in effect otherwise now."""
        if fact.name not in LOOKED_AT:
            return bool(self.acting) and fact.key in self.acting
        if fact.name in ACTING:
            for key in named_by(fact):
                self.acting.setdefault(key, []).append(fact)
            self._waiting.add(fact.id)
            self._standing = None
            return True
        if fact.name in DOCUMENTS:
            self._documents.append(fact)
            return fact.key in self.acting
        if fact.name == SERVED:
            self._services.setdefault(fact.data["document"], []).append(fact)
            return self.awaits(fact) or fact.key in self.acting
        self.repairs.append(fact)
        return True

    def entries(self) -> dict[Decision, list[Fact]]:
        """Decision → its entries, by offset."""
        for fact in self._documents[self._sorted :]:
            if decision := decision_of(fact):
                self._entries.setdefault(decision, []).append(fact)
        self._sorted = len(self._documents)
        return self._entries

    def awaits(self, service: Fact) -> bool:
        """Whether it may be the service that a change of another act waits for."""
        return service.data["document"] in self._waiting

    def effective(self, fact: Fact) -> Fact | None:
        """The fact as it counts now: itself, itself with other words, or None where it is as never done."""
        if not self.acting:
            return fact
        worded: Fact | None = None
        for one in self._on(fact):
            if _takes_away(one):
                return None
            if _words(one) is not None:
                worded = one
        if self._announces_nothing(fact):
            return None
        return _reworded(fact, worded) if worded else fact

    def repaired(self) -> list[tuple[date, frozenset[Key | Decision]]]:
        """The days from which granted repairs act, sorted, each with all that it takes away from then on."""
        found = []
        for repair in self.repairs:
            now = self.effective(repair)
            if now is not None and now.data.get("outcome") == "granted" and (on := day(now.data.get("effective_from"))):
                found.append((on, self._meant(now)))
        return sorted(found, key=lambda one: one[0])

    def _meant(self, repair: Fact) -> frozenset[Key | Decision]:
        """The entries it names, and their decisions, however often they were entered."""
        keys = set(named_by(repair))
        decisions = {decision for decision, entries in self.entries().items() if any(one.key in keys for one in entries)}
        return frozenset(keys | decisions)

    def _on(self, fact: Fact) -> list[Fact]:
        """The acting facts in effect that mean this one, by offset."""
        named = self.acting.get(fact.key, ())
        # A service is no decision: were it changed like one, two changes could wait for each other's service.
        found = [one for one in named if not (fact.name == SERVED and one.name in _ON_DECISIONS) and self._acts(one)]
        for other in self.entries().get(decision_of(fact) or ("", "", ""), ()):
            if other.key != fact.key:
                found += [one for one in self.acting.get(other.key, ()) if one.name in _ON_DECISIONS and self._acts(one)]
        return sorted(found, key=lambda one: one.offset)

    def _acts(self, acting: Fact) -> bool:
        if acting.name == "act.changed" and not self._is_served(acting):
            # R3: it may be for the worse, so it waits for its service; an annulment leaves nobody worse off.
            return False
        return self._stands(acting)

    def _stands(self, acting: Fact) -> bool:
        if self._standing is None:
            # From the last to the first: whoever could take one away has been looked at before it. A loop, for a retraction may be
            # retracted any number of times.
            self._standing = {}
            entered = {one.offset: one for some in self.acting.values() for one in some}
            for offset in sorted(entered, reverse=True):
                later = (one for one in self.acting.get(entered[offset].key, ()) if one.offset > offset)
                self._standing[offset] = not any(_takes_away(one) and self._standing[one.offset] for one in later)
        return self._standing[acting.offset]

    def _is_served(self, acting: Fact) -> bool:
        if acting.data.get("service"):
            return True
        return any(self.effective(one) is not None for one in self._services.get(acting.id, ()) if one.source == acting.source)

    def _announces_nothing(self, fact: Fact) -> bool:
        """True for the announcement of an act that is undone; an act that was merely entered twice is still there to be announced."""
        announced = fact.data.get("announces")
        if announced is None:
            return False
        undoing = (one for one in self.acting.get((announced["source"], announced["id"]), ()) if one.data.get("ground") != _TWICE)
        return any(_takes_away(one) and self._acts(one) for one in undoing)


def _reworded(fact: Fact, by: Fact) -> Fact:
    words = _words(by)
    assert words is not None
    name, data = str(words["name"]), dict(words["data"])  # type: ignore[call-overload]
    if by.name == "act.changed" and "service" in fact.data and "service" not in data:
        # What changes a decision leaves its service as it was; a corrected entry says itself what was served.
        data["service"] = fact.data["service"]
    return replace(fact, name=name, data=data, worded_by=by)
