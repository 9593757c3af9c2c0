"""The two times of a question: what is refused says what to ask instead; a day is counted where the regime counts it."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rulebook import load_all
from schemas.times import instant, milliseconds
from services._bus.problems import Problem, body
from services.publication.domain.history import Span
from services.publication.domain.registry import GO_LIVE, RULEBOOK
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import asking
from services.publication.web.asking import Zones
from services.publication.web.known_views import instant_of, local_of
from services.publication.web.strips import Two, strips
from services.publication.wiring import REPOSITORY

NOW = milliseconds("2026-06-01T12:00:00.000Z")
VOCABULARY = Vocabulary(load_all(REPOSITORY / "rulebooks").values())
ZONES = Zones(VOCABULARY, ZoneInfo("UTC"))
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "text", ["2026-02-30", "20260101", "2026-1-1", "2026-W01-1", "2026-01-01T00:00:00Z", "yesterday", "", "2026-01-01\n", "0001-01-01"]
)
def test_a_day_that_is_none_is_refused_with_its_remedy(text: str) -> None:
    with pytest.raises(Problem) as refused:
        asking.day(text)
    said = body(refused.value, "en")
    assert (said["status"], said["field"], said["value"]) == (422, "as_of", text)
    assert "2026-01-15" in said["remedy_zh"] and "2026-01-15" in said["remedy_en"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15",
        "2026-01-15T08:30:00",
        "2026-01-15T08:30:00+08:00",
        "2026-02-30T00:00:00Z",
        "2026-01-15T25:00:00Z",
        "now",
        "2026-01-15T08:30:00.0000001Z",
    ],
)
def test_an_instant_that_is_none_is_refused_with_its_remedy(text: str) -> None:
    with pytest.raises(Problem) as refused:
        asking.moment(text, "compared_to")
    said = body(refused.value, "zh")
    assert (said["status"], said["field"]) == (422, "compared_to") and "2026-01-15T08:30:00.000Z" in said["remedy"]


@given(st.integers(milliseconds("1950-01-01T00:00:00Z"), milliseconds("2190-01-01T00:00:00Z")))
def test_every_instant_that_the_contract_writes_can_be_asked_by(ms: int) -> None:
    assert asking.moment(instant(ms)) == ms


def test_the_newest_fact_answers_where_no_instant_is_given() -> None:
    assert asking.by(None, newest_ms=NOW - 5, now_ms=NOW) == (NOW - 5, False)
    assert asking.by(None, newest_ms=None, now_ms=NOW) == (NOW, False)
    assert asking.by(NOW, newest_ms=NOW - 5, now_ms=NOW) == (NOW, True)


def test_an_instant_to_come_is_refused_and_a_simulated_clock_that_runs_ahead_counts() -> None:
    with pytest.raises(Problem) as refused:
        asking.by(NOW + 1, newest_ms=NOW - 5, now_ms=NOW)
    assert refused.value.code == "known-at-future" and instant(NOW) in (refused.value.remedy_en or "")
    assert asking.by(NOW + 9, newest_ms=NOW + 9, now_ms=NOW) == (NOW + 9, True)


def test_a_day_to_come_is_refused_and_the_instant_s_own_day_is_not() -> None:
    asking.not_later_than(date(2026, 6, 1), date(2026, 6, 1), instant(NOW))
    with pytest.raises(Problem) as refused:
        asking.not_later_than(date(2026, 6, 2), date(2026, 6, 1), instant(NOW))
    assert refused.value.code == "as-of-future" and refused.value.more == {"latest_as_of": "2026-06-01"}


def test_days_are_counted_where_the_regime_counts_them() -> None:
    evening = milliseconds("2026-06-01T16:30:00Z")
    days = {regime: ZONES.day(regime, evening) for regime in ("liyujiang", "fhrs", "nobody")}
    assert days == {"liyujiang": date(2026, 6, 2), "fhrs": date(2026, 6, 1), "nobody": date(2026, 6, 1)}
    assert ZONES.today(days, evening) == date(2026, 6, 1)


def test_a_regime_is_live_as_last_declared_by_the_instant() -> None:
    def row(type: str, day: str, ms: int) -> dict:
        return {"type": type, "subject": "regime:r", "known_ms": ms, "data": {"occurred_on": day, "regime": "r"}}

    rows = [row(GO_LIVE, "2026-01-01", 10), row(RULEBOOK, "2020-01-01", 15), row(GO_LIVE, "2026-03-01", 20)]
    assert asking.go_lives(rows, at_ms=9) == {}
    assert asking.go_lives(rows, at_ms=19) == {"r": date(2026, 1, 1)}
    assert asking.go_lives(rows, at_ms=20) == {"r": date(2026, 3, 1)}


def test_why_there_is_no_answer_is_said_in_both_languages() -> None:
    for why in ("before-go-live", "before-first-record", "not-known-yet", "day-to-come", "no-grade-on-day"):
        said = asking.unanswered("r", why)  # type: ignore[arg-type]
        assert said["detail_zh"] and said["detail_en"] and said["reason"] == why


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-08-01T10:00", "2026-08-01T02:00:00.000Z"),
        ("2026-08-01T10:00:30", "2026-08-01T02:00:30.000Z"),
        ("2026-08-01T10:00:30.250", "2026-08-01T02:00:30.250Z"),
        ("2026-08-01T02:00:00.000Z", "2026-08-01T02:00:00.000Z"),
        ("2026-02-30T10:00", "2026-02-30T10:00"),
        ("nonsense", "nonsense"),
        ("", None),
        (None, None),
    ],
)
def test_a_form_s_local_time_becomes_an_instant_and_anything_else_goes_on_to_be_checked(text: str | None, wanted: str | None) -> None:
    assert instant_of(text, SHANGHAI) == wanted


@given(st.integers(milliseconds("1990-01-01T00:00:00Z"), milliseconds("2100-01-01T00:00:00Z")))
def test_a_form_keeps_the_instant_that_it_was_given(ms: int) -> None:
    assert instant_of(local_of(ms, ZoneInfo("UTC")), ZoneInfo("UTC")) == instant(ms)


def span(grade: str | None, start: date, end: date | None = None, seq: int = 1) -> Span:
    return Span(seq, grade, "graded" if grade else "new", start, end)


def test_two_histories_share_one_scale_and_what_differs_is_marked() -> None:
    first, turn, then_last, last = date(2026, 1, 1), date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 30)
    two = Two([span("B", first)], [span("B", first, turn), span("D", turn, seq=2)], then_last, last, [(turn, then_last)])
    drawn = strips("liyujiang", two, as_of=date(2026, 4, 10), vocabulary=VOCABULARY)
    ends = [round(float(one.x[:-1]) + float(one.width[:-1]), 1) for one in (drawn.then.pieces[-1], drawn.now.pieces[-1])]
    assert ends[1] == 100 and ends[0] < 70, "what was to come then is not drawn as known"
    assert [one.text.word for one in drawn.now.pieces if one.text] == ["B", "D"]
    ((x, width),) = drawn.marks
    assert x == drawn.now.pieces[1].x and abs(float(x[:-1]) + float(width[:-1]) - ends[0]) < 0.1
    assert drawn.asked is not None and float(x[:-1]) < float(drawn.asked[:-1]) < ends[0]
    assert drawn.first >= first and drawn.last == last


def test_neighbours_with_the_same_grade_are_one_piece_and_a_name_that_does_not_fit_is_left_out() -> None:
    first, last = date(2026, 1, 1), date(2026, 6, 30)
    now = [span("B", first, date(2026, 3, 1)), span("B", date(2026, 3, 1), date(2026, 6, 20), 2), span(None, date(2026, 6, 20), None, 3)]
    drawn = strips("liyujiang", Two(now, now, last, last, [(first, last)]), as_of=last, vocabulary=VOCABULARY)
    assert [one.letter for one in drawn.now.pieces] == [True, False]
    assert drawn.now.pieces[1].text is None


def test_a_grade_that_holds_since_ever_is_drawn_from_the_edge() -> None:
    last = date(2026, 6, 30)
    ever, later = [span("B", date.min)], [span("B", date.min, last), span("C", last, None, 2)]
    drawn = strips("liyujiang", Two(ever, later, last, last, [(last, last)]), as_of=last, vocabulary=VOCABULARY)
    assert drawn.now.pieces[0].x == "0.00%" and (last - drawn.first).days == 0 or drawn.first < last
