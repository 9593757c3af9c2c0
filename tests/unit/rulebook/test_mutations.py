"""Do the cases hold the rulebooks? Each number one off, each word, condition, sanction, moment and exception left out must make a
case of ``tests/cases`` fail. What no case notices is printed.

``IMPLIED`` lists what no case can notice, and why; anything else that no case notices is a failure.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook import Measure, Rule, Rulebook
from schemas.rulebook.measures import AFTER_GRADE_CHANGE, WHOSE, Period
from schemas.rulebook.points import SAME_ACT, PointTable
from schemas.rulebook.vocabulary import (
    ACTS_BY,
    APPROVALS_SUPPOSED,
    COUNTED_BY,
    DAYS_COUNTED,
    JOINT_EFFECT,
    OF_TWO_FINALS,
    START_UNKNOWN,
)
from schemas.rulebook.wholes import UNRATED
from services.rating.domain.days import ONE_DAY
from services.rating.domain.fold import Book
from tests.cases import ledger

CASES = Path(ledger.__file__).parent
_STATUS = "who lost its papers has a status, and nothing asks for its acts"
_BETTER_HOLDS = "with violations under another law alone b_compliant holds, and this rule is for the rest"
_LOWER = "below the mark a score band holds, and this rule is for the rest"
# Regime → change → why no case can notice it.
IMPLIED: dict[str, dict[str, str]] = {
    "fhrs": {
        "sum_5 16": "three scores of at most 5 add up to 15 at most",
        "sum_3 31": "three scores of at most 10 add up to 30 at most",
        "rating_3 without component_sum": "three scores of at most 10 add up to 30 at most",
    },
    "nyc": {},
    "liyujiang": {
        "c_gap acts violations without legal_fields": _BETTER_HOLDS,
        "c_gap score without at_least": _LOWER,
        "act_sets penalties without permit_revoked": _STATUS,
        "act_sets penalties without business_licence_revoked": _STATUS,
        "act_sets violations without permit_revoked": _STATUS,
        "act_sets violations without business_licence_revoked": _STATUS,
    },
    "shenzhen-pharmacy": {
        "own_fields without drug": _STATUS,
        "act_sets ends without permit_revoked": _STATUS,
        "act_sets ends without business_licence_revoked": _STATUS,
    },
    "wuhan-2017": {},
}
# What a condition may leave out and still be read.
_LEFT_OUT = ("legal_fields", "only_concepts", "except_concepts", "at_least", "below")

# Cases of a regime that are named otherwise.
_ALSO = {"liyujiang": ("test_late_entries", "test_hearing_terms")}

Case = Callable[[], None]


def cases_of(regime: str) -> list[Case]:
    """Every case of a regime with each of its parameters, as calls."""
    found: list[Case] = []
    names = {*CASES.glob(f"test_{regime.replace('-', '_')}_*.py"), *(CASES / f"{name}.py" for name in _ALSO.get(regime, ()))}
    for path in sorted(names):
        module = importlib.import_module(f"tests.cases.{path.stem}")
        for name, function in sorted(vars(module).items()):
            if name.startswith("test_"):
                found += _calls(function)
    assert len(found) > 20
    return found


def _calls(function: Callable[..., None]) -> Iterator[Case]:
    many: list[list[dict[str, Any]]] = []
    for mark in getattr(function, "pytestmark", ()):
        if mark.name == "parametrize":
            names = mark.args[0]
            names = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)
            values = (getattr(one, "values", one) if not isinstance(one, dict) else one for one in mark.args[1])
            many.append([dict(zip(names, one if len(names) > 1 else (one,), strict=True)) for one in values])
    for chosen in product(*many):
        given = {name: value for one in chosen for name, value in one.items()}
        if set(inspect.signature(function).parameters) <= set(given):
            yield lambda given=given: function(**given)


def mutants(book: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    """One change each, with its name."""
    yield from _values(book)
    yield from _interim(book)
    yield from _later(book)
    other = "best" if book.precedence == "worst" else "worst"
    yield f"the {other} wins", book.model_copy(update={"precedence": other})
    for rule in book.rules:
        yield f"rule {rule.id} gone", _with(book, "rules", tuple(one for one in book.rules if one != rule))
        for label, changed in _of_rule(rule):
            yield f"{rule.id} {label}", _with(book, "rules", tuple(changed if one == rule else one for one in book.rules))
    for measure in book.measures:
        yield f"measure {measure.name} gone", _with(book, "measures", tuple(one for one in book.measures if one != measure))
        for label, other_measure in _of_measure(measure):
            yield (
                f"{measure.name} {label}",
                _with(book, "measures", tuple(other_measure if one == measure else one for one in book.measures)),
            )
    for table in book.point_tables:
        for label, changed in _of_table(table):
            yield f"{table.name} {label}", _with(book, "point_tables", tuple(changed if one == table else one for one in book.point_tables))
    for section, name in (("lists", "name"),):
        for entry in getattr(book, section):
            for other in book.grades:
                rest = {*entry.grades} ^ {other.grade}
                if rest:
                    changed = entry.model_copy(update={"grades": tuple(sorted(rest))})
                    entries = tuple(changed if one == entry else one for one in getattr(book, section))
                    yield f"{section} {getattr(entry, name)} {' '.join(sorted(rest))}", _with(book, section, entries)
    for section, name, words in (("act_sets", "name", "sanctions"), ("statuses", "status", "causes")):
        for entry in getattr(book, section):
            for word in getattr(entry, words) if len(getattr(entry, words)) > 1 else ():
                rest = entry.model_copy(update={words: tuple(one for one in getattr(entry, words) if one != word)})
                entries = tuple(rest if one == entry else one for one in getattr(book, section))
                yield f"{section} {getattr(entry, name)} without {word}", _with(book, section, entries)


def _of_table(table: PointTable) -> Iterator[tuple[str, PointTable]]:
    for row in table.deductions:
        yield f"without {row.acts}", table.model_copy(update={"deductions": tuple(one for one in table.deductions if one != row)})
    if table.legal_fields:
        yield "without legal_fields", table.model_copy(update={"legal_fields": None})


def _later(book: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    """What grades inspections by their day begins a day later."""
    for section, name in (("rules", "id"), ("parameters", "name")) if book.latest else ():
        for entry in getattr(book, section):
            if section == "rules":
                late = entry.model_copy(update={"in_force_from": entry.in_force_from + ONE_DAY})
            else:
                values = tuple(one.model_copy(update={"in_force_from": one.in_force_from + ONE_DAY}) for one in entry.values)
                late = entry.model_copy(update={"values": values})
            yield (
                f"{getattr(entry, name)} a day later",
                _with(book, section, tuple(late if one == entry else one for one in getattr(book, section))),
            )


def _interim(book: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    """Two statuses that change places."""
    named = book.latest.interim if book.latest and book.latest.interim else ()
    for at, (first, second) in enumerate(pairwise(named)):
        swapped = (*named[:at], second, first, *named[at + 2 :])
        yield f"{second} before {first}", book.model_copy(update={"latest": book.latest.model_copy(update={"interim": swapped})})


def _with(book: Rulebook, section: str, entries: tuple[Any, ...]) -> Rulebook:
    return book.model_copy(update={section: entries})


def _values(book: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    for parameter in book.parameters:
        for place, dated in enumerate(parameter.values):
            for label, value in _near(parameter.unit, dated.value):
                changed = dated.model_copy(update={"value": value})
                values = (*parameter.values[:place], changed, *parameter.values[place + 1 :])
                other = parameter.model_copy(update={"values": values})
                yield (
                    f"{parameter.name} {label}",
                    _with(book, "parameters", tuple(other if one == parameter else one for one in book.parameters)),
                )


def _near(unit: str, value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) is bool:
        yield f"{not value}".lower(), not value
    elif type(value) is int or unit == "points":
        for step in (-1, 1):
            near = Decimal(value) + step
            if near < 0:  # the loader refuses it
                continue
            yield f"{near}", int(near) if near == int(near) else str(near)
    elif type(value) is tuple:
        for word in value:
            yield f"without {word}", tuple(one for one in value if one != word)
    elif unit == "word":
        choices = (OF_TWO_FINALS, START_UNKNOWN, SAME_ACT, COUNTED_BY, ACTS_BY, UNRATED, AFTER_GRADE_CHANGE, WHOSE)
        choices += (DAYS_COUNTED, APPROVALS_SUPPOSED, JOINT_EFFECT)
        words = next(one for one in choices if value in one)
        for word in words:
            if word != value:
                yield word, word

    elif unit == "month_day":
        on = date.fromisoformat(f"2001-{value}")
        for near in (on - ONE_DAY, on + ONE_DAY):
            yield f"{near:%m-%d}", f"{near:%m-%d}"


def _of_measure(measure: Measure) -> Iterator[tuple[str, Measure]]:
    """What it may leave out and still be read."""
    opening = measure.opened_by
    if measure.series:
        yield "without series", measure.model_copy(update={"series": None})
    for field in ("least_left", "after_violation", "legal_fields"):
        if opening is not None and getattr(opening, field, None):
            yield f"without {field}", measure.model_copy(update={"opened_by": opening.model_copy(update={field: None})})
    if isinstance(opening, Period) and opening.after_violation and opening.after_violation.legal_fields:
        wide = opening.model_copy(update={"after_violation": opening.after_violation.model_copy(update={"legal_fields": None})})
        yield "after a violation of any field", measure.model_copy(update={"opened_by": wide})
    for need in measure.needs:
        rest = tuple(one for one in measure.needs if one != need)
        if rest:
            yield f"without {need.at_least}", measure.model_copy(update={"needs": rest})
        for act in need.any_of:
            for field in ("kinds", "modes"):
                if getattr(act, field):
                    wide_act = need.model_copy(update={"any_of": (act.model_copy(update={field: None}),)})
                    yield f"{act.act} without {field}", measure.model_copy(update={"needs": (*rest, wide_act)})
            if len(need.any_of) > 1:
                left = need.model_copy(update={"any_of": tuple(one for one in need.any_of if one != act)})
                yield f"without {act.act}", measure.model_copy(update={"needs": (*rest, left)})


def _of_rule(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for place, condition in enumerate(rule.all):
        before, after = rule.all[:place], rule.all[place + 1 :]
        if len(rule.all) > 1:
            yield f"without {condition.kind} {getattr(condition, 'acts', '')}".strip(), rule.model_copy(update={"all": before + after})
        for field in _LEFT_OUT:
            if value := getattr(condition, field, None):
                left = condition.model_copy(update={field: None if isinstance(value, str) else ()})
                label = f"{condition.kind} {getattr(condition, 'acts', '')}".strip()
                yield f"{label} without {field}", rule.model_copy(update={"all": (*before, left, *after)})
        for grade in condition.of if condition.kind == "share" and len(condition.of) > 1 else ():
            fewer = condition.model_copy(update={"of": tuple(one for one in condition.of if one != grade)})
            yield f"share without {grade}", rule.model_copy(update={"all": (*before, fewer, *after)})
        if getattr(condition, "quantity", "acts") != "acts":
            yield "counts acts", rule.model_copy(update={"all": (*before, condition.model_copy(update={"quantity": "acts"}), *after)})
    for moment in rule.at if len(rule.at) > 1 else ():
        yield f"not at {moment}", rule.model_copy(update={"at": tuple(one for one in rule.at if one != moment)})
    if rule.gives_way_to:
        yield "gives way to none", rule.model_copy(update={"gives_way_to": ()})


def unnoticed(regime: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """How many mutants there are, and the names of those that every case lets pass."""
    read = ledger.book
    whole = read(regime)
    asked = whole
    monkeypatch.setattr(ledger, "book", lambda name: asked if name == regime else read(name))
    cases = cases_of(regime)
    assert _noticed(cases) is None, "the cases fail by the rulebook as it stands"
    made, kept = 0, []
    for label, changed in mutants(whole.rulebook):
        asked = Book.of(changed)
        made += 1
        place = _noticed(cases)
        if place is None:
            kept.append(label)
        else:
            cases.insert(0, cases.pop(place))  # what noticed one often notices the next
    return made, kept


def _noticed(cases: list[Case]) -> int | None:
    for place, case in enumerate(cases):
        try:
            case()
        except Exception:
            return place
    return None


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("regime", ["fhrs", "liyujiang", "nyc", "shenzhen-pharmacy", "wuhan-2017"])
def test_every_change_of_a_rulebook_makes_a_case_fail(
    regime: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made, kept = unnoticed(regime, monkeypatch)
    noticed_by_now = sorted(set(IMPLIED[regime]) - set(kept))
    with capsys.disabled():
        print(f"\n{regime}: {made} changes, {len(kept)} of them noticed by no case")
        for label in kept:
            print(f"  {label}: {IMPLIED[regime].get(label, 'NOTICED BY NO CASE')}")
    assert [] == sorted(set(kept) - set(IMPLIED[regime]))
    assert [] == noticed_by_now, "noticed after all: take them off IMPLIED"
    assert made > 20


def test_a_change_that_matters_is_noticed_and_one_that_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ledger.book("fhrs")
    changes = dict(mutants(whole.rulebook))
    cases = cases_of("fhrs")
    monkeypatch.setattr(ledger, "book", lambda regime: Book.of(changes["sum_4 21"]))
    assert _noticed(cases) is not None
    monkeypatch.setattr(ledger, "book", lambda regime: Book.of(whole.rulebook.model_copy()))
    assert _noticed(cases) is None
