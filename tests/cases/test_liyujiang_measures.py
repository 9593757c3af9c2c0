"""四(二)2, 四(三)2, 四(四)3: how often each grade is inspected on site a year, at least. A and B have no such number (四(一))."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cases import ledger

pytestmark = pytest.mark.clause("四(二)2", "四(三)2", "四(四)3", "R20")


@pytest.mark.parametrize(("grade", "inspections"), [("A", 0), ("B", 0), ("C", 1), ("D", 2), ("E", 4), (None, 0)])
def test_the_worse_the_grade_the_more_often_it_is_inspected_on_site(grade: str | None, inspections: int) -> None:
    assert inspections == ledger.book("liyujiang").rulebook.inspections_a_year(grade, date(2026, 1, 1))


@pytest.mark.parametrize(("day", "inspections"), [("2004-12-31", 0), ("2005-01-01", 4), ("2005-01-02", 4)])
def test_the_number_is_that_of_the_day(day: str, inspections: int) -> None:
    assert inspections == ledger.book("liyujiang").rulebook.inspections_a_year("E", date.fromisoformat(day))
