"""``docs/conformance.md`` is what the rulebooks and the cases make of it, and no rule stands without a case."""

from __future__ import annotations

import pytest

from schemas.rulebook import load_all
from tests import conformance, explanations
from tests.conformance import PAGE, REPOSITORY, cases, page

BOOKS = load_all(REPOSITORY / "rulebooks")


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.conformance"


def test_the_explained_grades_are_up_to_date() -> None:
    assert explanations.TARGET.read_text(encoding="utf-8") == explanations.page(), "run python -m tests.explanations"


@pytest.mark.parametrize("regime", ["liyujiang"])
def test_each_clause_that_decides_has_a_case_and_so_has_each_reading(regime: str) -> None:
    book = BOOKS[regime]
    shown = set().union(*(case.marks for case in cases()))
    decided = {clause for clause in book.clause_texts if any(conformance._citing(book, clause))}
    decided |= {value.clause for parameter in book.parameters for value in parameter.values}
    assert sorted((decided | {one.id for one in book.readings}) - shown) == []


def test_a_mark_names_a_clause_or_a_reading_of_some_rulebook() -> None:
    known = {name for book in BOOKS.values() for name in (*book.clause_texts, *(one.id for one in book.readings))}
    known |= conformance.BUILT_IN.keys() | {"R17"}
    assert sorted({(case.file, mark) for case in cases() for mark in case.marks if mark not in known}) == []
