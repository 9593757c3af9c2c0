"""The paragraph says all that the event says, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events.derived import NOT_RATED
from schemas.rulebook.paragraph import SHOWN_FACTS, Language, grade_name, paragraph
from tests.cases.ledger import Ledger, book
from tests.explanations import explained, lives

LIVES = list(lives())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("ledger", "day"), [(one[2], one[3]) for one in LIVES], ids=[one[1] for one in LIVES])
def test_it_names_every_clause_reading_record_and_number(ledger: Ledger, day: str, lang: Language) -> None:
    data, whole = explained(ledger, day), ledger.book.rulebook
    said = paragraph(whole, data, lang)
    wanted = [*data["clauses"], *(one["id"] for one in data["decisive_events"]), data["in_force_from"], whole.version]
    wanted += [getattr(one, lang) for one in whole.readings if one.id in data["readings"]]
    wanted += [number["value"] for reason in data["reasons"] for number in reason["numbers"] if number["name"] == "score"]
    wanted += [one["bound"] for one in data["near"]]
    assert data["decisive_events"] and data["readings"]
    assert [] == [one for one in wanted if str(one) not in said]
    assert "{" not in said and "None" not in said


def test_of_several_better_grades_on_one_day_it_names_the_best() -> None:
    data = explained(LIVES[5][2], LIVES[5][3])
    assert [("C", "2027-01-01"), ("B", "2027-01-01"), ("A", "2029-01-01")] == [(one["grade"], one["on"]) for one in data["better"]]
    assert "earliest possible: B on 2027-01-01, A on 2029-01-01." in paragraph(book("liyujiang").rulebook, data, "en")


def test_days_that_are_over_are_told_as_over() -> None:
    data = explained(LIVES[3][2], LIVES[3][3]) | {"corrected_to": "2026-01-31", "moment": "correction"}
    whole = book("liyujiang").rulebook
    assert paragraph(whole, data, "en").startswith("From 2026-01-15 to 2026-01-31 the grade was C, “Cautioned”. Under 三(二)2(1): ")
    assert paragraph(whole, data, "zh").startswith("2026-01-15 至 2026-01-31，等级为 C 级“警示”。依据三(二)2(1)：")


def test_many_records_are_cut_off_with_their_number() -> None:
    data = explained(LIVES[3][2], LIVES[3][3])
    [fact] = data["decisive_events"]
    many: list[dict[str, Any]] = [fact | {"id": f"id-{number}"} for number in range(SHOWN_FACTS + 3)]
    said = paragraph(book("liyujiang").rulebook, data | {"decisive_events": many}, "en")
    assert f"id-{SHOWN_FACTS - 1}; and 3 more." in said and f"id-{SHOWN_FACTS}" not in said


@pytest.mark.parametrize(
    ("regime", "grade", "status", "zh", "en"),
    [
        ("liyujiang", "D", "graded", "D 级“失信”", "D, “Discredited”"),
        ("fhrs", "5", "graded", "5 级“很好”", "5, “Very good”"),
        ("liyujiang", None, "new", "新开办", "New enterprise"),
        ("liyujiang", None, NOT_RATED, "不再评定", "no longer rated"),
        ("liyujiang", None, "unheard_of", "unheard_of", "unheard_of"),
    ],
)
def test_a_grade_is_named_as_its_rulebook_names_it(regime: str, grade: str | None, status: str, zh: str, en: str) -> None:
    whole = book(regime).rulebook
    assert (zh, en) == (grade_name(whole, grade, status, "zh"), grade_name(whole, grade, status, "en"))
