"""As of a day, as known at an instant: what is entered later changes no earlier answer, and each answer is rating's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.times import milliseconds
from services.publication.domain.history import Span, on
from services.publication.domain.knowledge import EVER, Known, differences, layout, silence, since
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import Told
from services.rating.domain.grade import standing
from services.rating.domain.spans import NOTHING, pair_of
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, act, shop
from tests.unit.rating.test_spans_properties import lives

SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def known(told: list[Told], numbers: list[int] | None = None) -> list[Known]:
    """Grade events as publication reads them. ``numbers``: in which order it came to them."""
    return [_known(one.event["data"], number) for one, number in zip(told, numbers or range(len(told)), strict=True)]


def _known(data: dict[str, Any], number: int) -> Known:
    start, until = data["in_force_from"], data.get("corrected_to")
    return Known(
        number,
        data["cause"]["offset"],
        milliseconds(data["cause"]["known_from"]),
        data["grade"],
        data["status"],
        date.fromisoformat(start) if start else None,
        date.fromisoformat(until) if until else None,
    )


def day_of(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def said(laid: list[Span], day: date) -> tuple[str | None, str | None]:
    found = on(laid, day)
    return found.pair if found else NOTHING


@SLOW
@given(lives(), st.data())
def test_an_answer_is_what_rating_says_of_the_prefix_that_was_known(ledger: Ledger, data: st.DataObject) -> None:
    changes = known(ledger.public())
    fact = data.draw(st.sampled_from(ledger.facts))
    at = fact.known + data.draw(st.integers(0, 900))
    prefix = [one for one in ledger.facts if one.known <= at]
    subject, controls = Subject(ledger.subject, 3), Controls()
    for one in prefix:
        controls.apply(one) if one.name in CONTROLS else subject.apply(one)
    first = since(changes)
    laid = layout(changes, at_ms=at)
    if first is None or first > at:
        assert laid == []
        return
    today = day_of(prefix[-1].known)
    for number in range((today - day_of(first)).days + 1):
        day = day_of(first) + timedelta(days=number)
        held = standing(subject, controls, ledger.book, upto=prefix[-1].offset, as_of=day)
        assert said(laid, day) in ([pair_of(held)] if held else [NOTHING, (None, "not_rated")]), day


@SLOW
@given(lives(), st.data())
def test_what_is_entered_later_changes_no_answer(ledger: Ledger, data: st.DataObject) -> None:
    changes = known(ledger.public())
    at = data.draw(st.sampled_from(ledger.facts)).known
    assert layout(changes, at_ms=at) == layout([one for one in changes if one.known_ms <= at], at_ms=at)
    cut = Ledger(ledger.regime)
    cut.book = ledger.book
    cut.facts = [one for one in ledger.facts if one.known <= at]
    assert layout(known(cut.public()), at_ms=at) == layout(changes, at_ms=at)


@SLOW
@given(lives(), st.data())
def test_how_late_a_change_came_to_publication_changes_no_answer(ledger: Ledger, data: st.DataObject) -> None:
    """Causes decide. Only what one step tells stays in its own order, as a partition keeps it."""
    told = ledger.public()
    at = data.draw(st.sampled_from(ledger.facts)).known
    steps = data.draw(st.permutations(sorted({one.step.offset for one in told})))
    came = sorted(range(len(told)), key=lambda place: (steps.index(told[place].step.offset), place))
    numbers = [came.index(place) for place in range(len(told))]
    plain, shuffled = layout(known(told), at_ms=at), layout(known(told, numbers), at_ms=at)
    assert [(one.pair, one.start, one.end) for one in plain] == [(one.pair, one.start, one.end) for one in shuffled]


@SLOW
@given(lives(), st.data())
def test_two_instants_differ_on_exactly_the_days_that_are_named(ledger: Ledger, data: st.DataObject) -> None:
    changes = known(ledger.public())
    earlier, later = sorted(data.draw(st.sampled_from(ledger.facts)).known for _ in range(2))
    found = differences(changes, earlier_ms=earlier, later_ms=later, today=day_of(earlier))
    was, now = layout(changes, at_ms=earlier), layout(changes, at_ms=later)
    came = {one.number: one for one in changes if earlier < one.known_ms <= later}
    begins = min((one.start for one in (*was, *now) if one.start != EVER), default=day_of(earlier))
    for number in range((day_of(later) - begins).days + 2):
        day = begins + timedelta(days=number)
        named = [one for one in found if one.first <= day and (one.last is None or day <= one.last)]
        assert len(named) == (said(was, day) != said(now, day))
        for one in named:
            assert (one.was.pair if one.was else NOTHING, one.now.pair) == (said(was, day), said(now, day))
            assert came[one.by].covers(day) and came[one.by].pair == one.now.pair and one.over == (day <= day_of(earlier))


def test_a_retraction_gives_the_days_back_from_its_own_instant_on_only() -> None:
    ledger = shop("2020-03-01")
    ledger.evaluated(2024)
    wrong = ledger.fined("2025-05-20")
    ledger.retracted(wrong, "2025-09-10")
    changes = known(ledger.public())
    fined, taken_back = (next(one.known for one in ledger.facts if one.name == name) for name in ("penalty.decided", "entry.retracted"))
    day = date(2025, 7, 1)
    assert said(layout(changes, at_ms=fined - 1), day) != said(layout(changes, at_ms=fined), day)
    assert said(layout(changes, at_ms=taken_back - 1), day) == said(layout(changes, at_ms=fined), day)
    assert said(layout(changes, at_ms=taken_back), day) == said(layout(changes, at_ms=fined - 1), day)
    (one, *later) = differences(changes, earlier_ms=taken_back - 1, later_ms=taken_back, today=day_of(taken_back - 1))
    assert (one.first, one.over) == (date(2025, 5, 20), True) and not [other for other in later if other.over]
    assert next(other for other in changes if other.number == one.by).offset == ledger.facts[-1].offset


def test_other_reasons_later_are_not_what_made_the_difference() -> None:
    day = date(2025, 1, 1)
    rows = [Known(1, 1, 10, "A", "graded", day, None), Known(2, 2, 20, "C", "graded", day, None), Known(3, 3, 30, "C", "graded", day, None)]
    assert [one.by for one in differences(rows, earlier_ms=10, later_ms=30, today=date(2025, 6, 1))] == [2, 2]


TODAY = date(2025, 6, 1)
LAID = [Span(1, "A", "graded", date(2025, 1, 1), None)]


@pytest.mark.parametrize(
    ("laid", "as_of", "go_live", "wanted"),
    [
        (LAID, TODAY, None, None),
        (LAID, TODAY, TODAY, None),
        (LAID, TODAY, TODAY + timedelta(days=1), "before-go-live"),
        ([], TODAY, None, "not-known-yet"),
        (LAID, TODAY + timedelta(days=1), None, "day-to-come"),
        (LAID, date(2024, 12, 31), None, "no-grade-on-day"),
        (LAID, date(2025, 1, 1), None, None),
    ],
)
def test_where_there_is_no_answer_it_is_said_why(laid: list[Span], as_of: date, go_live: date | None, wanted: str | None) -> None:
    assert silence(laid, as_of=as_of, today=TODAY, go_live=go_live) == wanted


def test_a_grade_whose_beginning_nobody_knows_holds_from_ever() -> None:
    ((one),) = layout([Known(1, 1, 10, None, "awaiting_inspection", None, None)], at_ms=10)
    assert (one.start, one.end) == (EVER, None)


def test_a_fine_that_is_entered_late_was_not_known_before() -> None:
    ledger = shop("2020-03-01")
    ledger.evaluated(2024)
    ledger.penalised("2025-03-03", act("fine"), served="2025-03-03", known="2025-08-08")
    changes = known(ledger.public())
    late = ledger.facts[-1].known
    assert said(layout(changes, at_ms=late - 1), date(2025, 4, 1)) != said(layout(changes, at_ms=late), date(2025, 4, 1))
