"""Geometry of the reports' charts. Places along the width are percentages, so that text keeps its size from a phone to a wide screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT, FOOT, HEAD = 150, 24, 14
_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    """``minor`` ones are hidden on a phone."""

    at: str
    label: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of days with one number: a bar from the zero line up."""

    x: str
    width: str
    y: float
    height: float
    n: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Course:
    """A number that changes from day to day. ``lines``: (y, label) of the horizontal lines, zero among them."""

    blocks: Sequence[Block]
    lines: Sequence[tuple[float, str]]
    ticks: Sequence[Tick]
    height: int = HEAD + HEIGHT + FOOT
    zero: int = HEAD + HEIGHT


def course(steps: Sequence[tuple[date, int]], last: date) -> Course | None:
    """``steps``: from each day on so many, to the day before the next; None where there are none."""
    if not steps:
        return None
    first = date(steps[0][0].year, 1, 1)
    length = (last - first).days + 1
    top = _ceiling(max(n for _, n in steps))

    def x(day: date) -> float:
        return 100 * (day - first).days / length

    blocks = []
    for (start, n), following in zip(steps, [*(day for day, _ in steps[1:]), None], strict=True):
        end = x(following) if following else 100.0
        height = HEIGHT * n / top
        until = date.fromordinal(following.toordinal() - 1) if following else last
        blocks.append(Block(f"{x(start):.3f}%", f"{max(end - x(start), 0.05):.3f}%", HEAD + HEIGHT - height, height, n, start, until))
    lines = [(HEAD + HEIGHT - HEIGHT * value / top, str(value)) for value in _values(top)]
    return Course(blocks, lines, _years(first, last, length))


def _ceiling(n: int) -> int:
    """The next round number at or above, so that the topmost line has a plain label."""
    size = 1
    while True:
        for step in (1, 2, 4, 5):
            if step * size >= n:
                return step * size
        size *= 10


def _values(top: int) -> list[int]:
    return [0, top] if top % 2 else [0, top // 2, top]


def _years(first: date, last: date, length: int) -> list[Tick]:
    years = [year for year in range(first.year, last.year + 1)]
    every = -(-len(years) // _TICKS)
    shown = [year for year in years if (year - years[0]) % every == 0]
    return [Tick(f"{100 * (date(year, 1, 1) - first).days / length:.3f}%", str(year), at % 2 == 1) for at, year in enumerate(shown)]


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of a before-and-after chart: counts and the widths of their bars, of the longest of all rows."""

    label: str
    old: int
    new: int
    old_width: str
    new_width: str


def pairs(rows: Sequence[tuple[str, int, int]]) -> list[Pair]:
    """(label, before, after) → rows with one common scale from zero."""
    longest = max((n for _, old, new in rows for n in (old, new)), default=0) or 1
    return [Pair(label, old, new, f"{100 * old / longest:.2f}%", f"{100 * new / longest:.2f}%") for label, old, new in rows]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share with its interval along a common scale: places in percent of the width."""

    label: str
    at: str
    low: str
    width: str


def whiskers(rows: Sequence[tuple[str, float, float, float]]) -> tuple[list[Whisker], list[Tick]]:
    """(label, share, low, high), shares from 0 to 1 → rows and the scale's ticks. The scale begins at 0 and ends at a round share."""
    top = max((high for _, _, _, high in rows), default=0.0)
    end = next((one for one in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8) if one >= top), 1.0)

    def x(value: float) -> float:
        return 100 * value / end

    found = [Whisker(label, f"{x(at):.2f}%", f"{x(low):.2f}%", f"{x(high) - x(low):.2f}%") for label, at, low, high in rows]
    ticks = [Tick(f"{25 * step}%", f"{100 * end * step / 4:g} %", step % 2 == 1) for step in range(5)]
    return found, ticks


def path(points: Sequence[tuple[float, float]]) -> str:
    """A line through points of the unit square as an SVG path in a square of 100, its origin at the lower left."""
    return "M" + " L".join(f"{100 * x:.2f} {100 - 100 * y:.2f}" for x, y in points)
