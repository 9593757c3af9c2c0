"""The paragraph says all that the event says, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events.derived import NOT_RATED
from schemas.rulebook.paragraph import SHOWN_FACTS, Language, grade_name, paragraph
from tests.cases.ledger import book
from tests.explanations import explained, lives

LIVES = {one[1]: (one[2].book.rulebook, explained(one[2])) for one in lives()}
FINED = LIVES["Fined within the year, lowered on approval"][1]
WARNED = LIVES["A warning"][1]
PLAN = book("liyujiang").rulebook


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("life", LIVES)
def test_it_names_every_clause_reading_record_and_number(life: str, lang: Language) -> None:
    whole, data = LIVES[life]
    said = paragraph(whole, data, lang)
    wanted = [*data["clauses"], *data["readings"], *(one["id"] for one in data["decisive_events"]), data["in_force_from"], whole.version]
    wanted += [number["value"] for reason in data["reasons"] for number in reason["numbers"] if number["name"] == "score"]
    wanted += [one["bound"] for one in data["near"] if one["condition"] != "operated_for"]
    wanted += [one["period_last"] for one in data["better"]] + [data["cause"]["id"]]
    assert data["decisive_events"] and data["readings"]
    assert [] == [one for one in wanted if str(one) not in said]
    assert "{" not in said and "None" not in said


def test_of_several_grades_by_one_evaluation_the_score_decides() -> None:
    assert [("C", "2026-12-31"), ("B", "2026-12-31"), ("A", "2028-12-31")] == [
        (one["grade"], one["period_last"]) for one in FINED["better"]
    ]
    assert "that of the period up to 2026-12-31, B or C by the score; that of the period up to 2028-12-31, A;" in paragraph(
        PLAN, FINED, "en"
    )
    assert "截至 2026-12-31 的评定，B 或 C 级，视得分；截至 2028-12-31 的评定，A 级；" in paragraph(PLAN, FINED, "zh")


def test_what_was_told_before_and_what_changed_it_is_named() -> None:
    annulled = LIVES["The fine annulled"][1]
    said = paragraph(PLAN, annulled, "en")
    assert "Before, it was told as D, “Discredited”." in said
    assert f"What made it due: act annulled (event {annulled['cause']['id']}, known from 2025-11-03T" in said
    assert "此前公布为 D 级“失信”。" in paragraph(PLAN, annulled, "zh")
    assert "What made it due" not in paragraph(PLAN, FINED, "en"), "the approval is among the records it rests on"


def test_days_that_are_over_are_told_as_over() -> None:
    data = WARNED | {"corrected_to": "2026-01-31", "moment": "correction", "previous_status": None}
    assert paragraph(PLAN, data, "en").startswith("From 2026-01-15 to 2026-01-31 the grade was C, “Cautioned”. Under 三(二)2(1): ")
    assert paragraph(PLAN, data, "zh").startswith("2026-01-15 至 2026-01-31，等级为 C 级“警示”。依据三(二)2(1)：")


def test_many_records_are_cut_off_with_their_number() -> None:
    [fact] = WARNED["decisive_events"]
    many: list[dict[str, Any]] = [fact | {"id": f"id-{number}"} for number in range(SHOWN_FACTS + 3)]
    said = paragraph(PLAN, WARNED | {"decisive_events": many}, "en")
    assert f"id-{SHOWN_FACTS - 1}); and 3 more." in said and f"id-{SHOWN_FACTS})" not in said


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
