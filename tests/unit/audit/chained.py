"""A chain of five shops, one of which was scored too well: registry, facts, what shops say of the chain, the finding, its two effects."""

from __future__ import annotations

from collections.abc import Callable

from schemas.rulebook import load_all_editions
from schemas.topics import FACTS, PARTS
from services.audit.domain.replay import Facts, books_of
from services.audit.reading import opened
from tests.cases.chain import REGIME, SCORES
from tests.cases.ledger import RULEBOOKS, Ledger
from tests.unit.audit.bundled import event
from tests.unit.audit.packed import PARTITION, PackWorld

# The check digit is right for the first of them, whom the others name.
NAMED = "uscc:91350100M{:06d}000"
CHAIN, WRONG = NAMED.format(0), NAMED.format(5)
OFFICE = "/departments/drug/offices/workstation"


def lives() -> list[Ledger]:
    """The chain, then its shops: all A by the evaluation of 2024, the last of them wrongly."""
    chain = Ledger(REGIME)
    chain.registered("2010-03-01", business_kind="drug_chain")
    shops = [Ledger(REGIME) for _ in range(5)]
    for number, one in enumerate(shops):
        one.opened("2010-03-01")
        one.joined(CHAIN, "2010-03-01")
        one.scored(2024, SCORES["A"], maximum="10", on=f"2024-12-{10 + number}")
    for one in (chain, *shops):
        one.evaluated(2024)
    return [chain, *shops]


class ChainWorld(PackWorld):
    """``CHAIN`` is A by its shops, one of which, ``WRONG``, was found on 20 March 2025 to have got a D."""

    signs = ("entry_untrue",)
    named = NAMED

    def __init__(self, told: Callable[[bytes], bytes] = lambda value: value) -> None:
        super().__init__(told, lives=lives)

    def more(self) -> None:
        """The determination, and what the shops say."""
        entry = self.late_entry().event
        truth = {"type": entry["type"], "data": entry["data"] | {"total": SCORES["D"]}}
        sources = [{"kind": "document", "description": "x", "origin": one} for one in ("one", "two")]
        data = {"occurred_on": "2025-03-20", "document_no": "T-1", "entry": {"source": entry["source"], "id": entry["id"]}}
        data |= {"result": "false", "took_place": True, "truth": truth, "sources": sources, "decided_by": "officer:decider-one"}
        said = event(0xDE7, "truth.determined", WRONG, data | {"involved": [], "explanations_weighed": []})
        closed = self.kafka[FACTS, PARTITION][-1]
        assert (opened(closed) or self.late_entry()).event["type"] == "mingjian.day.closed.v1"
        self._fact(said, closed.timestamp)
        self._broadcast(event(0xC1, "day.closed", "stack:test", {"through": "2027-01-31", "time_zone": "Asia/Shanghai"}), 1_801_500_000_000)
        facts = Facts(PARTITION)
        for record in self.kafka[FACTS, PARTITION]:
            facts.take(record)
        book = books_of(load_all_editions(RULEBOOKS))[REGIME]
        for subject in facts.subjects:
            for one in facts.told(subject, book).events:
                if one.topic == PARTS:
                    self.add(PARTS, 7, one.subject.encode(), one.value, one.stamp)

    def late_entry(self) -> object:
        """The score of the last shop."""
        every = (one for record in self.kafka[FACTS, PARTITION] if (one := opened(record)))
        return next(one for one in every if one.event["type"] == "mingjian.score.recorded.v1" and one.event["subject"] == WRONG)
