"""Grades as of a day, as known at an instant (ADR 0018).

Invariants
1. Known at an instant is what was caused by facts known by then: of each partition a prefix. What is entered later changes no answer.
2. Of what was known the newest that covers a day decides it, by when its cause was known and by its place; how late rating or the
   projection came to it changes nothing.
3. A day after the instant's own was still to come, and has no answer; neither has an instant before anything was known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal

from services.publication.domain.history import Span, Told, on, spans

EVER = date.min
"""Where a grade's first day is not known."""
_ONE_DAY = timedelta(days=1)

Silence = Literal["before-go-live", "before-first-record", "not-known-yet", "day-to-come", "no-grade-on-day"]


@dataclass(frozen=True, slots=True)
class Known:
    """A change of one subject under one regime. ``number``: its own, in the order told; ``offset``, ``known_ms``: of its cause.

    ``start`` None: from when isn't known; ``until``: last day of a corrected past, None where it holds on."""

    number: int
    offset: int
    known_ms: int
    grade: str | None
    status: str
    start: date | None
    until: date | None

    @staticmethod
    def of(row: Mapping[str, Any]) -> Known:
        """From a row of the table ``change``."""
        return Known(
            row["seq"], row["cause_offset"], row["cause_known_ms"], row["grade"], row["status"], row["in_force_from"], row["corrected_to"]
        )

    @property
    def pair(self) -> tuple[str | None, str]:
        """What a reader of a list sees."""
        return (self.grade, self.status)

    def covers(self, day: date) -> bool:
        """True where it says something of the day."""
        return (self.start or EVER) <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Difference:
    """Days, both inclusive (``last`` None: still), that two instants answer differently; ``was`` None where the earlier had none.

    ``by``: number of the change that made the difference. ``over``: the days had come at the earlier instant, so that what
    was said of them was corrected; otherwise they had not, and what held went on until then."""

    first: date
    last: date | None
    was: Span | None
    now: Span
    by: int
    over: bool


def ordered(changes: Iterable[Known]) -> list[Known]:
    """By when the cause was known and its place, then as told: a step tells what holds now before what held. The causes of a subject of
    one partition are known in the order of their offsets; those of one that is rated by its parts lie in several."""
    return sorted(changes, key=lambda one: (one.known_ms, one.offset, one.number))


def layout(changes: Iterable[Known], *, at_ms: int) -> list[Span]:
    """The history as known at an instant, by day. ``Span.seq`` is the number of the change that decides."""
    known = [one for one in ordered(changes) if one.known_ms <= at_ms]
    told = (Told(place, one.grade, one.status, one.start or EVER, one.until) for place, one in enumerate(known))
    return [replace(span, seq=known[span.seq].number) for span in spans(told)]


def since(changes: Iterable[Known]) -> int | None:
    """The instant from which anything was known of the subject; None where nothing is."""
    return min((one.known_ms for one in changes), default=None)


def silence(laid: Sequence[Span], *, as_of: date, today: date, go_live: date | None) -> Silence | None:
    """Why a day has no answer, or None where it has one. ``today``: the day of the instant at which ``laid`` was known; ``go_live``:
    of the regime, as declared by then."""
    if go_live is not None and go_live > today:
        return "before-go-live"
    if not laid:
        return "not-known-yet"
    if as_of > today:
        return "day-to-come"
    return None if on(laid, as_of) else "no-grade-on-day"


def differences(changes: Sequence[Known], *, earlier_ms: int, later_ms: int, today: date) -> list[Difference]:
    """Which days are answered otherwise at the later instant, by day. ``today``: the day of the earlier instant."""
    was, now = layout(changes, at_ms=earlier_ms), layout(changes, at_ms=later_ms)
    came = [one for one in ordered(changes) if earlier_ms < one.known_ms <= later_ms]
    found: list[Difference] = []
    for first, following in pairwise([*_cuts(was, now, came, today), None]):
        assert first is not None
        before, after = _at(was, first), _at(now, first)
        if after is None or (before is not None and before.pair == after.pair):
            continue
        last = following - _ONE_DAY if following else None
        one = Difference(first, last, before, after, _first_to_say(came, first, after.pair), first <= today)
        if found and _goes_on(found[-1], one):
            found[-1] = replace(found[-1], last=last)
        else:
            found.append(one)
    return found


def _cuts(was: list[Span], now: list[Span], came: list[Known], today: date) -> list[date]:
    """Days on which an answer, or who made it, may change."""
    days = {today + _ONE_DAY}
    for span in (*was, *now):
        days |= {span.start, *([span.end] if span.end else ())}
    for one in came:
        days |= {one.start or EVER, *([one.until + _ONE_DAY] if one.until else ())}
    return sorted(days)


def _at(laid: list[Span], day: date) -> Span | None:
    place = bisect_right(laid, day, key=lambda one: one.start) - 1
    return laid[place] if place >= 0 and laid[place].holds(day) else None


def _first_to_say(came: list[Known], day: date, pair: tuple[str | None, str]) -> int:
    """Of those that covered the day last, all saying the same, the first: what followed only gave other reasons."""
    number = -1
    for one in reversed(came):
        if one.covers(day):
            if one.pair != pair:
                break
            number = one.number
    return number


def _goes_on(before: Difference, one: Difference) -> bool:
    if before.last != one.first - _ONE_DAY or before.over != one.over or before.by != one.by:
        return False
    return (before.was.pair if before.was else None) == (one.was.pair if one.was else None) and before.now.pair == one.now.pair
