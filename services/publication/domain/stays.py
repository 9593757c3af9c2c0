"""Stays of acts, and the days on which they keep a grade from being published (R18; ADR 0036).

Invariants
1. What follows depends on the facts and changes that are known, never on the order in which they came.
2. A grade is suspended on the days of a stay of an act that the grade rests on: from the later of ``from_day`` and the day on which the
   stay became known, to ``until`` or the day before the first one of a lifting. The days are those of the regime's time zone.
3. All entries of one decision are the act that a stay of one of them names.
4. A stay that was taken back, annulled or worded otherwise counts as that leaves it; so does a lifting.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events import CATALOGUE
from schemas.events.base import DocumentAct
from services.publication.domain.effects import CHANGED, EFFECT_TYPES, Entry, in_effect
from services.publication.domain.rows import LIFTED, ORDERED, copy_of

STAY_TYPES = (ORDERED, LIFTED)
# What says whether an act is stayed.
TYPES = (*STAY_TYPES, *EFFECT_TYPES)
_OTHER = "mingjian.other_department.penalised.v1"
_ONE_DAY = timedelta(days=1)
_OPEN = date.max


@dataclass(frozen=True, slots=True)
class Paper:
    """A fact of a subject, with its place. ``known_ms``: from when it was known; ``lifts``: of a lifting the copy of the stay, if known."""

    partition: int
    offset: int
    id: str
    copy: uuid.UUID
    type: str
    occurred_on: date | None
    known_ms: int
    data: dict[str, Any]
    lifts: uuid.UUID | None = None

    @property
    def entry(self) -> Entry:
        """The fact as ``in_effect`` takes it. A change of a decision waits for its service, as in rating."""
        named = self.data.get("entry") or self.data.get("act")
        about = None
        if self.type in EFFECT_TYPES and (self.type != CHANGED or self.data.get("service")):
            about = copy_of(named) if isinstance(named, Mapping) and {"source", "id"} <= named.keys() else None
        return Entry(self.type, self.occurred_on, self.offset, self.data, self.copy, about)


@dataclass(frozen=True, slots=True)
class Stay:
    """An order that an act rests, with its place; days inclusive, ``last`` None: open. ``known_ms``: when it became known."""

    subject: str
    partition: int
    offset: int
    id: str
    ordered_on: date | None
    from_day: date
    last: date | None
    known_ms: int


@dataclass(frozen=True, slots=True)
class StayedAct:
    """An entry of an act, by its place and id, and a stay of the act."""

    partition: int
    offset: int
    id: str
    stay: Stay


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days, both inclusive, of suspension by ``stay``, ``last`` None: open. ``since``: the first day of the unbroken suspension."""

    first: date
    last: date | None
    since: date
    stay: Stay


@dataclass(frozen=True, slots=True)
class Resting:
    """A change of a grade, by its number, and the stays of the acts among its decisive events."""

    number: int
    subject: str
    regime: str
    stays: tuple[Stay, ...]


@dataclass(frozen=True, slots=True)
class Suspension:
    """When a change isn't told: instants ``from_ms`` (included) to ``to_ms`` (not, None: open), and what is said instead."""

    number: int
    subject: str
    regime: str
    from_ms: int
    to_ms: int | None
    since: date
    until: date | None
    stay: Stay


def named_acts(papers: Iterable[Paper]) -> frozenset[uuid.UUID]:
    """Copies of all acts that stays name, whether they count or not."""
    found = set()
    for one in papers:
        words = one.data.get("replacement") or {}
        for type_name, data in ((one.type, one.data), (words.get("type"), words.get("data") or {})):
            if type_name == ORDERED:
                found.add(copy_of(data["act"]))
    return frozenset(found)


def stayed(subject: str, papers: Sequence[Paper]) -> list[StayedAct]:
    """What is stayed among the acts of a subject. ``papers``: its facts of the types ``TYPES``, and every entry of acts that stays name."""
    by_copy = {one.copy: one for one in papers}
    lifted, ordered = [], []
    for entry in in_effect([one.entry for one in papers]):
        if entry.type in STAY_TYPES and entry.copy is not None:
            (lifted if entry.type == LIFTED else ordered).append((by_copy[entry.copy], entry.data))
    found: dict[tuple[int, int, int, int], StayedAct] = {}
    for order, data in ordered:
        from_day = date.fromisoformat(data["from_day"])
        last = _last(order, data, lifted)
        place = (order.partition, order.offset, order.id)
        stay = Stay(subject, *place, order.occurred_on, from_day, last, order.known_ms)
        act = by_copy.get(copy_of(data["act"]))
        for entry_of in _entries(act, data["act"]["source"], papers) if act else ():
            one = StayedAct(entry_of.partition, entry_of.offset, entry_of.id, stay)
            found[(one.partition, one.offset, order.partition, order.offset)] = one
    return [found[place] for place in sorted(found)]


def _last(order: Paper, data: Mapping[str, Any], lifted: Iterable[tuple[Paper, Mapping[str, Any]]]) -> date | None:
    """The last day of a stay, by its own words and those of what lifts it."""
    days = [date.fromisoformat(data["until"])] if data.get("until") else []
    for paper, words in lifted:
        # Ids are unique within one office only. Where a lifting was worded otherwise, what it lifts now is known by its id alone.
        mine = paper.lifts in (None, order.copy) or words["stay"] != paper.data.get("stay")
        if words["stay"] == order.id and mine:
            days.append(date.fromisoformat(words["from_day"]) - _ONE_DAY)
    return min(days, default=None)


def _entries(act: Paper, source: str, papers: Iterable[Paper]) -> list[Paper]:
    """All entries of an act's decision, itself included: of one authority, kind and number. ``source``: of the act's own entry."""
    number = act.data.get("document_no")
    row = CATALOGUE.get(act.type)
    if not number or row is None or not issubclass(row.model, DocumentAct):
        return [act]
    who = _authority(act) or source
    same = (one for one in papers if one.type == act.type and one.data.get("document_no") == number)
    return [
        one
        for one in same
        if one is act or (_authority(one) == who if _authority(one) else copy_of({"source": who, "id": one.id}) == one.copy)
    ]


def _authority(one: Paper) -> str | None:
    """Who decided, where that isn't the office that entered it."""
    return one.data.get("authority") if one.type == _OTHER else None


def stretches(stays: Iterable[Stay], zone: ZoneInfo) -> list[Stretch]:
    """The days of these stays without overlap, by date. On each day the stay counts that lasts longest, of equals the earlier known."""
    spans: list[tuple[date, date, Stay]] = []
    for one in set(stays):
        first, last = max(one.from_day, _civil(one.known_ms, zone)), one.last or _OPEN
        if first <= last:
            spans.append((first, last, one))
    cuts = sorted({first for first, _, _ in spans} | {last + _ONE_DAY if last < _OPEN else _OPEN for _, last, _ in spans})
    found: list[Stretch] = []
    for day, after in pairwise(cuts):
        running = [(last, stay) for first, last, stay in spans if first <= day <= last]
        if not running:
            continue
        _, stay = min(running, key=lambda one: (-one[0].toordinal(), one[1].known_ms, one[1].partition, one[1].offset))
        last_day = after - _ONE_DAY if after < _OPEN else None
        before = found[-1] if found and found[-1].last == day - _ONE_DAY else None
        if before is not None and before.stay == stay:
            found[-1] = Stretch(before.first, last_day, before.since, stay)
        else:
            found.append(Stretch(day, last_day, before.since if before else day, stay))
    return found


def on(laid: Iterable[Stretch], day: date) -> Stretch | None:
    """The suspension of a day."""
    return next((one for one in laid if one.first <= day and (one.last is None or day <= one.last)), None)


def suspensions(change: Resting, zone: ZoneInfo) -> list[Suspension]:
    """When a change isn't told, by instant."""
    return [
        Suspension(
            change.number,
            change.subject,
            change.regime,
            _begin(one.first, zone),
            _begin(one.last + _ONE_DAY, zone) if one.last else None,
            one.since,
            one.stay.last,
            one.stay,
        )
        for one in stretches(change.stays, zone)
    ]


def _civil(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, zone).date()


def _begin(day: date, zone: ZoneInfo) -> int:
    """The first instant of a civil day, epoch ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
