"""The replay bench's register is what intake takes: ten facts a subject, the same bytes for the same seed."""

from __future__ import annotations

from collections import Counter

import orjson

from schemas.envelope import check_data, lookup
from services.rating.gathering import Gathered
from services.rating.outcome import Outcome, Question, final
from tests.bench.register import FACTS_EACH, Register, Row
from tests.cases.ledger import book, without_approval


def rows(subjects: int) -> list[Row]:
    return list(Register(book("liyujiang"), subjects).rows())


def test_every_event_fits_the_contract_and_the_same_seed_gives_the_same() -> None:
    made = rows(30)
    assert made == rows(30)
    for key, kind, value in made:
        event = orjson.loads(value)["event"]
        row = lookup(kind)
        assert row is not None and event["type"] == kind
        check_data(row, event["data"])
        assert key in (b"control", event["subject"].encode())
    assert {FACTS_EACH} == set(Counter(key for key, _, _ in made if key != b"control").values())


def test_every_grade_is_met() -> None:
    alone = without_approval(book("liyujiang"))
    found = Gathered(0, instead={"liyujiang": alone.sha256})
    found.take(
        (at, 1_790_000_000_000, key, value, [("ce_id", orjson.loads(value)["event"]["id"].encode()), ("ce_type", kind.encode())])
        for at, (key, kind, value) in enumerate(rows(300))
    )
    # By conditions alone: in these rows nobody approves anything.
    asked, outcome = Question({"liyujiang": alone}, found.known, instead=frozenset(("liyujiang",))), Outcome()
    for subject, facts in found.each():
        final(subject, 0, facts, found.controls, asked, outcome)
    assert {"A", "B", "C", "D", "E"} <= {word for _, word in outcome.words}
    assert (300, 0, 0) == (len(outcome.lines), outcome.unreadable, outcome.untold)
