"""The history of a grade in valid time: which grade or status held from which day to which, as far as it was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Told:
    """A change in the order in which it was told. ``until``: last day of a corrected past, None where it holds on."""

    seq: int
    grade: str | None
    status: str
    start: date
    until: date | None

    @property
    def end(self) -> date | None:
        """The day after the last one."""
        return self.until + timedelta(days=1) if self.until is not None else None


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to the day before ``end`` (None: still)."""

    seq: int
    grade: str | None
    status: str
    start: date
    end: date | None

    @property
    def pair(self) -> tuple[str | None, str]:
        """What a reader of a list sees."""
        return (self.grade, self.status)

    def holds(self, day: date) -> bool:
        """True on its days."""
        return self.start <= day and (self.end is None or day < self.end)


_Gap = tuple[date, date | None]


def spans(told: Iterable[Told]) -> list[Span]:
    """What was told later covers what was told earlier; by day.

    From the newest back, each fills what those after it left open, so that a long life costs little more than a short one."""
    laid: list[Span] = []
    gaps: list[_Gap] = [(date.min, None)]
    for one in sorted(told, key=lambda change: change.seq, reverse=True):
        left: list[_Gap] = []
        for gap in gaps:
            filled = _common(gap, (one.start, one.end))
            if filled is None:
                left.append(gap)
                continue
            laid.append(Span(one.seq, one.grade, one.status, *filled))
            left += _without(gap, filled)
        gaps = left
    return sorted(laid, key=lambda span: span.start)


def on(laid: Sequence[Span], day: date) -> Span | None:
    """The one that holds on a day."""
    return next((one for one in laid if one.holds(day)), None)


def _common(one: _Gap, other: _Gap) -> _Gap | None:
    start = max(one[0], other[0])
    ends = [end for end in (one[1], other[1]) if end is not None]
    end = min(ends) if ends else None
    return None if end is not None and end <= start else (start, end)


def _without(gap: _Gap, filled: _Gap) -> list[_Gap]:
    """What is left of a gap on both sides."""
    left: list[_Gap] = []
    if gap[0] < filled[0]:
        left.append((gap[0], filled[0]))
    if filled[1] is not None and (gap[1] is None or filled[1] < gap[1]):
        left.append((filled[1], gap[1]))
    return left
