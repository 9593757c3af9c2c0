"""Geometry of the two small charts, in percent of the width, so that text keeps its size from a phone to a wide screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from services.publication.domain.history import Span
from services.publication.domain.vocabulary import Term, Vocabulary

ROW = 26
TOP = 8
AXIS = 26
_PHONE = 300  # pixels that the drawing has on a narrow screen


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the bar of grades. ``width``: percent of the longest; ``share``: percent of all that are graded or listed."""

    term: Term
    kind: str
    n: int
    width: str
    share: str


def bars(rows: Sequence[tuple[str, Term, int]]) -> list[Bar]:
    """(kind, term, count) → rows; ``kind`` is ``grade`` or ``status``. Zero is the left edge of all."""
    whole = sum(n for _, _, n in rows)
    longest = max((n for _, _, n in rows), default=0)
    return [
        Bar(term, kind, n, f"{100 * n / longest:.2f}%" if longest else "0%", f"{100 * n / whole:.1f}%" if whole else "0%")
        for kind, term, n in rows
    ]


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line of the step chart: a grade, or the line of those without one at the bottom."""

    label: str
    y: int
    shade: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time at one level; ``rise``: (from y, to y) at its start, where the level changed."""

    x1: str
    x2: str
    y: int
    shade: int | None
    rise: tuple[int, int] | None
    title: tuple[str, date, date | None]


@dataclass(frozen=True, slots=True)
class Tick:
    """A first of January; ``minor`` ones are hidden on a phone."""

    x: str
    label: str
    minor: bool


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a status, written once over its longest stretch: the line at the bottom stands for all of them."""

    x: str
    y: int
    anchor: str
    status: str


@dataclass(frozen=True, slots=True)
class StepChart:
    """Valid time across, grades down, the best on top."""

    levels: Sequence[Level]
    steps: Sequence[Step]
    ticks: Sequence[Tick]
    names: Sequence[Name]
    height: int
    first: date
    last: date


def step_chart(regime: str, spans: Sequence[Span], *, today: date, vocabulary: Vocabulary) -> StepChart | None:
    """The history of one regime up to ``today``; None where there is nothing to draw."""
    if not spans:
        return None
    first = min(span.start for span in spans)
    last = max(today, *(span.end or span.start for span in spans))
    length = max((last - first).days, 1)
    terms = list(vocabulary.grades(regime))
    known = {term.word for term in terms}
    terms += [vocabulary.grade(regime, grade) for grade in sorted({s.grade for s in spans if s.grade and s.grade not in known})]
    levels = [Level(term.word, TOP + ROW * at + ROW // 2, term.shade) for at, term in enumerate(terms)]
    if any(span.grade is None for span in spans):
        levels.append(Level("–", TOP + ROW * len(terms) + ROW // 2, None))
    at = {level.label: level for level in levels}

    def x(day: date) -> str:
        return f"{100 * (day - first).days / length:.2f}%"

    steps: list[Step] = []
    for span in spans:
        level = at[span.grade if span.grade is not None else "–"]
        rise = (steps[-1].y, level.y) if steps and steps[-1].y != level.y else None
        word = span.grade if span.grade is not None else span.status
        steps.append(Step(x(span.start), x(span.end or last), level.y, level.shade, rise, (word, span.start, span.end)))
    bare = [span for span in spans if span.grade is None]
    names = _names([(vocabulary.status(regime, one.status), one.start, one.end or last) for one in bare], x, at["–"].y) if bare else []
    return StepChart(levels, steps, _ticks(first, last, x), names, TOP + ROW * len(levels) + AXIS, first, last)


def _names(terms: Sequence[tuple[Term, date, date]], x: Callable[[date], str], y: int) -> list[Name]:
    """Longest stretches first. On the left half a name begins with its stretch, on the right half it ends with it, so that it stays
    in the drawing; where two would meet on a phone only the longer stretch is named."""
    longest: dict[str, tuple[Term, date, date]] = {}
    for term, start, end in terms:
        held = longest.get(term.word)
        if held is None or end - start > held[2] - held[1]:
            longest[term.word] = (term, start, end)
    found: list[Name] = []
    taken: list[tuple[float, float]] = []
    for term, start, end in sorted(longest.values(), key=lambda one: one[1] - one[2]):
        wide = 100 * max(13 * len(term.zh), 7.5 * len(term.en)) / _PHONE
        left = float(x(start).rstrip("%")) < 50
        place = float((x(start) if left else x(end)).rstrip("%"))
        room = (place, place + wide) if left else (place - wide, place)
        if all(room[1] <= one[0] or one[1] <= room[0] for one in taken):
            taken.append(room)
            found.append(Name(f"{place:.2f}%", y, "start" if left else "end", term.word))
    return found


def _ticks(first: date, last: date, x: Callable[[date], str]) -> list[Tick]:
    years = [year for year in range(first.year + 1, last.year + 1) if date(year, 1, 1) <= last]
    if not years:
        return []
    every = max(1, len(years) // 8 + (len(years) % 8 > 0))
    shown = [year for year in years if (year - years[0]) % every == 0]
    coarse = max(1, -(-len(shown) // 4))
    return [Tick(x(date(year, 1, 1)), str(year), index % coarse != 0) for index, year in enumerate(shown)]
