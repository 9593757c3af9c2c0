"""The file driver, both times: the day asked for, and the instant up to which something was known, that one included."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from schemas.times import instant
from services.rating.bulk import BadLine, fold_lines, rate
from services.rating.gathering import also_concerned
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


def graded(ledger: Ledger, day: str, known_at: int | None = None) -> str | None:
    """The grade on a day; None where the file says nothing of the subject."""
    folded = fold_lines(lines(ledger), ledger.book, known_at=known_at)
    return next((found.grade for _, found in rate(folded, ledger.book, as_of=date.fromisoformat(day))), None)


@pytest.mark.parametrize(("day", "grade"), [("2026-02-28", "A"), ("2026-03-01", "D"), ("2026-03-02", "D"), ("2026-04-30", "D")])
def test_a_fine_entered_two_months_late_counts_on_the_days_before_its_entry(day: str, grade: str) -> None:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.fined("2026-03-01", known="2026-05-01")
    assert grade == graded(ledger, day)
    assert "A" == graded(ledger, day, known_at=ledger.facts[-1].known - 1)
    assert grade == graded(ledger, day, known_at=ledger.facts[-1].known + 1)


@pytest.mark.parametrize(("day", "grade"), [("2026-01-14", None), ("2026-01-15", "A"), ("2026-01-16", "A")])
def test_an_evaluation_counts_from_its_date_and_not_from_its_entry(day: str, grade: str | None) -> None:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025, known="2026-01-02")
    assert grade == graded(ledger, day)


def test_the_rulebook_named_counts_from_the_dates_in_the_file_whatever_digest_stands_there() -> None:
    ledger = Ledger(activated=False)
    ledger.activate(sha256="0" * 64, in_force_from="2026-01-01", on="2025-12-01")
    ledger.opened("2010-03-01")
    ledger.fined("2025-12-10")
    assert None is graded(ledger, "2025-12-31")
    ledger.fined("2026-02-01")
    assert "D" == graded(ledger, "2026-02-01")
    without = Ledger(activated=False)
    without.opened("2010-03-01")
    without.fined("2025-12-10")
    assert "D" == graded(without, "2025-12-31"), "without any the rulebook counts from its earliest date"


def test_a_latest_regime_needs_no_registration() -> None:
    event = {
        "id": "1",
        "source": OFFICE,
        "type": "mingjian.inspection.recorded.v1",
        "subject": "fhrs:1",
        "received_at": "2026-01-06T08:00:00Z",
        "data": {
            "occurred_on": "2026-01-05",
            "regime": "fhrs",
            "component_scores": [{"component": name, "points": 5} for name in ("hygiene", "structural", "confidence_in_management")],
        },
    }
    folded = fold_lines([orjson.dumps(event)], book("fhrs"))
    assert [("fhrs:1", "5")] == [(name, found.grade) for name, found in rate(folded, book("fhrs"), as_of=date(2026, 1, 5))]
    assert [] == list(rate(folded, book("fhrs"), as_of=date(2026, 1, 4)))


def test_a_succession_concerns_the_predecessor_as_well() -> None:
    assert ("uscc:old",) == also_concerned({"predecessor": "uscc:old", "successor": "uscc:new"})
    assert () == also_concerned({"occurred_on": "2026-01-01"})


GOOD = b'{"id":"1","source":"s","type":"mingjian.operation.started.v1","subject":"x:1","time":"2026-01-01T00:00:00Z","data":{}}'


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{", "this is not JSON"),
        (b"[]", "this is no object"),
        (b'{"event": 1}', "this is no object"),
        (b"{}", "the event has no id, source, type, subject"),
        (GOOD.replace(b'"data":{}', b'"data":1'), "the event has no data"),
        (GOOD.replace(b"2026-01-01T00:00:00Z", b"yesterday"), "received_at (or time) is 'yesterday', which is no instant"),
        (GOOD.replace(b"00:00Z", b"00:00"), "which is no instant"),
        (
            GOOD.replace(b"operation.started", b"entry.corrected").replace(b'"data":{}', b'"data":{"replacement":"x"}'),
            "the event's data is not that of a mingjian.entry.corrected.v1",
        ),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_how_to_mend_it(line: bytes, what: str) -> None:
    with pytest.raises(BadLine) as caught:
        fold_lines([GOOD, b"", line], book("fhrs"))
    assert 3 == caught.value.number
    assert what in str(caught.value) and str(caught.value).startswith("line 3: ")
    assert any(word in caught.value.remedy for word in ("Write", "Compare"))
