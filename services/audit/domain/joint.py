"""Which of a subject's late or untrue entries made wrong days only together: the smallest sets (ADR 35).

A day belongs to a set that makes it wrong while none of the set's smaller ones does. Sets are looked at from the smallest on. Entries of
which no grade asks are in none; nor are those together that were never missing on one and the same day. Of more than ``MOST`` entries,
where more than ``SETS`` sets would have to be tried, and of a whole, whose other parts' entries are not looked at (ADR 37), the answer says
that it is not complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import NamedTuple

from services.audit.domain.assessing import Scene, differing
from services.audit.domain.matters import Matter

MOST, SETS = 12, 400


@dataclass(frozen=True, slots=True)
class Together:
    """``matters`` by id. ``possible``, ``certain``, ``as_long``: ordinals of the days that they make wrong and no fewer of them do: in some
    world, in all, and where approval takes as long as it really did."""

    matters: tuple[str, ...]
    possible: frozenset[int]
    certain: frozenset[int]
    as_long: frozenset[int]

    @property
    def least(self) -> int:
        return len(self.certain)

    @property
    def most(self) -> int:
        return len(self.possible)


class _Sets(NamedTuple):
    possible: frozenset[int]
    certain: frozenset[int]
    as_long: frozenset[int]


@dataclass
class Joint:
    """The sets of one scene, worked out once for all its matters. ``complete``: no other set can make days wrong."""

    scene: Scene
    complete: bool = True
    sets: list[Together] = field(default_factory=list)

    @staticmethod
    def of(scene: Scene) -> Joint:
        """Raises what the fold raises."""
        found = Joint(scene, scene.whole is None)
        moving = [one for one in scene.matters if scene.move(one) is not None]
        if len(moving) > MOST:
            moving.sort(key=lambda one: (scene.first(one), one.id))
            moving, found.complete = moving[-MOST:], False
        found._look(sorted(moving, key=lambda one: one.id))
        return found

    def of_matter(self, matter: Matter) -> list[Together]:
        """The sets that it is in, the smallest first."""
        return [one for one in self.sets if matter.id in one.matters]

    def _look(self, moving: Sequence[Matter]) -> None:
        done: dict[frozenset[str], _Sets] = {}
        tried = 0
        for size in range(1, len(moving) + 1):
            for some in combinations(moving, size):
                if size > 1 and not self._meet(some, done):
                    continue
                tried += 1
                if tried > SETS:
                    self.complete = False
                    return
                name = frozenset(one.id for one in some)
                done[name] = found = self._days(some)
                smaller = [days for other, days in done.items() if other < name]
                fewer = frozenset().union(*(days.possible for days in smaller))
                if found.possible - fewer:
                    as_long = found.as_long - frozenset().union(*(days.as_long for days in smaller))
                    self.sets.append(Together(tuple(sorted(name)), found.possible - fewer, found.certain - fewer, as_long))

    def _meet(self, some: Sequence[Matter], done: dict[frozenset[str], _Sets]) -> bool:
        """Whether there is a day on which all of them were missing, or on which what one of them did goes on."""
        begin = max(self.scene.first(one) for one in some)
        ends = []
        for one in some:
            possible = done[frozenset((one.id,))].possible
            ends.append(max(self.scene.until(one), date.fromordinal(max(possible)) if possible else date.min))
        return begin <= min(ends) or any(one.supposing != "on_time" for one in some)

    def _days(self, some: Sequence[Matter]) -> _Sets:
        moves = [move for one in some if (move := self.scene.move(one)) is not None]
        # Before that day one of them is not overdue, and what is wrong is so by fewer.
        first = max(self.scene.first(one) for one in some)
        begin = min(self.scene.begin(one) for one in some)
        worlds = self.scene.worlds(moves, begin, first)
        found = differing(worlds)
        as_long = worlds.wrong(worlds.as_long(max(self.scene.until(one) for one in some)))
        return _Sets(*(frozenset(day + first.toordinal() for day in days) for days in (found.possible, found.certain, as_long)))
