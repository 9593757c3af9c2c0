"""What a rulebook with evaluations says on a day, its own numbers looked up once for all subjects and all days of an edition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Terms:
    """None where no value is in force. ``months``: how long an enterprise is new; ``unknown_is_new``: how one without a start of operation
    on record is treated (R4), and False where the rulebook doesn't say that or the months; ``full``: full marks; ``choice``: which of
    several final scores counts; ``approved``: the grades that need approval (R8)."""

    months: int | None
    unknown_is_new: bool
    full: Decimal | None
    choice: str | None
    approved: frozenset[str]


def terms_of(rulebook: Rulebook, day: date) -> Terms:
    """The terms of the edition that a day lies in."""
    # By the day itself, for it is asked of every subject several times.
    by_day: dict[date, Terms] | None = rulebook.kept.get("terms")
    if by_day is None:
        by_day = rulebook.kept["terms"] = {}
    found = by_day.get(day)
    if found is None:
        key = ("terms", rulebook.edition(day))
        if key not in rulebook.kept:
            rulebook.kept[key] = _looked_up(rulebook, day)
        found = by_day[day] = rulebook.kept[key]
    return found


def _looked_up(rulebook: Rulebook, day: date) -> Terms:
    periodic = rulebook.periodic
    assert periodic is not None
    new, approval = periodic.new_enterprises, periodic.approval
    months = rulebook.parameter(new.months).at(day)
    unknown = months is not None and rulebook.parameter(new.start_unknown).at(day) == "new"
    marks = rulebook.parameter(periodic.score_maximum).at(day) if periodic.score_maximum else None
    choice = rulebook.parameter(periodic.contradicting_scores).at(day) if periodic.contradicting_scores else None
    words: tuple[str, ...] = ()
    if approval and rulebook.parameter(approval.required).at(day):
        words = rulebook.parameter(approval.grades).at(day) or ()
    approved = frozenset(one.grade for one in rulebook.grades if one.grade.lower() in words)
    return Terms(months, unknown, None if marks is None else Decimal(marks), choice, approved)
