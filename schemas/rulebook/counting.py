"""What a rulebook that counts must keep: tables that a rule reads, a scale on which bands lie, scores only where they are owed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.rulebook.conditions import Points, Score
from schemas.rulebook.model import Rule, Rulebook
from schemas.rulebook.points import PointTable
from schemas.rulebook.uses import Refuse

# They stand together in ``periodic``, or none of them does.
SCORE_ENTRIES = ("contradicting_scores", "score_maximum", "missing_score", "several_scores", "other_maximum")


def check_counting(rulebook: Rulebook, refuse: Refuse) -> None:
    """Names and sections. Raise ``RulebookError`` for the first that doesn't fit."""
    _scores(rulebook, refuse)
    for table in rulebook.point_tables:
        _table(table, rulebook, refuse)
    named = {condition.table for _, condition in _points(rulebook)}
    for rule, condition in _points(rulebook):
        at = ("rules", rule.id)
        if condition.table not in rulebook.tables:
            what = f"the rule {rule.id!r} names the point table {condition.table!r}"
            raise refuse(at, "unknown-table", what, _known(rulebook.tables))
        if not rulebook.periodic:
            what = f"the rule {rule.id!r} counts points without evaluations, whose period they are counted over"
            raise refuse(at, "moment", what, "Take the condition out")
    for table in rulebook.point_tables:
        if table.name not in named:
            what = f"no rule reads the point table {table.name!r}"
            raise refuse(("point_tables", table.name), "unused-table", what, "Name it in a condition of kind points, or take it out")


def check_scales(rulebook: Rulebook, refuse: Refuse) -> None:
    """Numbers, once every parameter is known to be there. Raise ``RulebookError`` for the first that doesn't fit."""
    for rule, condition in _points(rulebook):
        table = rulebook.tables[condition.table]
        for on in _changes(rulebook, rule, (table.full, table.least, condition.at_least, condition.below)):
            full, least = Decimal(rulebook.value(table.full, on)), Decimal(rulebook.value(table.least, on))
            if least >= full:
                what = f"the point table {table.name!r}: from {on} it begins at {full} and ends at {least}"
                raise refuse(("point_tables", table.name), "empty-scale", what, f"Put {table.least!r} below {table.full!r}")
            lower, upper = (name and Decimal(rulebook.value(name, on)) for name in (condition.at_least, condition.below))
            if lower is not None and lower > full:
                what = f"the rule {rule.id!r}: from {on} it asks for at least {lower} of {full} points"
                raise refuse(("rules", rule.id), "empty-band", what, f"Put {condition.at_least!r} at {full} or below")
            if upper is not None and upper <= least:
                what = f"the rule {rule.id!r}: from {on} it asks for fewer than {upper} points, and {least} is the least"
                raise refuse(("rules", rule.id), "empty-band", what, f"Put {condition.below!r} above {least}")


def _points(rulebook: Rulebook) -> Iterable[tuple[Rule, Points]]:
    return [(rule, condition) for rule in rulebook.rules for condition in rule.all if isinstance(condition, Points)]


def _changes(rulebook: Rulebook, rule: Rule, names: Iterable[str | None]) -> list[date]:
    """The days on which the rule, or a number that it reads, begins."""
    days = {one.in_force_from for name in names if name for one in rulebook.parameter(name).values}
    return sorted({rule.in_force_from, *(day for day in days if rule.in_force(day))})


def _scores(rulebook: Rulebook, refuse: Refuse) -> None:
    periodic = rulebook.periodic
    if periodic is None:
        return
    missing = [name for name in SCORE_ENTRIES if getattr(periodic, name) is None]
    if missing and len(missing) < len(SCORE_ENTRIES):
        what = f"final scores are half described: {', '.join(missing)} not given"
        raise refuse(("periodic", ""), "scores-in-part", what, f"Give all of {', '.join(SCORE_ENTRIES)}, or none where no score is owed")
    for rule in rulebook.rules if missing else ():
        if any(isinstance(one, Score) for one in rule.all):
            what = f"the rule {rule.id!r} asks for a final score, and the evaluation knows none"
            raise refuse(("rules", rule.id), "no-scores", what, f"Take the condition out, or add {', '.join(SCORE_ENTRIES)}")


def _table(table: PointTable, rulebook: Rulebook, refuse: Refuse) -> None:
    at, taken = ("point_tables", table.name), dict[Any, str]()
    for one in table.deductions:
        if one.acts not in rulebook.sets:
            what = f"the point table {table.name!r} names the act set {one.acts!r}"
            raise refuse(at, "unknown-set", what, _known(rulebook.sets))
        for sanction in sorted(rulebook.sets[one.acts]):
            if sanction in taken:
                what = f"the point table {table.name!r}: {sanction!r} is in {taken[sanction]!r} and in {one.acts!r}"
                raise refuse(at, "sanction-twice", what, "Leave it in one of the sets")
            taken[sanction] = one.acts


def _known(names: Iterable[str]) -> str:
    return "Use a known name: " + (", ".join(sorted(names)) or "there is none yet")
