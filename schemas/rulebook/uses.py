"""Who reads a parameter, and what it may then say: no knob with legal force loads and does nothing, or the opposite.

A parameter that is read needs a value on every day on which its reader is in force, in the reader's unit, by the reader's
words. ``uses_of`` names the readers; ``check_uses`` asks each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.rulebook.conditions import Points, Score
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.measures import AFTER_GRADE_CHANGE, WHOSE
from schemas.rulebook.model import Parameter, Rule, Rulebook
from schemas.rulebook.points import SAME_ACT, PointTable
from schemas.rulebook.vocabulary import (
    ACTIVITIES,
    ACTS_BY,
    APPROVALS_SUPPOSED,
    CASE_OUTCOMES,
    CHANNELS,
    CLOSURES,
    COUNTED_BY,
    DAYS_COUNTED,
    INSPECTION_KINDS,
    INSPECTION_MODES,
    JOINT_EFFECT,
    LEGAL_FIELDS,
    MANNERS,
    NOT_ON_RECORD,
    OF_TWO_FINALS,
    SANCTIONS,
    START_UNKNOWN,
)
from schemas.rulebook.wholes import UNRATED

Place = tuple[str, str]
Refuse = Callable[[Place, str, str, str], RulebookError]

# What audit reads by these names where a rulebook has the first (``services.audit.domain.late``): unit, kind of word, words.
ENTRY = {
    "entry_working_days": ("working_days", None, ()),
    "entry_activities": ("words", "activity", ACTIVITIES),
    "entry_exempt_channels": ("words", "channel", CHANNELS),
}
# And of other departments' lists (``services.audit.domain.detectors.not_entered``).
RECONCILIATION = "reconciliation_working_days"
# And for the hearing on a finding (``services.audit.domain.hearing_terms``).
HEARING = ("reply_working_days", "decision_working_days", "appeal_working_days", "appeal_decision_working_days")
# The same of what follows from an entry (``services.audit.domain.consequence``).
ACCOUNTABILITY = {
    "accountability_days": ("word", "choice", DAYS_COUNTED),
    "accountability_approvals": ("word", "choice", APPROVALS_SUPPOSED),
    "accountability_joint": ("word", "choice", JOINT_EFFECT),
    "accountability_referral": ("flag", None, ()),
}
_BY_NAME = (("late entry", ENTRY), ("what follows from an entry", ACCOUNTABILITY))
_WORDS = {"legal_fields": ("legal-field", LEGAL_FIELDS), "sanctions": ("sanction", SANCTIONS)}
# What ``any_of`` may name, by the kind of condition.
_ANY_OF = {
    "inspection_kind": ("inspection-kind", INSPECTION_KINDS),
    "soon_after": ("inspection-kind", INSPECTION_KINDS),
    "closed_at": ("inspection-kind", (*INSPECTION_KINDS, NOT_ON_RECORD)),
    "closure": ("closure", CLOSURES),
}
_OF_MEASURES = {
    "kinds": ("inspection-kind", INSPECTION_KINDS),
    "modes": ("inspection-mode", INSPECTION_MODES),
    "outcomes": ("case-outcome", CASE_OUTCOMES),
    "legal_fields": ("legal-field", LEGAL_FIELDS),
    "after_grade_change": ("choice", AFTER_GRADE_CHANGE),
    "whose": ("choice", WHOSE),
}
_FILLED_OF_MEASURES = ("kinds", "modes", "outcomes", "legal_fields")
_LEAST_OF_MEASURES = ("at_least", "within", "months", "least_left")
# Fewer than one of these would hold always, or never.
_AT_LEAST_ONE = ("count", "within", "fewer_than")


@dataclass(frozen=True)
class Use:
    """``where`` it stands and ``who`` reads; the unit it needs; the days from ``first`` to before ``until`` on which it is
    read (``first`` None: whether there is a value is the reader's own question); ``kind`` of word and the words it knows."""

    where: Place
    who: str
    name: str
    field: str
    unit: str
    first: date | None = None
    until: date | None = None
    kind: str | None = None
    words: tuple[str, ...] = ()
    filled: bool = False
    least: int = 0


def uses_of(rulebook: Rulebook) -> Iterator[Use]:
    """Every use of a parameter, the rules' first."""
    for rule in rulebook.rules:
        yield from _of_rule(rule)
    for table in rulebook.point_tables:
        yield from _of_table(table, rulebook)
    yield from _of_periodic(rulebook)
    yield from _of_latest(rulebook)
    yield from _of_measures(rulebook)
    yield from _of_law(rulebook)
    yield from _of_parts(rulebook)
    names = {one.name for one in rulebook.parameters}
    for who, wanted in _BY_NAME:
        for name, (unit, kind, words) in wanted.items() if names & wanted.keys() else ():
            at = ("parameters", next(one for one in wanted if one in names))
            yield Use(at, who, name, name, unit, kind=kind, words=words)
    if RECONCILIATION in names:
        yield Use(("parameters", RECONCILIATION), "reconciliation", RECONCILIATION, RECONCILIATION, "working_days", least=1)
    if heard := [one for one in HEARING if one in names]:
        for name in HEARING:
            yield Use(("parameters", heard[0]), "hearing", name, name, "working_days", least=1)


def _of_rule(rule: Rule) -> Iterator[Use]:
    for condition in rule.all:
        for field, unit in type(condition).parameters.items():
            if (name := getattr(condition, field)) is None:
                continue
            kind, words = _ANY_OF[condition.kind] if field == "any_of" else _WORDS.get(field, (None, ()))
            yield Use(
                ("rules", rule.id),
                f"the rule {rule.id!r}",
                name,
                field,
                unit,
                first=rule.in_force_from,
                until=rule.repealed_on,
                kind=kind,
                words=words,
                filled=bool(words),
                least=1 if field in _AT_LEAST_ONE else 0,
            )


def _of_table(table: PointTable, rulebook: Rulebook) -> Iterator[Use]:
    """For as long as any rule that counts by the table is in force."""
    readers = (rule for rule in rulebook.rules if any(isinstance(one, Points) and one.table == table.name for one in rule.all))
    first, until = _span(readers)
    words = {"legal_fields": _WORDS["legal_fields"], "same_act": ("choice", SAME_ACT)}
    for field, unit, name in table.parameters():
        kind, known = words.get(field, (None, ()))
        who = f"the point table {table.name!r}"
        filled = field == "legal_fields"
        yield Use(("point_tables", table.name), who, name, field, unit, first, until, kind=kind, words=known, filled=filled)


def _of_periodic(rulebook: Rulebook) -> Iterator[Use]:
    periodic = rulebook.periodic
    if periodic is None:
        return
    new = periodic.new_enterprises
    grades = tuple(one.grade.lower() for one in rulebook.grades)
    wanted: tuple[tuple[str, str | None, str, str | None, tuple[str, ...]], ...] = (
        ("contradicting_scores", periodic.contradicting_scores, "word", "choice", OF_TWO_FINALS),
        ("score_maximum", periodic.score_maximum, "points", None, ()),
        ("months", new.months, "months", None, ()),
        ("legal_fields", new.legal_fields, "words", "legal-field", LEGAL_FIELDS),
        ("start_unknown", new.start_unknown, "word", "choice", START_UNKNOWN),
        ("legal_fields", new.legal_fields, "words", "legal-field", LEGAL_FIELDS),
    )
    if approval := periodic.approval:
        wanted += (
            ("required", approval.required, "flag", None, ()),
            ("grades", approval.grades, "words", "grade", grades),
        )
    if lowering := periodic.lowering:
        wanted += (
            ("legal_fields", lowering.legal_fields, "words", "legal-field", LEGAL_FIELDS),
            ("steps", lowering.steps, "count", None, ()),
            ("counted_by", lowering.counted_by, "word", "choice", COUNTED_BY),
        )
    first, until = _span(rulebook.rules)
    for field, name, unit, kind, words in wanted:
        if name is None:
            continue
        filled = field in _WORDS
        yield Use(
            ("periodic", ""),
            "the evaluation",
            name,
            field,
            unit,
            first=first,
            until=until,
            kind=kind,
            words=words,
            filled=filled,
            least=int(field == "steps"),
        )


def _of_latest(rulebook: Rulebook) -> Iterator[Use]:
    if rulebook.latest is None or rulebook.latest.passed_over is None:
        return
    first, until = _span(rulebook.rules)
    kind, words = _ANY_OF["inspection_kind"]
    name = rulebook.latest.passed_over.kinds
    yield Use(("latest", ""), "what is passed over", name, "kinds", "words", first=first, until=until, kind=kind, words=words, filled=True)


def _of_measures(rulebook: Rulebook) -> Iterator[Use]:
    first, until = _span(rulebook.rules)
    for one in rulebook.measures:
        where, who = ("measures", one.name), f"the measure {one.name!r}"
        for field, unit, name in one.parameters():
            kind, words = _OF_MEASURES.get(field, (None, ()))
            filled, least = field in _FILLED_OF_MEASURES, int(field in _LEAST_OF_MEASURES)
            yield Use(where, who, name, field, unit, first, until, kind=kind, words=words, filled=filled, least=least)


def _of_law(rulebook: Rulebook) -> Iterator[Use]:
    first, until = _span(rulebook.rules)
    if law := rulebook.law_in_time:
        at, who = ("law_in_time", ""), "the law in time"
        yield Use(at, who, law.acts_by, "acts_by", "word", first, until, kind="choice", words=ACTS_BY)
        yield Use(at, who, law.milder_later, "milder_later", "flag", first, until)
    if following := rulebook.succession:
        at, who = ("succession", ""), "the succession"
        yield Use(at, who, following.manners, "manners", "words", first, until, kind="manner", words=MANNERS, filled=True)
    for one in rulebook.overrides:
        at, who = ("overrides", one.name), f"the higher norm {one.name!r}"
        # Before its first value nothing is forbidden.
        yield Use(at, who, one.in_force, "in_force", "flag")
        for field, name, words in (
            ("sanctions", one.sanctions, SANCTIONS),
            ("lists", one.lists, tuple(each.name.replace("-", "_") for each in rulebook.lists)),
        ):
            if name:
                yield Use(at, who, name, field, "words", first, until, kind=field.rstrip("s"), words=words, filled=True)


def _of_parts(rulebook: Rulebook) -> Iterator[Use]:
    """For as long as any rule over parts is in force."""
    if rulebook.parts is None:
        return
    first, until = _span(rule for rule in rulebook.rules if "parts" in rule.at)
    where, who = ("parts", ""), "the section 'parts'"
    yield Use(where, who, rulebook.parts.least, "least", "count", first=first, until=until, least=1)
    yield Use(where, who, rulebook.parts.unrated, "unrated", "word", first=first, until=until, kind="choice", words=UNRATED)


def _span(rules: Iterable[Rule]) -> tuple[date | None, date | None]:
    """From the first day of the first rule to the repeal of the last."""
    rules = tuple(rules)
    ends = [one.repealed_on for one in rules]
    first = min((one.in_force_from for one in rules), default=None)
    return first, None if None in ends else max((one for one in ends if one), default=None)


def check_uses(rulebook: Rulebook, refuse: Refuse) -> None:
    """Raise ``RulebookError`` for the first parameter that its reader can't use."""
    named = {one.name: one for one in rulebook.parameters}
    for use in uses_of(rulebook):
        parameter = named.get(use.name)
        if parameter is None:
            what = f"{use.who} names the parameter {use.name!r}"
            raise refuse(use.where, "unknown-parameter", what, "Use a known name: " + (", ".join(sorted(named)) or "there is none yet"))
        _check_use(use, parameter, refuse)
    for rule in rulebook.rules:
        for condition in rule.all:
            if isinstance(condition, Score | Points):
                _no_empty_band(rule, condition, named, refuse)


def _check_use(use: Use, parameter: Parameter, refuse: Refuse) -> None:
    if parameter.unit != use.unit:
        what = f"{use.who} uses the parameter {use.name!r} in {parameter.unit} for {use.field}"
        raise refuse(use.where, "unit", what, f"Name a parameter in {use.unit}")
    silent = _silent(parameter, use.first, use.until) if use.first else None
    if silent:
        what = f"{use.who} is in force from {use.first}, its parameter {use.name!r} has no value on {silent}"
        raise refuse(use.where, "gap", what, "Give the parameter a value for every day, or repeal the rules that read it on the same day")
    at = ("parameters", use.name)
    for dated in parameter.values:
        said = dated.value if isinstance(dated.value, tuple) else (dated.value,)
        if dated.value is None:
            continue
        if use.filled and not said:
            what = f"{use.who} reads {use.name!r} for {use.field}, which names nothing from {dated.in_force_from}"
            raise refuse(at, "no-words", what, "Name at least one: " + ", ".join(sorted(use.words)))
        for word in said if use.kind else ():
            if word not in use.words:
                what = f"{word!r} is no {(use.kind or '').replace('-', ' ')} that {use.field} knows"
                raise refuse(at, f"unknown-{use.kind}", what, "Use a known word: " + ", ".join(sorted(use.words)))
        if use.least and isinstance(dated.value, int) and dated.value < use.least:
            what = f"{use.who} reads {use.name!r} for {use.field}, and {dated.value} would hold always or never"
            raise refuse(at, "too-small", what, f"Write a whole number from {use.least} on")


def _silent(parameter: Parameter, first: date, until: date | None) -> date | None:
    """The first day from ``first`` to before ``until`` on which the parameter has no value."""
    if parameter.at(first) is None:
        return first
    nulls = (one.in_force_from for one in parameter.values if one.value is None and one.in_force_from > first)
    return next((on for on in nulls if until is None or on < until), None)


def _no_empty_band(rule: Rule, band: Score | Points, named: dict[str, Parameter], refuse: Refuse) -> None:
    if band.at_least is None or band.below is None:
        return
    lower, upper = named[band.at_least], named[band.below]
    changes = {one.in_force_from for one in (*lower.values, *upper.values)}
    for on in sorted({rule.in_force_from, *(day for day in changes if rule.in_force(day))}):
        if Decimal(lower.at(on)) >= Decimal(upper.at(on)):
            what = f"the rule {rule.id!r}: from {on} no score is at least {lower.at(on)} and below {upper.at(on)}"
            raise refuse(("rules", rule.id), "empty-band", what, f"Put {band.at_least!r} below {band.below!r}")
