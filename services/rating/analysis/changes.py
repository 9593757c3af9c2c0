"""What differs between two editions of a rulebook, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.rulebook import DatedValue, Parameter, Rulebook
from schemas.rulebook.loader import NAMED

WHOLE = ("header", "periodic", "latest", "precedence", "precedence_clause", "law_in_time", "succession")


@dataclass(frozen=True, slots=True)
class Change:
    """``what``: ``changed``, ``added`` or ``removed``. ``old`` and ``new`` are the values, where a parameter's value differs;
    ``first``: the first day on which it differs; None where that can't be told from the entry."""

    section: str
    name: str
    what: str
    title: tuple[str, str] | None = None
    clause: str | None = None
    old: str | None = None
    new: str | None = None
    first: date | None = None


def changes(old: Rulebook, new: Rulebook) -> list[Change]:
    """Every difference, parameters first: those are what a bureau turns."""
    found = list(_parameters(old, new))
    for section, key in NAMED.items():
        if section == "parameters":
            continue
        was = {getattr(one, key): one for one in getattr(old, section)}
        now = {getattr(one, key): one for one in getattr(new, section)}
        for name in [*was, *(one for one in now if one not in was)]:
            if was.get(name) != now.get(name):
                entry = now.get(name) or was[name]
                what = "added" if name not in was else "removed" if name not in now else "changed"
                first = getattr(entry, "in_force_from", None)
                found.append(Change(section, name, what, clause=getattr(entry, "clause", None), first=first if what == "added" else None))
        if section == "grades" and [*was] != [*now] and sorted(was) == sorted(now):
            found.append(Change("grades", " ".join(now), "changed"))
    for section in WHOLE:
        if getattr(old, section) != getattr(new, section):
            found.append(Change(section, section, "changed"))
    return found


def _parameters(old: Rulebook, new: Rulebook) -> Iterator[Change]:
    was = {one.name: one for one in old.parameters}
    now = {one.name: one for one in new.parameters}
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        one = after or before
        assert one is not None
        title = (one.title.zh, one.title.en)
        if before is None or after is None:
            what = "added" if before is None else "removed"
            value = one.values[-1]
            yield Change("parameters", name, what, title, value.clause, **{"new" if before is None else "old": text(value.value)})
            continue
        said = None
        for day in _dates(before, after):
            was_then, is_then = before.dated_at(day), after.dated_at(day)
            pair = (_value(was_then), _value(is_then))
            dated = is_then or was_then
            if dated is not None and pair[0] != pair[1] and pair != said:
                yield Change("parameters", name, "changed", title, dated.clause, text(pair[0]), text(pair[1]), day)
            said = pair
        if said is None or all(_value(before.dated_at(day)) == _value(after.dated_at(day)) for day in _dates(before, after)):
            yield Change("parameters", name, "changed", title, after.values[-1].clause)


def _dates(*parameters: Parameter) -> list[date]:
    return sorted({value.in_force_from for one in parameters for value in one.values})


def _value(dated: DatedValue | None) -> Any:
    return dated.value if dated else None


def text(value: Any) -> str:
    """A parameter's value as a reader expects it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def first_difference(found: list[Change]) -> date | None:
    """The first day on which a parameter differs or an added rule is in force, where every change has such a day; else None."""
    days = [one.first for one in found]
    return min((day for day in days if day), default=None) if all(days) else None
