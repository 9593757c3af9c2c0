"""What can only be checked on the whole: names that must exist, units that must fit, sentences that must fill."""

from __future__ import annotations

import string
from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.ids import ENTERPRISE_SCHEMES
from schemas.rulebook.conditions import CAUSES, OF_INSPECTIONS, Acts, ClosedAt, ComponentSum, InSuccession, NoActs, OperatedFor
from schemas.rulebook.counting import check_counting, check_scales
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.model import Latest, Rule, Rulebook
from schemas.rulebook.parts import Texts
from schemas.rulebook.periodic import Approval, Lowering, NewEnterprises, Periodic, Stays
from schemas.rulebook.uses import Place, Refuse, check_uses
from schemas.rulebook.vocabulary import COMMON_PLACEHOLDERS

Origin = dict[Place, tuple[str, int]]
_REVOKED = "advertising_approval_revoked"


def check_whole(rulebook: Rulebook, origin: Origin, folder: str) -> Rulebook:
    """Return ``rulebook``, or raise ``RulebookError`` for the first thing that doesn't fit."""

    def refuse(at: tuple[str, str], code: str, what: str, remedy: str) -> RulebookError:
        file, line = origin.get(at, (folder, 1))
        return RulebookError(code, file=file, line=line, what=what, remedy=remedy)

    if rulebook.regime != folder:
        raise refuse(("rulebook", ""), "folder", f"the folder is {folder!r}, the regime {rulebook.regime!r}", "Give both the same name")
    if not rulebook.grades:
        raise refuse(("rulebook", ""), "no-grades", "no grade is defined", "Add the section 'grades', the best first")
    _header(rulebook, refuse)
    _clauses(rulebook, refuse)
    _readings(rulebook, refuse)
    _statuses(rulebook, refuse)
    for rule in rulebook.rules:
        _rule(rule, rulebook, refuse)
    _mode(rulebook, refuse)
    for texts in (rulebook.law_in_time.by_act_day, rulebook.law_in_time.milder) if rulebook.law_in_time else ():
        for sentence in (texts.zh, texts.en):
            _template(("law_in_time", ""), "law_in_time", sentence, {"documents", "version", "from"}, refuse)
    for sentence in (rulebook.succession.zh, rulebook.succession.en) if rulebook.succession else ():
        _template(("succession", ""), "succession", sentence, {"predecessor", "day"}, refuse)
    check_counting(rulebook, refuse)
    check_uses(rulebook, refuse)
    check_scales(rulebook, refuse)
    for section, word, entries in (("lists", "list", rulebook.lists), ("measures", "measure", rulebook.measures)):
        for one in entries:
            for grade in one.grades:
                if grade not in rulebook.rank:
                    what = f"the {word} {one.name!r} names the grade {grade!r}"
                    raise refuse((section, one.name), "unknown-grade", what, _known(rulebook.rank))
    _measures(rulebook, refuse)
    return rulebook


def _measures(rulebook: Rulebook, refuse: Refuse) -> None:
    named: dict[str, str] = {}
    for one in rulebook.measures:
        for grade in one.grades:
            if named.setdefault(grade, one.name) != one.name:
                what = f"the measures {named[grade]!r} and {one.name!r} both say how often subjects of grade {grade!r} are inspected"
                raise refuse(("measures", one.name), "measure-twice", what, "Leave the grade to one of them")


def _known(names: Iterable[str]) -> str:
    return "Use a known name: " + (", ".join(sorted(names)) or "there is none yet")


def _header(rulebook: Rulebook, refuse: Refuse) -> None:
    at, header = ("rulebook", ""), rulebook.header
    try:
        ZoneInfo(header.time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise refuse(at, "time-zone", f"there is no time zone {header.time_zone!r}", "Write a name such as Asia/Shanghai") from None
    for scheme in header.schemes:
        if scheme not in ENTERPRISE_SCHEMES:
            raise refuse(at, "unknown-scheme", f"no enterprise has the scheme {scheme!r}", _known(ENTERPRISE_SCHEMES))


def _clauses(rulebook: Rulebook, refuse: Refuse) -> None:
    cited: list[tuple[tuple[str, str], str]] = [(("precedence_clause", ""), rulebook.precedence_clause)]
    for section, key in (
        ("grades", "grade"),
        ("statuses", "status"),
        ("act_sets", "name"),
        ("concepts", "concept"),
        ("point_tables", "name"),
        ("rules", "id"),
        ("lists", "name"),
        ("measures", "name"),
        ("overrides", "name"),
    ):
        cited += [((section, getattr(one, key)), one.clause) for one in getattr(rulebook, section)]
    cited += [(("parameters", one.name), value.clause) for one in rulebook.parameters for value in one.values]
    for section in ("law_in_time", "succession"):
        if one := getattr(rulebook, section):
            cited.append(((section, ""), one.clause))
    if rulebook.periodic:
        periodic = rulebook.periodic
        cited += [(("periodic", ""), one.clause) for one in _spoken(periodic)]
    if rulebook.latest:
        cited.append((("latest", ""), rulebook.latest.clause))
        if rulebook.latest.passed_over:
            cited.append((("latest", ""), rulebook.latest.passed_over.clause))
    for at, clause in cited:
        if clause not in rulebook.clause_texts:
            raise refuse(at, "unknown-clause", f"the clause {clause!r} is cited but not described", "Add it to the section 'clauses'")


def _spoken(periodic: Periodic) -> tuple[Periodic | Stays | NewEnterprises | Lowering | Approval, ...]:
    of_scores = (periodic.missing_score, periodic.several_scores, periodic.other_maximum)
    return (
        periodic,
        periodic.no_condition,
        *(one for one in of_scores if one),
        periodic.served_too_early,
        periodic.new_enterprises,
        *((periodic.lowering,) if periodic.lowering else ()),
        *((periodic.approval, periodic.approval.stays) if periodic.approval else ()),
    )


def _readings(rulebook: Rulebook, refuse: Refuse) -> None:
    known = {one.id for one in rulebook.readings}
    named: list[tuple[tuple[str, str], tuple[str, ...]]] = [(("rules", one.id), one.readings) for one in rulebook.rules]
    named += [(("parameters", one.name), (one.reading,)) for one in rulebook.parameters if one.reading]
    named += [(("overrides", one.name), one.readings) for one in rulebook.overrides]
    for section in ("law_in_time", "succession"):
        if one := getattr(rulebook, section):
            named.append(((section, ""), one.readings))
    if rulebook.periodic:
        periodic = rulebook.periodic
        named += [(("periodic", ""), one.readings) for one in _spoken(periodic)]
        named.append((("periodic", ""), periodic.precedence_readings))
    for at, readings in named:
        for reading in readings:
            if reading not in known:
                raise refuse(at, "unknown-reading", f"the reading {reading!r} is not described", _known(known))


def _statuses(rulebook: Rulebook, refuse: Refuse) -> None:
    for one in rulebook.statuses:
        for language, sentence in (("zh", one.sentence.zh), ("en", one.sentence.en)) if one.sentence else ():
            _template(("statuses", one.status), f"the status {one.status!r}, {language}", sentence, {"day"}, refuse)
    ends: dict[str, str] = {}
    for one in rulebook.statuses:
        for cause in one.causes:
            if ends.setdefault(cause, one.status) != one.status:
                what = f"{cause!r} brings the status {ends[cause]!r} and the status {one.status!r}"
                raise refuse(("statuses", one.status), "cause-twice", what, "Leave it to one of them")
    for role in ("graded", "new_enterprise", "not_yet_evaluated", "not_gradable"):
        words = [one.status for one in rulebook.statuses if one.role == role]
        if len(words) > 1:
            raise refuse(("statuses", words[1]), "role-twice", f"the role {role!r} has the words {', '.join(words)}", "Keep one word")
    needed = ["graded"]
    needed += ["new_enterprise", "not_yet_evaluated"] if rulebook.periodic else []
    needed += ["not_gradable"] if rulebook.latest else []
    needed += ["not_yet_evaluated"] if rulebook.latest and rulebook.latest.passed_over else []
    for role in needed:
        if rulebook.status_for(role) is None:
            raise refuse(("rulebook", ""), "role-missing", f"no status has the role {role!r}", "Add it to the section 'statuses'")


def _rule(rule: Rule, rulebook: Rulebook, refuse: Refuse) -> None:
    at = ("rules", rule.id)
    _result(rule, rulebook, refuse)
    if rule.repealed_on and rule.repealed_on <= rule.in_force_from:
        raise refuse(at, "dates", f"the rule {rule.id!r} is repealed before it is in force", "Correct in_force_from or repealed_on")
    allowed = {"latest"} if rulebook.latest else {"evaluation", "immediate", "new_enterprise"}
    for moment in rule.at:
        if moment not in allowed:
            raise refuse(at, "moment", f"the rule {rule.id!r} works at {moment!r}", _known(allowed))
    fills = set(COMMON_PLACEHOLDERS)
    for condition in rule.all:
        fills |= condition.fills
        _references(rule, condition, rulebook, refuse)
    if {"immediate", "new_enterprise"} & set(rule.at) and sum(isinstance(one, CAUSES) for one in rule.all) != 1:
        raise refuse(
            at,
            "cause",
            f"the rule {rule.id!r} works at once but has not exactly one cause",
            "Give it one condition of kind acts or in_succession, or let it work at the evaluation only",
        )
    if "immediate" in rule.at and any(not isinstance(one, CAUSES) for one in rule.all):
        raise refuse(
            at,
            "cause",
            f"the rule {rule.id!r} works at once but needs more than its cause",
            "Let it work at the evaluation, or take out the other conditions",
        )
    for language, sentence in (("zh", rule.zh), ("en", rule.en)):
        _template(at, f"the rule {rule.id!r}, {language}", sentence, fills, refuse)


def _result(rule: Rule, rulebook: Rulebook, refuse: Refuse) -> None:
    """What the rule gives, and what it gives way to."""
    at = ("rules", rule.id)
    if rule.status and not rulebook.latest:
        raise refuse(at, "moment", f"the rule {rule.id!r} gives a status in a plan of evaluations", "Give a grade")
    if rule.grade is None:
        interim = {one.status for one in rulebook.statuses if one.role == "interim"}
        if rule.status not in interim:
            raise refuse(at, "unknown-status", f"the rule {rule.id!r} gives {rule.status!r}, which is no interim status", _known(interim))
    elif rule.grade not in rulebook.rank:
        raise refuse(at, "unknown-grade", f"the rule {rule.id!r} gives the grade {rule.grade!r}", _known(rulebook.rank))
    rank = rulebook.rank[rule.grade] if rule.grade else 0
    better = {one.id for one in rulebook.rules if one.grade and rulebook.rank.get(one.grade, 0) < rank}
    for name in rule.gives_way_to:
        if name not in better:
            what = f"the rule {rule.id!r} gives way to {name!r}, which is no rule for a better grade"
            raise refuse(at, "gives-way", what, _known(better))


def _references(rule: Rule, condition: object, rulebook: Rulebook, refuse: Refuse) -> None:
    at = ("rules", rule.id)
    if not rulebook.latest and isinstance(condition, (*OF_INSPECTIONS, ComponentSum)):
        raise refuse(at, "moment", f"the rule {rule.id!r} asks about one inspection in a plan of evaluations", "Take the condition out")
    if isinstance(condition, ComponentSum) and condition.of and not any(isinstance(one, ClosedAt) for one in rule.all):
        what = f"the rule {rule.id!r} asks for the scores of a closing inspection without saying which"
        raise refuse(at, "closing", what, "Add a condition of kind closed_at, or leave out 'of'")
    if isinstance(condition, Acts | NoActs) and condition.acts not in rulebook.sets:
        raise refuse(at, "unknown-set", f"the rule {rule.id!r} names the act set {condition.acts!r}", _known(rulebook.sets))
    if isinstance(condition, Acts) and condition.quantity == "approvals" and _REVOKED not in rulebook.sets[condition.acts]:
        what = f"the rule {rule.id!r} counts approvals, and the act set {condition.acts!r} has no {_REVOKED}"
        raise refuse(at, "quantity", what, f"Add {_REVOKED} to the set, or count acts")
    for concept in _concepts(condition):
        if concept not in {one.concept for one in rulebook.concepts}:
            what = f"the rule {rule.id!r} names the concept {concept!r}"
            raise refuse(at, "unknown-concept", what, _known(one.concept for one in rulebook.concepts))
    if isinstance(condition, OperatedFor) and not rulebook.periodic:
        raise refuse(at, "moment", f"the rule {rule.id!r} asks for operating time without evaluations", "Take the condition out")


def _concepts(condition: object) -> tuple[str, ...]:
    if isinstance(condition, Acts):
        return (*condition.only_concepts, *condition.except_concepts)
    return condition.except_concepts if isinstance(condition, InSuccession) else ()


def _mode(rulebook: Rulebook, refuse: Refuse) -> None:
    if rulebook.latest:
        _interim(rulebook, rulebook.latest, refuse)
        names = rulebook.latest.components
        if len(set(names)) != len(names):
            what = "components names one of them twice, so that no inspection has them all"
            raise refuse(("latest", ""), "component-twice", what, "Name each component once")
        for section, texts, fills in (
            ("not_gradable", rulebook.latest.not_gradable, {"day"}),
            ("declared", rulebook.latest.declared, {"status_zh", "status_en"}),
            ("no_rule", rulebook.latest.no_rule or rulebook.latest.not_gradable, {"day"}),
            *_passing_over(rulebook.latest),
        ):
            for sentence in (texts.zh, texts.en):
                _template(("latest", ""), section, sentence, fills, refuse)
    if not rulebook.periodic:
        return
    for note, fills in (
        (rulebook.periodic.missing_score, set()),
        (rulebook.periodic.no_condition, set()),
        (rulebook.periodic.several_scores, {"found", "score"}),
        (rulebook.periodic.served_too_early, {"documents"}),
        (rulebook.periodic.other_maximum, {"score", "total", "maximum", "score_maximum"}),
    ):
        for sentence in (note.zh, note.en) if note else ():
            _template(("periodic", ""), "periodic", sentence, {"period_first", "period_last", *fills}, refuse)
    for sentence in (rulebook.periodic.new_enterprises.zh, rulebook.periodic.new_enterprises.en):
        _template(("periodic", ""), "new_enterprises", sentence, {"day", "months"}, refuse)
    named = [rulebook.periodic.new_enterprises.graded_when]
    if lowering := rulebook.periodic.lowering:
        named.append(lowering.acts)
        for sentence in (lowering.zh, lowering.en):
            fills = {"was", "now", "steps", "day", "documents", "authorities", "first", "last"}
            _template(("periodic", ""), "lowering", sentence, fills, refuse)
    if approval := rulebook.periodic.approval:
        for sentence in (approval.zh, approval.en):
            _template(("periodic", ""), "approval", sentence, {"grade", "day", "document"}, refuse)
        for sentence in (approval.stays.zh, approval.stays.en):
            _template(("periodic", ""), "approval", sentence, {"period_first", "period_last"}, refuse)
    for name in named:
        if name not in rulebook.sets:
            raise refuse(("periodic", ""), "unknown-set", f"the act set {name!r} is not defined", _known(rulebook.sets))


def _interim(rulebook: Rulebook, latest: Latest, refuse: Refuse) -> None:
    """Every status that a rule gives has its place among them, once: which of two goes before the other is not left to their names."""
    given = {rule.status for rule in rulebook.rules if rule.status}
    named = latest.interim or ()
    if set(named) != given or len(set(named)) != len(named):
        what = f"interim names {', '.join(named) or 'nothing'}, the rules give {', '.join(sorted(given)) or 'no status'}"
        raise refuse(("latest", ""), "interim", what, "Name each status that a rule gives once, the one that goes before the others first")


def _passing_over(latest: Latest) -> tuple[tuple[str, Texts, set[str]], ...]:
    over = latest.passed_over
    return (("reopened", over.reopened, {"day"}), ("none_yet", over.none_yet, set())) if over else ()


def _template(at: tuple[str, str], where: str, sentence: str, fills: set[str], refuse: Refuse) -> None:
    try:
        fields = [name for _, name, spec, conversion in string.Formatter().parse(sentence) if name is not None]
    except ValueError as error:
        raise refuse(at, "template", f"{where}: {error}", "Write every placeholder as {name}") from None
    for name in fields:
        if name not in fills:
            raise refuse(at, "placeholder", f"{where}: nothing fills {{{name}}}", _known(fills))
