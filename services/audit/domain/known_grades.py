"""A subject's grades on two time axes: which grade of which day was known when. By the grade events alone (ADR 0018).

Invariants
1. Known at an instant is what was caused by facts known by then; of it the newest that covers a day decides the day, by when its cause
   was known and by its place. When rating told it changes nothing.
2. What a fact changes of days that were told otherwise before is a correction; of days that had not come yet it is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from schemas.times import civil_date, instant, milliseconds

TYPES = frozenset(("mingjian.grade.determined.v1", "mingjian.grade.corrected.v1"))
EVER = date.min
"""Where a grade's first day is not known."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What one grade event says. ``known_ms``, ``offset``: of its cause; ``place``: its own offset; ``start`` ``EVER``: not known from
    when; ``until``: last day of a corrected past, None where it holds on."""

    regime: str
    known_ms: int
    offset: int
    place: int
    grade: str | None
    status: str
    start: date
    until: date | None
    clauses: tuple[str, ...]
    cause: Mapping[str, Any]

    @property
    def order(self) -> tuple[int, int, int]:
        """The order in which what they say was known."""
        return (self.known_ms, self.offset, self.place)

    @property
    def pair(self) -> tuple[str | None, str]:
        """What a reader sees."""
        return (self.grade, self.status)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days from ``first`` to ``last``, both inclusive (None: still), and the event that decides them."""

    first: date
    last: date | None
    by: Told


@dataclass(frozen=True, slots=True)
class Differing:
    """Days that two instants answer differently. ``was`` None: nothing was known of them. ``came``: they had come by the earlier one."""

    first: date
    last: date | None
    was: Told | None
    now: Told
    came: bool


def told(event: Mapping[str, Any], place: int) -> Told | None:
    """A grade event, or None where it is another. Raises ``KeyError``, ``TypeError``, ``ValueError`` where it is malformed.

    An older version told no ``known_from``: the event's time is its cause's record's."""
    if event["type"] not in TYPES:
        return None
    data = event["data"]
    cause = data["cause"]
    first, last = data.get("in_force_from"), data.get("corrected_to")
    return Told(
        data["regime"],
        milliseconds(cause.get("known_from") or event["time"]),
        int(cause["offset"]),
        place,
        data["grade"],
        data["status"],
        date.fromisoformat(first) if first else EVER,
        date.fromisoformat(last) if last else None,
        tuple(data.get("clauses", ())),
        cause,
    )


def layout(events: Iterable[Told], at_ms: int) -> list[Stretch]:
    """What was known at an instant, by day; neighbours that say the same are one."""
    return _joined(_laid(events, at_ms))


def _laid(events: Iterable[Told], at_ms: int) -> list[Stretch]:
    """What came later covers what came earlier; from the newest back, each fills what those after it left open."""
    laid: list[Stretch] = []
    gaps: list[tuple[date, date | None]] = [(EVER, None)]
    for one in sorted((one for one in events if one.known_ms <= at_ms), key=lambda one: one.order, reverse=True):
        left: list[tuple[date, date | None]] = []
        for first, last in gaps:
            start, end = max(first, one.start), _earlier(last, one.until)
            if end is not None and end < start:
                left.append((first, last))
                continue
            laid.append(Stretch(start, end, one))
            if first < start:
                left.append((first, start - _ONE_DAY))
            if end is not None and (last is None or end < last):
                left.append((end + _ONE_DAY, last))
        gaps = left
    return sorted(laid, key=lambda one: one.first)


def on(laid: Sequence[Stretch], day: date) -> Stretch | None:
    """The stretch of a day."""
    return next((one for one in laid if one.first <= day and (one.last is None or day <= one.last)), None)


def instants(events: Iterable[Told]) -> list[int]:
    """The instants at which something became known, epoch ms, in order."""
    return sorted({one.known_ms for one in events})


def differing(events: Sequence[Told], earlier_ms: int, later_ms: int, zone: str) -> list[Differing]:
    """The days that the later instant answers otherwise than the earlier one, and by which event. ``zone``: the stack's."""
    was, now = _laid(events, earlier_ms), _laid(events, later_ms)
    came = sorted((one for one in events if earlier_ms < one.known_ms <= later_ms), key=lambda one: one.order)
    today = civil_date(instant(earlier_ms), zone)
    spans = [(one.first, one.last) for one in (*was, *now)] + [(one.start, one.until) for one in came]
    cuts = sorted({first for first, _ in spans} | {last + _ONE_DAY for _, last in spans if last} | {today + _ONE_DAY})
    found: list[Differing] = []
    for first, following in zip(cuts, [*cuts[1:], None], strict=True):
        before, after = on(was, first), on(now, first)
        if after is None or (before is not None and before.by.pair == after.by.pair):
            continue
        last = following - _ONE_DAY if following else None
        one = Differing(first, last, before.by if before else None, _first_to_say(came, first, after.by), first <= today)
        if found and found[-1].last == first - _ONE_DAY and _alike(found[-1], one):
            found[-1] = replace(found[-1], last=last)
        else:
            found.append(one)
    return found


def _first_to_say(came: Sequence[Told], day: date, newest: Told) -> Told:
    """Of those that covered the day last, all saying the same, the first: what followed only gave other reasons."""
    found = newest
    for one in reversed(came):
        if one.start <= day and (one.until is None or day <= one.until):
            if one.pair != newest.pair:
                break
            found = one
    return found


def _alike(one: Differing, other: Differing) -> bool:
    return (one.was and one.was.pair, one.now, one.came) == (other.was and other.was.pair, other.now, other.came)


def _joined(laid: Sequence[Stretch]) -> list[Stretch]:
    """Neighbours that say the same as one, decided by the first event that said so."""
    found: list[Stretch] = []
    for one in laid:
        if found and found[-1].by.pair == one.by.pair and found[-1].last == one.first - _ONE_DAY:
            first = min(found[-1].by, one.by, key=lambda by: by.order)
            found[-1] = Stretch(found[-1].first, one.last, first)
        else:
            found.append(one)
    return found


def _earlier(one: date | None, other: date | None) -> date | None:
    return other if one is None else one if other is None else min(one, other)
