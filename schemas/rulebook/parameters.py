"""Numbers and words of a rulebook that have a date, a unit and a clause."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from schemas import fields as f
from schemas.rulebook.parts import Dates, ParameterName, ReadingId, Section, Texts
from schemas.rulebook.vocabulary import WHOLE_NUMBER_UNITS, Unit


class DatedValue(Dates):
    """A parameter's value from a day on. ``value`` null repeals it."""

    value: bool | int | str | tuple[f.Word, ...] | None
    clause: f.Name


class Parameter(Section):
    """A number or a choice with legal force. Values stand in the order of their dates. ``set_by``: the operator where the source
    doesn't say it (R12); else the source."""

    later: ClassVar[frozenset[str]] = frozenset({"set_by"})
    name: ParameterName
    unit: Unit
    title: Texts
    reading: ReadingId | None = None
    set_by: Literal["operator"] | None = None
    values: tuple[DatedValue, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_fit(self) -> Parameter:
        days = [one.in_force_from for one in self.values]
        for earlier, later in zip(days, days[1:], strict=False):
            if later == earlier:
                raise ValueError(f"two values are in force from {later}: give each its own in_force_from")
            if later < earlier:
                raise ValueError(f"the value from {later} stands after the one from {earlier}: order them by in_force_from")
        for one in self.values:
            if one.value is not None and not _fits(self.unit, one.value):
                raise ValueError(f"{one.value!r} is not a value in {self.unit}: {_EXPECTED[self.unit]}")
        return self

    def at(self, day: date) -> Any:
        """The value in force on ``day``; None before the first date or where it is repealed."""
        if len(self.values) == 1:
            only = self.values[0]
            return only.value if only.in_force_from <= day else None
        dated = self.dated_at(day)
        return dated.value if dated else None

    def dated_at(self, day: date) -> DatedValue | None:
        """The value with its clause and dates, in force on ``day``."""
        return next((one for one in reversed(self.values) if one.in_force_from <= day), None)


_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?")
_EXPECTED = {
    "points": 'a whole number such as 90 or a quoted decimal such as "97.5"',
    "flag": "true or false",
    "word": "one word of small letters, digits and underscores",
    "words": "a list of words",
    "month_day": 'a day of the year in quotes such as "01-31", on every year\'s calendar',
    **{unit: "a whole number, not negative" for unit in WHOLE_NUMBER_UNITS},
}


def _is_month_day(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(f"2001-{text}")  # no leap year: a day that every year has
    except ValueError:
        return False
    return True


def _fits(unit: str, value: object) -> bool:
    if unit == "points":
        return (type(value) is int and value >= 0) or (type(value) is str and _DECIMAL.fullmatch(value) is not None)
    if unit == "flag":
        return type(value) is bool
    if unit == "word":
        return type(value) is str and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value) is not None
    if unit == "words":
        return type(value) is tuple
    if unit == "month_day":
        return type(value) is str and _is_month_day(value)
    return type(value) is int and value >= 0
