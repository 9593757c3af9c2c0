"""Subjects and what became of them: where each stood on a day of each year, and whether a penalty followed within twelve months.

A cohort is everyone whom the regime rates on one day: the date of each evaluation, when grades are newest; in a regime that goes by
the newest inspection, 31 December. What followed are the twelve months after that day, the day itself left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Acts, NoActs
from services.rating.analysis.compared import label
from services.rating.analysis.history import Known, Stage
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.controls import Evaluation
from services.rating.domain.days import add_months
from services.rating.domain.final_score import final_score
from services.rating.domain.standing import Standing

FOLLOWED_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What counts as a penalty: acts of the rulebook's set ``acts``, in the legal fields of the parameter ``fields`` (None: all)."""

    acts: str
    fields: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A subject on a cohort's day. ``label``: grade or status. ``score``: as the rulebook compares it, None where there is none.
    ``hit``: whether a penalty followed; None where the twelve months are not over. ``withdrawn``: whether it ended within them."""

    subject: str
    day: date
    label: str
    grade: str | None
    score: Decimal | None
    hit: bool | None
    withdrawn: bool | None


def outcome_of(rulebook: Rulebook, acts: str) -> Outcome | None:
    """The outcome by the name of an act set, in the fields that the rules look at with it; None where there is no such set."""
    if acts not in rulebook.sets:
        return None
    reading = (one for rule in rulebook.rules for one in rule.all if isinstance(one, Acts | NoActs) and one.acts == acts)
    return Outcome(acts, next((one.legal_fields for one in reading if one.legal_fields), None))


def cohort_days(stage: Stage, known: Known, as_of: date) -> list[date]:
    """The days on which everyone is looked at, up to ``as_of``, by date: of each evaluated period the first evaluation's."""
    if stage.scene.book.rulebook.latest:
        return [date(year, 12, 31) for year in range(stage.scene.go_live.year, as_of.year + 1) if date(year, 12, 31) <= as_of]
    found: dict[date, date] = {}
    for one in stage.evaluations(known, as_of):
        found[one.last] = min(one.on, found.get(one.last, one.on))
    return sorted(set(found.values()))


def seen(known: Known, stage: Stage, days: Sequence[date], as_of: date, outcome: Outcome | None) -> Iterable[Seen]:
    """The subject on each day on which the regime rates it."""
    rulebook = stage.scene.book.rulebook
    ended = {one.status for one in rulebook.statuses if one.role == "terminal"}
    for day in days:
        standing = stage.standing(known, day)
        if standing is None or not _there(known, rulebook, day):
            continue
        last = add_months(day, FOLLOWED_MONTHS)
        over = last <= as_of
        yield Seen(
            known.subject.subject,
            day,
            label(standing),
            standing.grade,
            _score(known, stage, standing, day),
            _followed(known, rulebook, outcome, day, last) if over and outcome else None,
            label(stage.standing(known, last)) in ended if over else None,
        )


def _there(known: Known, rulebook: Rulebook, day: date) -> bool:
    """Whether it was there by the day: nobody is counted in years before it was registered or did anything."""
    registered = known.subject.view_on(day).registered
    on = registered.data.get("occurred_on") if registered else None
    if on is None or rulebook.latest:
        return True
    return date.fromisoformat(on) <= day


def _followed(known: Known, rulebook: Rulebook, outcome: Outcome, day: date, last: date) -> bool:
    """Whether an act of the outcome took effect after ``day`` and by ``last``."""
    sanctions = rulebook.sets[outcome.acts]
    return any(
        day < act.effective <= last
        and not act.sanctions.isdisjoint(sanctions)
        and act.regime in (None, rulebook.regime)
        and (outcome.fields is None or in_field(outcome.fields, rulebook, act))
        for act in known.subject.view_on(last).acts
    )


def _score(known: Known, stage: Stage, standing: Standing, day: date) -> Decimal | None:
    """The final score of the period evaluated last; by the newest inspection, the sum of its components."""
    rulebook = stage.scene.book.rulebook
    if rulebook.latest:
        scored = (one.fact.data.get("component_scores") for one in standing.decisive)
        found = next((one for one in scored if one), None)
        return Decimal(sum(one["points"] for one in found)) if found and standing.grade else None
    evaluations: list[Evaluation] = stage.evaluations(known, day)
    if not evaluations:
        return None
    final = final_score(known.subject.view_on(day), rulebook, evaluations[-1].first, evaluations[-1].last)
    return final.points if final else None


def better_is_higher(rulebook: Rulebook) -> bool:
    """Whether a higher score is a better one: it is where grades follow from a year's score, not where points are faults."""
    return rulebook.latest is None
