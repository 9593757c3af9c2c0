"""Kind ``points``: what the deductions of a table leave of full marks, over the acts that took effect in a window (ADR 0020).

Invariants
1. A tally is a function of the acts entered, not of their order: of what counts as one the heaviest is kept, of equally heavy ones
   the earlier by day and offset.
2. An act costs the same on the 2,000th as on the first but for sorted insertions: the windows that were asked for are kept up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.rulebook import Parameter, Rulebook
from schemas.rulebook.conditions import Points
from schemas.rulebook.points import PointTable
from services.rating.domain.acts import Act, put
from services.rating.domain.causes import SHOWN
from services.rating.domain.conditions.points_words import Deducted, Line, Row, deductions_text
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.holding import Holding, Look, Quantity, Worded, number_text

NOTHING = Decimal(0)


def _order(deducted: Deducted) -> tuple[date, int, int]:
    return deducted.act.order


@dataclass(slots=True)
class Window:
    """What counts of the acts in a stretch of days. ``counted``: by day; ``rows``: act set → how often, and how much in all."""

    same_act: str
    counted: list[Deducted] = field(default_factory=list)
    total: Decimal = NOTHING
    rows: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    _kept: dict[tuple[object, ...], Deducted] = field(default_factory=dict)

    def take(self, act: Act, lines: Sequence[Line]) -> None:
        """Count an act, unless something at least as heavy counts in its stead."""
        one = Deducted(act, tuple(lines) if self.same_act == "each" else (max(lines, key=lambda line: line.points),))
        name = self._name(act)
        kept = self._kept.get(name)
        if kept is not None:
            if (-kept.points, kept.act.order) <= (-one.points, one.act.order):
                return
            del self.counted[bisect_left(self.counted, kept.act.order, key=_order)]
            self._add(kept, -1)
        self._kept[name] = one
        insort(self.counted, one, key=_order)
        self._add(one, 1)

    def _name(self, act: Act) -> tuple[object, ...]:
        """What acts share of which one counts. Whatever is asked for, a document that was entered twice counts once."""
        return (act.violation,) if self.same_act == "violation" and act.violation else act.identity

    def _add(self, one: Deducted, times: int) -> None:
        self.total += times * one.points
        for line in one.lines:
            number, points = self.rows.get(line.row.acts, (0, NOTHING))
            self.rows[line.row.acts] = (number + times, points + times * line.points)


@dataclass(slots=True)
class Tally:
    """A table's acts, by day, and the windows of them that were asked for."""

    table: PointTable
    rulebook: Rulebook
    acts: list[Act] = field(default_factory=list)
    _windows: dict[tuple[date, date, str], Window] = field(default_factory=dict)
    _rows: list[tuple[Row, frozenset[str], Parameter]] = field(default_factory=list)

    def __post_init__(self) -> None:
        book = self.rulebook
        titles = {one.name: one.title for one in book.act_sets}
        self._rows = [(Row(one.acts, titles[one.acts]), book.sets[one.acts], book.parameter(one.points)) for one in self.table.deductions]

    def enter(self, act: Act) -> None:
        """Take an act, if the table takes anything off for it."""
        if not in_field(self.table.legal_fields, self.rulebook, act):
            return
        lines = self.lines(act)
        if not lines:
            return
        put(self.acts, act)
        for (first, last, _), window in self._windows.items():
            if first <= act.effective <= last:
                window.take(act, lines)

    def window(self, first: date, last: date, same_act: str) -> Window:
        """What counts from ``first`` to ``last``, both included; ``same_act``: what of several penalties does."""
        found = self._windows.get((first, last, same_act))
        if found is None:
            found = self._windows[(first, last, same_act)] = Window(same_act)
            low = bisect_left(self.acts, first, key=lambda one: one.effective)
            for act in self.acts[low : bisect_right(self.acts, last, key=lambda one: one.effective)]:
                found.take(act, self.lines(act))
        return found

    def lines(self, act: Act) -> list[Line]:
        """A line for each row by which the act costs anything, by the deduction of the day on which it took effect."""
        met = ((row, points.at(act.effective)) for row, sanctions, points in self._rows if not act.sanctions.isdisjoint(sanctions))
        return [Line(row, Decimal(points)) for row, points in met if points is not None and Decimal(points)]


def holds(condition: Points, look: Look, tally: Tally) -> Holding | None:
    """What is left lies in the band: ``at_least`` belongs to it, ``below`` doesn't. Where the table lacks a value on the day it lies in
    none: what isn't in force may not come out as a clean record."""
    table = tally.table
    if any(look.rulebook.parameter(name).at(look.day) is None for _, _, name in table.parameters()):
        return None
    full, least = look.value(table.full), look.value(table.least)
    same_act = look.value(table.same_act)
    window = look.sift.window(tally, look, same_act) if look.sift else tally.window(look.first, look.last, same_act)
    left = max(Decimal(least), Decimal(full) - window.total)
    lower = look.value(condition.at_least) if condition.at_least else None
    upper = look.value(condition.below) if condition.below else None
    if (lower is not None and left < Decimal(lower)) or (upper is not None and left >= Decimal(upper)):
        return None
    return _holding(window, left, full, lower, upper)


def _holding(window: Window, left: Decimal, full: str | int, lower: str | None, upper: str | None) -> Holding:
    shown = window.counted if len(window.counted) <= SHOWN else [*window.counted[: SHOWN - 1], window.counted[-1]]
    bounds = [f"≥ {number_text(lower)}" if lower is not None else "", f"< {number_text(upper)}" if upper is not None else ""]
    numbers = [Quantity("points", number_text(left), " ".join(bounds).strip()), Quantity("full", number_text(full))]
    # By name, for the order in which the rows were met is that of arrival.
    numbers += [Quantity(name, f"-{number_text(points)}", f"× {times}") for name, (times, points) in sorted(window.rows.items()) if times]
    fills = {
        "points": number_text(left),
        "full": number_text(full),
        "deducted": number_text(window.total),
        "deductions": Worded(*deductions_text(window.counted, window.total)),
        "bound": number_text(lower) if lower is not None else "",
        "upper": number_text(upper) if upper is not None else "",
    }
    acts = tuple(one.act for one in shown)
    return Holding(acts=acts, numbers=tuple(numbers), fills=fills, omitted=len(window.counted) - len(acts))
