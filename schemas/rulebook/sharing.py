"""What a rulebook that rates wholes by their parts must keep (ADR 0026): shares of grades that there are, in bands that can be met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from schemas.rulebook.conditions import Otherwise, Share
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.model import Rule, Rulebook
from schemas.rulebook.parts import Texts
from schemas.rulebook.uses import Refuse

MOMENT = "parts"
AT = ("parts", "")
Template = Callable[[tuple[str, str], str, Texts, set[str]], None]
"""Checks both languages of a text that stands at a place and may show these names."""


def check_sharing(rulebook: Rulebook, refuse: Refuse, template: Template) -> None:
    """Names and sections. Raise ``RulebookError`` for the first that doesn't fit."""
    parts = rulebook.parts
    of_parts = [rule for rule in rulebook.rules if MOMENT in rule.at]
    for rule in rulebook.rules:
        _rule(rule, rulebook, refuse)
    if parts is None:
        return
    if not of_parts:
        raise refuse(AT, "unused-parts", "no rule works at the parts", "Give a rule 'at: [parts]', or take the section out")
    if len(set(parts.business_kinds)) < len(parts.business_kinds):
        raise refuse(AT, "kind-twice", "business_kinds names one of them twice", "Name each kind once")
    if rulebook.status_for("not_yet_evaluated") is None:
        raise refuse(AT, "role-missing", "no status has the role 'not_yet_evaluated'", "Add it to the section 'statuses'")
    if rulebook.periodic and rulebook.periodic.approval:
        what = "grades need approval, and one that follows from others has nobody to propose it"
        raise refuse(("periodic", ""), "parts-approval", what, "Take out 'approval' or the section 'parts'")
    template(AT, "too_few", parts.too_few, {"found", "needed"})
    template(AT, "no_rule", parts.no_rule, {"counted"})


def _rule(rule: Rule, rulebook: Rulebook, refuse: Refuse) -> None:
    at = ("rules", rule.id)
    shares = [one for one in rule.all if isinstance(one, Share)]
    if MOMENT not in rule.at:
        if shares:
            raise refuse(at, "moment", f"the rule {rule.id!r} asks for shares of parts at {rule.at[0]!r}", "Let it work at: [parts]")
        return
    if len(rule.at) > 1:
        raise refuse(at, "moment", f"the rule {rule.id!r} works at the parts and at {rule.at[-1]!r}", "Make two rules of it")
    if other := next((one for one in rule.all if not isinstance(one, Share | Otherwise)), None):
        what = f"the rule {rule.id!r} asks for {other.kind!r}, which a whole has not by its parts"
        raise refuse(at, "moment", what, "Ask for shares, or let it work at another moment")
    for one in shares:
        for grade in one.of:
            if grade not in rulebook.rank:
                known = ", ".join(rulebook.rank)
                raise refuse(at, "unknown-grade", f"the rule {rule.id!r} asks for the share of {grade!r}", f"Use a known name: {known}")
        if len(set(one.of)) < len(one.of):
            raise refuse(at, "grade-twice", f"the rule {rule.id!r} names a grade of its share twice", "Name each grade once")


def check_shares(rulebook: Rulebook, refuse: Refuse) -> None:
    """Numbers, once every parameter is known to be there. Raise ``RulebookError`` for the first that doesn't fit."""
    for rule in rulebook.rules:
        for one in rule.all:
            if isinstance(one, Share):
                for on in _changes(rulebook, rule, one):
                    if error := _band(rulebook, rule, one, on, refuse):
                        raise error


def _band(rulebook: Rulebook, rule: Rule, share: Share, on: date, refuse: Refuse) -> RulebookError | None:
    at = ("rules", rule.id)
    names = [one for one in (share.at_least, share.above, share.below, share.at_most) if one]
    values = {one: rulebook.value(one, on) for one in names}
    for name, value in values.items():
        if value > 100:
            return refuse(at, "percent", f"the rule {rule.id!r} compares a share with {value} %", f"Put {name!r} at 100 or below")
    least, most = values.get(share.at_least or share.above or ""), values.get(share.below or share.at_most or "")
    empty = (share.above and least == 100) or (share.below and most == 0)
    if least is not None and most is not None:
        empty = empty or (least > most if share.at_least and share.at_most else least >= most)
    if empty:
        what = f"the rule {rule.id!r}: from {on} no share lies in its band"
        return refuse(at, "empty-band", what, "Correct its bounds: " + ", ".join(names))
    return None


def _changes(rulebook: Rulebook, rule: Rule, share: Share) -> list[date]:
    names = (share.at_least, share.above, share.below, share.at_most)
    days = {one.in_force_from for name in names if name for one in rulebook.parameter(name).values}
    return sorted({rule.in_force_from, *(day for day in days if rule.in_force(day))})
