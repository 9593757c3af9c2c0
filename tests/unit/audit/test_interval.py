"""A replay of an interval: what intervals tell that lie side by side is what the whole tells, and a difference is found in its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.times import milliseconds
from services.audit.domain.differences import Stood
from services.audit.domain.frame import Record
from services.audit.domain.interval import Interval, Within
from services.audit.domain.judging import Judged, judge
from tests.unit.audit.test_regrading import FAR, TOWNS, P, rated, some, stood_of
from tests.unit.rating.streams import BOOKS, stream
from tests.unit.rating.test_backlog import Sent, records

pytestmark = pytest.mark.sweep
EVER = Interval(0, 2**62)


def judged(sent: list[Sent], stood: list[Stood], interval: Interval) -> Judged:
    facts = Within(P, interval=interval)
    for one in records(sent):
        facts.take(Record(topics.FACTS, P, one.offset, one.timestamp, 0, one.key, one.headers, one.value))
    return judge(facts, [one for one in stood if interval.holds(one)], BOOKS, FAR)


@some
@given(TOWNS, st.floats(0, 1))
def test_two_intervals_side_by_side_tell_what_the_whole_tells(lives: list, share: float) -> None:
    sent = stream(lives)
    stood = stood_of(rated(sent))
    times = [one.timestamp for one in records(sent)]
    cut = min(times, default=0) + int(share * (max(times, default=0) - min(times, default=0)))
    whole = judged(sent, stood, EVER)
    parts = [judged(sent, stood, one) for one in (Interval(0, cut), Interval(cut, 2**62))]
    assert whole.differences == [] == [*parts[0].differences, *parts[1].differences]
    assert sorted(whole.lines) == sorted([*parts[0].lines, *parts[1].lines])
    assert whole.events == parts[0].events + parts[1].events
    assert whole.compared == parts[0].compared + parts[1].compared


@some
@given(TOWNS, st.data())
def test_what_is_missing_is_found_in_its_interval_and_in_no_other(lives: list, data: st.DataObject) -> None:
    sent = stream(lives)
    stood = stood_of(rated(sent))
    if not stood:
        return
    lost = data.draw(st.sampled_from(stood))
    assert lost.event is not None
    left = [one for one in stood if one is not lost and not (one.event and one.event["id"] == lost.event["id"])]
    known = milliseconds(lost.event["data"]["cause"].get("known_from") or lost.event["time"])
    found = [judged(sent, left, one) for one in (Interval(known, known + 1), Interval(0, known), Interval(known + 1, 2**62))]
    missing = [sum(one.what == "missing" for one in each.differences) for each in found]
    assert missing == [1, 0, 0]
