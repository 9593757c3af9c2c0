"""What offices took upon themselves (``measures.adopted``) and did for all their enterprises at once (``list.notified``), and the
calendars by which their terms run. Each acts from its own offset in the partition.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.rating.domain.days import ONE_DAY, day
from services.rating.domain.facts import Fact
from services.rating.domain.workdays import Calendar, Schedule


class Adoption(NamedTuple):
    """An office holds a clause's measures as its duty on the days from ``first`` to ``last``, both inclusive. ``kinds``: for
    enterprises of these kinds of business only; None: for all."""

    office: str
    clause: str
    kinds: frozenset[str] | None
    first: date
    last: date


@dataclass(slots=True)
class Offices:
    """Facts in the order of their offsets."""

    _adopted: dict[str, list[Fact]] = field(default_factory=dict)
    _notified: dict[str, list[Fact]] = field(default_factory=dict)
    _calendars: dict[str, list[Fact]] = field(default_factory=dict)
    # What was asked and the answer, by how many of its facts stand below the offset: every subject asks the same.
    _asked: dict[tuple[str, str, int], Any] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        """Enter a control of ``DUTY_CONTROLS``."""
        if fact.name == "calendar.issued":
            self._calendars.setdefault(fact.data["country"], []).append(fact)
        else:
            (self._adopted if fact.name == "measures.adopted" else self._notified).setdefault(fact.data["regime"], []).append(fact)

    def adoptions(self, regime: str, *, upto: int) -> tuple[Adoption, ...]:
        """All of the regime known at offset ``upto``, by office, clause and day. Empty where nobody adopted anything: then nothing is
        anybody's duty."""
        facts = self._adopted.get(regime)
        if facts is None:
            return ()
        return self._kept("adopted", regime, facts, upto, _adoptions)  # type: ignore[no-any-return]

    @property
    def any_adopted(self) -> bool:
        """Whether any office ever adopted anything."""
        return bool(self._adopted)

    def notified(self, regime: str, *, upto: int) -> list[Fact]:
        """``list.notified`` of the regime, by day."""
        return self._kept("notified", regime, self._notified.get(regime, []), upto, _by_day)  # type: ignore[no-any-return]

    def calendar(self, country: str, *, upto: int) -> Calendar:
        """The country's schedules known at offset ``upto``; a later issue of a year replaces the earlier one."""
        return self._kept("calendar", country, self._calendars.get(country, []), upto, _calendar)  # type: ignore[no-any-return]

    def last(self, regime: str, *, below: int) -> Fact | None:
        """The newest step for the regime's duties below an offset."""
        found = None
        for facts in (self._adopted.get(regime, ()), self._notified.get(regime, ()), *self._calendars.values()):
            position = bisect_right(facts, below - 1, key=_offset)
            if position and (found is None or facts[position - 1].offset > found.offset):
                found = facts[position - 1]
        return found

    def _kept(self, what: str, name: str, facts: list[Fact], upto: int, work_out: Any) -> Any:
        count = bisect_right(facts, upto, key=_offset)
        key = (what, name, count)
        if key not in self._asked:
            self._asked[key] = work_out(facts[:count])
        return self._asked[key]


def _offset(fact: Fact) -> int:
    return fact.offset


def _by_day(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda one: (one.data["occurred_on"], one.offset))


def _calendar(facts: Sequence[Fact]) -> Calendar:
    return Calendar({one.data["year"]: Schedule.of(one.data) for one in facts})


def _effective(fact: Fact) -> date:
    """An office owes nothing before it took the measure, whatever day it names."""
    found = max(day(fact.data["in_force_from"]) or date.min, day(fact.data["occurred_on"]) or date.min)
    return found


def _adoptions(facts: Sequence[Fact]) -> tuple[Adoption, ...]:
    words: dict[tuple[str, str], list[Fact]] = {}
    for one in facts:
        if office := one.data.get("office"):
            words.setdefault((office, one.data["clause"]), []).append(one)
    found: list[Adoption] = []
    for (office, clause), said in sorted(words.items()):
        said.sort(key=lambda one: (_effective(one), one.offset))
        for place, one in enumerate(said):
            first = _effective(one)
            last = _effective(said[place + 1]) - ONE_DAY if place + 1 < len(said) else date.max
            if one.data["withdrawn"] or last < first:
                continue
            kinds = one.data.get("business_kinds")
            found.append(Adoption(office, clause, frozenset(kinds) if kinds else None, first, last))
    return _joined(found)


def _joined(adoptions: list[Adoption]) -> tuple[Adoption, ...]:
    """What an office says twice is one adoption."""
    found: list[Adoption] = []
    for one in adoptions:
        newest = found[-1] if found else None
        if newest and newest[:3] == one[:3] and newest.last != date.max and newest.last + ONE_DAY == one.first:
            found[-1] = newest._replace(last=one.last)
        else:
            found.append(one)
    return tuple(found)
