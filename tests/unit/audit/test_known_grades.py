"""A subject's grades on two time axes, held against a model that asks each day by itself."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import civil_date, instant
from services.audit.domain.known_grades import EVER, Told, differing, instants, layout, on
from services.audit.web.console.drawing import begins, drawing, of_stretches
from tests.unit.audit.console_desk import WORDS

ZONE = "Asia/Shanghai"
FIRST, DAY_MS = date(2026, 1, 1), 86_400_000
START_MS = 1_767_196_800_000  # 2025-12-31T16:00:00Z: the first day's beginning in the zone
DAYS = [FIRST + timedelta(days=number) for number in range(-3, 45)]

_day = st.integers(0, 40).map(lambda number: FIRST + timedelta(days=number))
_one = st.tuples(st.integers(0, 40), st.sampled_from("ABD"), _day | st.just(EVER), st.none() | st.integers(0, 12))


def events(drawn: list[tuple[int, str, date, int | None]]) -> list[Told]:
    """Events of one subject; several may become known at once, then by the order of their causes."""
    found = []
    for place, (known, letter, start, length) in enumerate(drawn):
        until = None if length is None else (FIRST if start == EVER else start) + timedelta(days=length)
        told = Told("r", START_MS + known * DAY_MS, place, place, letter, "graded", start, until, (), {"offset": place})
        found.append(told)
    return found


def asked(told: list[Told], day: date, at_ms: int) -> Told | None:
    """By the rule alone: of what was known the newest that covers the day."""
    covers = [one for one in told if one.known_ms <= at_ms and one.start <= day and (one.until is None or day <= one.until)]
    return max(covers, key=lambda one: one.order, default=None)


@settings(max_examples=150, deadline=None)
@given(st.lists(_one, max_size=8), st.integers(-1, 41))
def test_each_day_has_the_grade_of_the_newest_that_covers_it(drawn: list[tuple[int, str, date, int | None]], at: int) -> None:
    told, at_ms = events(drawn), START_MS + at * DAY_MS
    laid = layout(told, at_ms)
    for day in DAYS:
        right, found = asked(told, day, at_ms), on(laid, day)
        assert (right and right.pair) == (found and found.by.pair)
    assert all(one.last is not None and one.last < other.first for one, other in zip(laid, laid[1:], strict=False))


@settings(max_examples=150, deadline=None)
@given(st.lists(_one, max_size=8), st.integers(-1, 41), st.integers(0, 20))
def test_what_two_instants_answer_otherwise_is_named_day_by_day(drawn: list[tuple[int, str, date, int | None]], at: int, more: int) -> None:
    """And by an event that became known between them, covers the day, and says what the later answer says."""
    told, earlier, later = events(drawn), START_MS + at * DAY_MS, START_MS + (at + more) * DAY_MS
    found, today = differing(told, earlier, later, ZONE), civil_date(instant(earlier), ZONE)
    for day in DAYS:
        was, now = asked(told, day, earlier), asked(told, day, later)
        named = [one for one in found if one.first <= day and (one.last is None or day <= one.last)]
        assert len(named) == (now is not None and (was is None or was.pair != now.pair))
        for one in named:
            assert one.now.pair == (now and now.pair) and (one.was and one.was.pair) == (was and was.pair)
            assert earlier < one.now.known_ms <= later and one.now.start <= day
            assert one.came == (day <= today)


@settings(max_examples=60, deadline=None)
@given(st.lists(_one, min_size=1, max_size=8), st.sampled_from(["zh", "en"]))
def test_pieces_of_a_lane_meet_and_stay_within_it(drawn: list[tuple[int, str, date, int | None]], lang: str) -> None:
    told = events(drawn)
    for at_ms in instants(told):
        laid = layout(told, at_ms)
        until = civil_date(instant(at_ms), ZONE)
        first = min(begins(laid, until), until)
        lane = drawing([("", of_stretches(laid, "r", WORDS, first, until))], (), first, until, lang).lanes[0]
        ends = [(float(one.x[:-1]), float(one.x[:-1]) + float(one.width[:-1])) for one in lane.pieces]
        assert all(-0.01 <= left < right <= 100.01 for left, right in ends)
        assert all(right <= left + 0.02 for (_, right), (left, _) in zip(ends, ends[1:], strict=False))
