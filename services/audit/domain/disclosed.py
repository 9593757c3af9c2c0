"""The edition for outside: decided totals of offices, and no number that could be traced to a person. R16.

The rule
1. No officer and nothing undecided: a matter counts where a hearing's outcome on it is final, confirmed or cleared.
2. A count of 1 to ``LEAST`` − 1, or one that concerns fewer than ``PEOPLE`` different officers, is not given. Whose officers aren't
   known counts as one officer. Nothing (0) is given. That a count lies between 1 and ``LEAST`` − 1 is said only where at least
   ``PEOPLE`` officers entered for the office that year.
3. A part of a count is given only where the rest of it could be given, too; a sum over offices only where it could be given itself
   and doesn't give away the one office that was left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.audit.domain.late import KIND
from services.audit.domain.supervision import Told, Year

LEAST, PEOPLE = 5, 3


@dataclass(frozen=True, slots=True)
class Outside:
    """An office's row, or all offices' (``office`` None). None: not given. ``least``, ``most``: days with another grade than it would
    have been, of confirmed late entries; ``not_found_late``: share of the entries with a term. ``few``: counts that are small."""

    office: str | None
    entries: int
    with_term: int
    confirmed: int | None
    cleared: int | None
    late: int | None
    moved: int | None
    least: int | None
    most: int | None
    not_found_late: float | None
    few: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counted:
    """Matters and whom they concern. ``pool``: how many officers it could be."""

    told: tuple[Told, ...]
    pool: int

    @property
    def given(self) -> bool:
        people = {officer for one in self.told for officer in one.officers} | {"" for one in self.told if not one.officers}
        return not self.told or (len(self.told) >= LEAST and len(people) >= PEOPLE)

    @property
    def few(self) -> bool:
        return 0 < len(self.told) < LEAST and self.pool >= PEOPLE

    def number(self) -> int | None:
        return len(self.told) if self.given else None

    def part(self, of: _Counted) -> int | None:
        """The number, where neither it nor the rest of ``of`` gives anybody away."""
        rest = _Counted(tuple(one for one in of.told if one not in self.told), self.pool)
        return len(self.told) if self.given and rest.given and of.given else None


def outside(year: Year) -> tuple[list[Outside], Outside]:
    """The offices' rows and that of all of them."""
    pools = Counter(one.office for one in year.officers)
    rows = [_row(one.office, one.entries, one.with_term, _decided(year.matters, one.office), pools[one.office]) for one in year.offices]
    sums = [sum(getattr(one, name) for one in year.offices) for name in ("entries", "with_term")]
    whole = _row(None, sums[0], sums[1], _decided(year.matters, None), len({one.officer for one in year.officers}))
    return rows, _without_remainders(rows, whole)


def _decided(matters: Iterable[Told], office: str | None) -> list[Told]:
    return [one for one in matters if one.fate in ("confirmed", "cleared") and office in (None, one.matter.office)]


def _row(office: str | None, entries: int, with_term: int, decided: Sequence[Told], pool: int) -> Outside:
    def counted(holds: Callable[[Told], bool]) -> _Counted:
        return _Counted(tuple(one for one in decided if holds(one)), pool)

    confirmed = counted(lambda one: one.fate == "confirmed")
    late = counted(lambda one: one.fate == "confirmed" and one.matter.kind == KIND)
    moved = counted(lambda one: one in late.told and one.matter.assessed is not None and one.matter.assessed.most > 0)
    cleared = counted(lambda one: one.fate == "cleared")
    number, least, most = moved.part(late), None, None
    if number is not None and late.part(confirmed) is not None:
        days = [one.matter.assessed for one in moved.told if one.matter.assessed]
        least, most = sum(one.least for one in days), sum(one.most for one in days)
    shown = late.part(confirmed)
    return Outside(
        office=office,
        entries=entries,
        with_term=with_term,
        confirmed=confirmed.number(),
        cleared=cleared.number(),
        late=shown,
        moved=number if shown is not None else None,
        least=least,
        most=most,
        not_found_late=(with_term - shown) / with_term if shown is not None and with_term else None,
        few=tuple(name for name, one in (("confirmed", confirmed), ("cleared", cleared)) if one.few),
    )


_COUNTS = ("confirmed", "cleared", "late", "moved")


def _without_remainders(rows: Sequence[Outside], whole: Outside) -> Outside:
    hidden = {name: sum(getattr(one, name) is None for one in rows) for name in _COUNTS}
    gone = {name for name in _COUNTS if hidden[name] == 1}
    late, moved = not gone & {"confirmed", "late"}, not gone & {"confirmed", "late", "moved"}
    return Outside(
        office=None,
        entries=whole.entries,
        with_term=whole.with_term,
        confirmed=None if "confirmed" in gone else whole.confirmed,
        cleared=None if "cleared" in gone else whole.cleared,
        late=whole.late if late else None,
        moved=whole.moved if moved else None,
        least=whole.least if moved else None,
        most=whole.most if moved else None,
        not_found_late=whole.not_found_late if late else None,
        few=whole.few,
    )
