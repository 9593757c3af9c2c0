"""What the methods say of published data, where it lies beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.realdata import fda, nyc
from tests.realdata.page import PAGE, page

pytestmark = pytest.mark.sweep


def test_in_new_york_the_cut_of_grade_a_stands_out_first_and_by_far(shared: Path) -> None:
    """No other cut of initial inspections stands out; the first is stranger than the second by more than a thousand million times."""
    table = next(one for one in nyc.tables(shared / "data") if one.kind == "initial")
    first, second = table.ranked[:2]
    assert (13, True, 0) == (first.last_good, first.real, first.held.as_strange)
    assert first.held.p * 1e9 < second.held.p
    assert first.held.z > 3 * second.held.z
    assert [13] == [one.last_good for one in table.lines if one.adjusted <= 0.05]


def test_at_re_inspections_both_cuts_stand_out_and_the_first_is_first(shared: Path) -> None:
    table = next(one for one in nyc.tables(shared / "data") if one.kind == "recheck")
    assert [13, 27] == [one.last_good for one in table.ranked[:2]]


def test_two_letters_were_posted_before_their_date(shared: Path) -> None:
    found = fda.delays(shared / "data")
    assert 2 == len(found.before)
    assert all(one.posted < one.dated for one in found.before)
    assert found.counted == sum(found.band(first, last) for first, last in fda.BANDS)


def test_federal_holidays_are_days_off() -> None:
    """Independence Day 2026 is a Saturday and is observed on the Friday before it."""
    from datetime import date

    calendar = fda.federal(2026, 2026)
    assert not calendar.is_working(date(2026, 7, 3))
    assert date(2026, 7, 8) == calendar.nth_after(date(2026, 6, 30), 5).day


def test_the_page_is_what_the_files_make_of_it(shared: Path) -> None:
    assert page(shared / "data") == PAGE.read_text(encoding="utf-8"), "run python -m tests.realdata"
