"""What measures must keep as a whole: sets, lists and readings that exist, spans that make a year, one measure of a series a grade."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.rulebook.measures import Measure, MonthDay, Period
from schemas.rulebook.model import Rulebook
from schemas.rulebook.uses import Refuse

_YEAR = 12


def check_measures(rulebook: Rulebook, refuse: Refuse) -> None:
    """Raise ``RulebookError`` for the first thing that doesn't fit. Parameters are known to be there."""
    lists = {one.name for one in rulebook.lists}
    readings = {one.id for one in rulebook.readings}
    for one in rulebook.measures:
        at = ("measures", one.name)
        for name in one.sets():
            if name not in rulebook.sets:
                raise refuse(at, "unknown-set", f"the measure {one.name!r} names the act set {name!r}", _known(rulebook.sets))
        for act in (act for need in one.needs for act in need.any_of):
            if act.list is not None and act.list not in lists:
                raise refuse(at, "unknown-list", f"the measure {one.name!r} names the list {act.list!r}", _known(lists))
        for reading in one.readings:
            if reading not in readings:
                raise refuse(at, "unknown-reading", f"the reading {reading!r} is not described", _known(readings))
        if isinstance(one.opened_by, Period):
            _period(one, one.opened_by, rulebook, refuse)
    _series(rulebook, refuse)


def _period(measure: Measure, period: Period, rulebook: Rulebook, refuse: Refuse) -> None:
    at = ("measures", measure.name)
    lengths = rulebook.parameter(period.months)
    for dated in lengths.values:
        if dated.value is None:
            continue
        if _YEAR % dated.value:
            what = f"the measure {measure.name!r}: a year is not made of periods of {dated.value} months"
            raise refuse(at, "period", what, "Write 1, 2, 3, 4, 6 or 12")
        if isinstance(measure.due, MonthDay) and dated.value != _YEAR:
            what = f"the measure {measure.name!r} is due on a day of the year, and its period is {dated.value} months"
            raise refuse(at, "period", what, "Let the period be 12 months, or the duty be due at its end")
        if period.least_left is None:
            continue
        for left in rulebook.parameter(period.least_left).values:
            if left.value is not None and left.value > dated.value:
                what = f"the measure {measure.name!r}: of a period of {dated.value} months never {left.value} are left"
                raise refuse(at, "period", what, f"Write at most {dated.value} for {period.least_left!r}")


def _series(rulebook: Rulebook, refuse: Refuse) -> None:
    named: dict[tuple[str, str], str] = {}
    for one in rulebook.measures:
        for grade in one.grades if one.series else ():
            assert one.series
            if named.setdefault((one.series, grade), one.name) != one.name:
                what = (
                    f"the measures {named[one.series, grade]!r} and {one.name!r} of the series {one.series!r} are both for grade {grade!r}"
                )
                raise refuse(("measures", one.name), "measure-twice", what, "Leave the grade to one of them")


def _known(names: Iterable[str]) -> str:
    return "Use a known name: " + (", ".join(sorted(names)) or "there is none yet")
