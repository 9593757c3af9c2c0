"""Document numbers of an office out of order with their dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.model import Entry, Order
from services.audit.domain.detectors.numbers_out_of_order import NumbersOutOfOrder, in_order, series_of
from tests.toolkit import COLLEAGUE, OFFICE, OTHER_OFFICE, STRANGER, warning
from tests.unit.audit.signs_world import World, corrected, standing

FIRST = date(2026, 3, 2)


def issue(world: World, number: int, day: date, text: str = "样例警〔2026〕{}号", **more: Any) -> dict[str, Any]:
    data = warning(day.isoformat(), day.isoformat(), document_no=text.format(number))
    return world.say("warning.issued", data, at="2026-04-20T08:00:00.000Z", **more)


def series(world: World, count: int = 8, **more: Any) -> list[dict[str, Any]]:
    """A number every other day."""
    return [issue(world, number, FIRST + timedelta(2 * number), **more) for number in range(1, count + 1)]


def found(world: World) -> list[dict[str, Any]]:
    world.close("2026-04-20")
    return standing(world.findings(NumbersOutOfOrder()))


def test_a_document_dated_back_stands_out_in_its_series() -> None:
    world = World()
    series(world)
    odd = issue(world, 9, FIRST + timedelta(6), by=COLLEAGUE)
    [one] = found(world)
    assert (odd["id"], [COLLEAGUE.pseudonym]) == (one["event"]["id"], one["concerns"])
    assert ["out_of_order", "neighbour"] == [shown["role"] for shown in one["evidence"]]
    assert ("2026-03-08 (Sun)" in one["detail_en"], "2026年3月8日（周日）" in one["detail_zh"]) == (True, True)


@pytest.mark.parametrize(("days", "count"), [(3, 0), (4, 1)], ids=["the slack", "a day more"])
def test_days_between_drawing_a_number_and_deciding_are_no_disorder(days: int, count: int) -> None:
    world = World()
    last = series(world)[-1]
    issue(world, 9, date.fromisoformat(last["data"]["occurred_on"]) - timedelta(days))
    assert count == len(found(world))


def test_an_office_that_does_not_number_by_date_has_no_series() -> None:
    world = World()
    for number, day in enumerate((30, 2, 25, 8, 19, 11, 28, 5, 15, 1), 1):
        issue(world, number, FIRST + timedelta(day))
    assert [] == found(world)


def test_a_short_series_says_nothing() -> None:
    world = World()
    series(world, 4)
    issue(world, 5, FIRST - timedelta(20))
    assert [] == found(world)


def test_offices_kinds_and_years_have_series_of_their_own() -> None:
    world = World()
    series(world)
    series(world, by=STRANGER, text="另〔2026〕{}号")
    issue(world, 1, date(2026, 1, 5), text="样例警〔2025〕{}号")
    issue(world, 9, FIRST, office=OTHER_OFFICE, by=STRANGER)
    assert [] == found(world)


def test_a_correction_of_the_slip_ends_the_matter() -> None:
    world = World()
    series(world)
    odd = issue(world, 9, FIRST)
    world.close("2026-04-20")
    right = (FIRST + timedelta(18)).isoformat()
    corrected(
        world,
        odd,
        "warning.issued",
        {**odd["data"], **warning(right, right, document_no="样例警〔2026〕9号")},
        at="2026-04-21T08:00:00.000Z",
    )
    world.close("2026-04-21")
    first, last = world.findings(NumbersOutOfOrder())
    assert (first["matter"], None, True) == (last["matter"], first.get("retracted"), last["retracted"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("样例警〔2026〕7号", ("样例警〔2026〕_号", 7)),
        ("MJ-2026-00017", ("MJ-2026-_", 17)),
        ("警字第12号", ("警字第_号", 12)),
        ("无号", None),
    ],
)
def test_the_last_number_counts_and_the_rest_names_the_series(text: str, expected: tuple[str, int] | None) -> None:
    data = warning("2026-03-02", "2026-03-02", document_no=text)
    entry = Entry("t", Order(0, 0, 0), 0, 0, "i", OFFICE, "warning.issued", "uscc:1", "desk", "", 0, data)
    one = series_of(entry, Words(entry.type, data))
    assert expected == (None if one is None else (one[0][2], one[1]))
    assert one is None or ("2026" in text) == (len(one[0]) == 3), "without a year in the number that of the day is the series'"


@given(st.lists(st.integers(0, 6), max_size=9))
def test_what_is_in_order_never_goes_back_and_nothing_longer_does(days: list[int]) -> None:
    kept = [days[at] for at in sorted(in_order(days))]
    assert kept == sorted(kept)
    longest = max(
        (sum(mask >> at & 1 for at in range(len(days))) for mask in range(1 << len(days)) if _sorted(days, mask)),
        default=0,
    )
    assert longest == len(kept)


def _sorted(days: list[int], mask: int) -> bool:
    some = [day for at, day in enumerate(days) if mask >> at & 1]
    return some == sorted(some)
