"""The approver's list: what was proposed last of each subject and regime and has not been closed."""

from __future__ import annotations

import orjson

from schemas.envelope import check_data, derived_bytes, lookup
from services.rating.proposals import Open, draft
from tests.cases.ledger import Ledger, act, shop


def entries(ledger: Ledger) -> list[tuple[int, int, bytes, bytes, list[tuple[str, bytes]]]]:
    """All that rating told of a ledger, as records on Kafka."""
    return [
        (at, 0, b"", derived_bytes(one.event), [("ce_id", b"x"), ("ce_type", one.event["type"].encode())])
        for at, one in enumerate(ledger.told())
    ]


def fined() -> Ledger:
    ledger = shop(approving=True)
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.fined("2025-06-10")
    return ledger


def opened(ledger: Ledger) -> Open:
    found = Open()
    found.take(entries(ledger))
    return found


def test_what_is_open_can_be_approved_by_the_draft() -> None:
    ledger = fined()
    [one] = opened(ledger).found()
    assert ("D", "B") == (one["data"]["grade"], one["data"]["previous_grade"])
    made = draft(one, "officer:approver-one")
    data = orjson.loads(orjson.dumps(made["data"]).replace(b"@today", b"2025-06-12"))
    row = lookup(made["type"])
    assert row is not None
    check_data(row, data)
    ledger.enter("grade.approved", data)
    assert "D" == ledger.grade("2025-06-12")
    assert [] == opened(ledger).found()


def test_the_newest_takes_the_place_of_the_one_before() -> None:
    ledger = fined()
    ledger.penalised("2025-06-20", act("suspension_ordered"))
    assert ["E"] == [one["data"]["grade"] for one in opened(ledger).found()]
    assert [] == opened(ledger).found(regime="other") and [] == opened(ledger).found("uscc:other")


def test_what_lapsed_or_was_returned_is_open_no_more() -> None:
    lapsed, returned = fined(), fined()
    lapsed.annulled(next(fact.id for fact in lapsed.facts if fact.name == "penalty.decided"), "2025-07-01")
    returned.returned("D", "2025-07-01")
    assert [[], []] == [opened(one).found() for one in (lapsed, returned)]
