"""The first day that something still reaches so many months later is where ``within`` begins to hold."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rating.domain.days import first_reaching, within

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@given(DAYS, st.integers(1, 60), st.integers(-5, 5))
def test_within_holds_from_the_first_day_on_and_not_before(later: date, months: int, beside: int) -> None:
    first = first_reaching(later, months)
    one = first + timedelta(days=beside)
    assert within(one, later, months) is (one >= first)


def test_ends_of_months() -> None:
    found = [first_reaching(date(2026, month, day), 1) for month, day in ((3, 31), (3, 30), (3, 28), (2, 28), (3, 1))]
    assert found == [date(2026, 3, 1), date(2026, 3, 1), date(2026, 2, 28), date(2026, 1, 28), date(2026, 2, 1)]
