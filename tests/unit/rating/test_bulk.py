"""The file driver asks what was known at an instant as Kafka's drivers do: by the running maximum, the instant included."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from schemas.times import instant
from services.rating.bulk import fold_lines, rate
from tests.cases.ledger import OFFICE, Ledger, book, without_approval


def lines(ledger: Ledger) -> list[bytes]:
    return [
        orjson.dumps(
            {
                "event": {
                    "id": fact.id,
                    "source": OFFICE,
                    "type": fact.type,
                    "subject": ledger.subject,
                    "time": instant(fact.stamp),
                    "data": fact.data,
                },
                "entry": {"received_at": instant(fact.stamp)},
            }
        )
        for fact in ledger.facts
    ]


@pytest.mark.parametrize(("later", "grade"), [(-1, "A"), (0, "D"), (1, "D")])
def test_a_fine_counts_from_the_instant_at_which_it_was_known(later: int, grade: str) -> None:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.fined("2026-03-01", known="2026-05-01")
    folded = fold_lines(lines(ledger), without_approval(book("liyujiang")), known_at=ledger.facts[-1].known + later)
    ((_, found),) = rate(folded, without_approval(book("liyujiang")), as_of=date(2026, 6, 1))
    assert grade == found.grade
