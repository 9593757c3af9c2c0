"""Who of the town's officers is where and when: an honest officer's visits never overlap."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from services._cli.sample.acts import at

# Morning and afternoon visits leave time for the way between two of them. Hour, minute.
_STARTS = ((8, 30), (10, 0), (13, 30), (15, 0))
_SHORTEST, _LONGEST = 35, 62
_GRID = 9


class Diary:
    """Visits by officer's pseudonym, as instants with a zone."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[datetime, datetime]]] = {}

    def free(self, officer: str, start: datetime, end: datetime) -> bool:
        """Nothing else in that time, nor so close to it that one couldn't get there."""
        way = timedelta(minutes=15)
        return all(end + way <= first or last + way <= start for first, last in self._kept.get(officer, ()))

    def keep(self, officers: tuple[str, ...], start: datetime, end: datetime) -> None:
        for one in officers:
            self._kept.setdefault(one, []).append((start, end))

    def slot(self, officers: tuple[str, ...], day: date, rng: Random) -> tuple[datetime, datetime] | None:
        """A visit's time on which all of them are free, and kept from now on; None where there is none that day."""
        for hour, minute in rng.sample(_STARTS, len(_STARTS)):
            start = at(day, hour, minute) + timedelta(minutes=rng.randint(0, _GRID))
            end = start + timedelta(minutes=rng.randint(_SHORTEST, _LONGEST))
            if all(self.free(one, start, end) for one in officers):
                self.keep(officers, start, end)
                return start, end
        return None
