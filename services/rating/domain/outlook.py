"""What a better grade would take: the conditions that were missed alone, and the earliest day on which each better grade is possible.

*Possible* means: nothing more happens that counts against the subject, the evaluations go on from year to year as soon as their
period is over, and a score that is not entered yet is full marks. Approval is left aside: it is for a person to give (R8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import NoActs, OperatedFor, Score
from services.rating.domain import periodic
from services.rating.domain.acts import Act
from services.rating.domain.asking import answerable
from services.rating.domain.book import Book
from services.rating.domain.conditions.operated_for import operating
from services.rating.domain.controls import Controls, Evaluation
from services.rating.domain.days import ONE_DAY, add_months
from services.rating.domain.facts import Fact
from services.rating.domain.final_score import FinalScore, final_score
from services.rating.domain.grade import by_parts
from services.rating.domain.holding import Look, number_text
from services.rating.domain.in_time import sifted
from services.rating.domain.index import index_of
from services.rating.domain.law import law_of
from services.rating.domain.newness import takes_no_part
from services.rating.domain.rules import holds_alone
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

# No window of a plan reaches further back; whoever is not better by then never will be by waiting.
_YEARS = 12
_ASSUMED = "assumed.score"


@dataclass(frozen=True, slots=True)
class Better:
    """``on``: the first day on which the grade can be reached, by the evaluation of the period that ends with ``period_last``."""

    grade: str
    on: date
    period_last: date


@dataclass(frozen=True, slots=True)
class Near:
    """A rule for a better grade that one condition alone kept from holding. ``value`` against ``bound``: a score or points, or the
    day of the act that stains the record against the first day of the window, or the day on which the time of operation is complete."""

    rule: str
    grade: str
    clause: str
    condition: str
    value: str
    bound: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """Both of them."""

    near: tuple[Near, ...] = ()
    better: tuple[Better, ...] = ()


NO_OUTLOOK = Outlook()


def outlook(subject: Subject, controls: Controls, book: Book, found: Standing, *, upto: int, as_of: date) -> Outlook:
    """What a better grade would take, as of a day, from facts and controls up to offset ``upto``."""
    law = law_of(controls, book, upto=upto)
    if law.parts and by_parts(subject.view_on(as_of, law.manners(as_of)), law.on(as_of).rulebook):
        # What its parts will be is nothing that can be said of it.
        return NO_OUTLOOK
    asked = (subject, controls, book, found)
    return Outlook(tuple(near(*asked, upto=upto, as_of=as_of)), tuple(better(*asked, upto=upto, as_of=as_of)))


def better(subject: Subject, controls: Controls, book: Book, found: Standing, *, upto: int, as_of: date) -> list[Better]:
    """For each better grade the earliest day, the nearest first. Empty where evaluations give no grades, and for what has ended."""
    law = law_of(controls, book, upto=upto)
    rulebook, several = law.on(as_of).rulebook, None if law.one else law
    if rulebook.periodic is None or _has_ended(rulebook, found):
        return []
    go_live = controls.go_live(rulebook.regime, upto=upto)
    assert go_live is not None
    view = subject.view_on(as_of, law.manners(as_of))
    known = controls.evaluations(rulebook.regime, upto=upto, as_of=as_of)
    best, reached = rulebook.rank[found.grade] if found.grade else len(rulebook.grades), []
    last = known[-1].last if known else date(as_of.year - 1, 12, 31)
    met: dict[int, Standing] = {}
    waits = False
    for _ in range(_YEARS):
        if best == 0:
            break
        first, last = last + ONE_DAY, add_months(last, 12)
        on = max(last, as_of) + ONE_DAY
        known = [*known, Evaluation(first, last, on, _assumed(rulebook, last))]
        waits = waits and takes_no_part(view, law.on(last).rulebook, last)
        if waits:
            # Passed over as by the evaluation before this one.
            continue
        full = _full_marks(law.on(last).rulebook, last)
        assumed = periodic.by_conditions(view, law.on(on).rulebook, go_live, known, full, on, met, several)
        waits = assumed.grade is None and takes_no_part(view, law.on(last).rulebook, last)
        rank = rulebook.rank[assumed.grade] if assumed.grade else best
        # Whoever has no grade yet steps over none on the way to the first.
        between = rulebook.grades[rank:best] if best < len(rulebook.grades) else rulebook.grades[rank : rank + 1]
        reached += [Better(one.grade, on, last) for one in reversed(between)]
        best = min(best, rank)
    return reached


def near(subject: Subject, controls: Controls, book: Book, found: Standing, *, upto: int, as_of: date) -> list[Near]:
    """The rules for better grades that the newest evaluation missed by one condition alone, the best grade first. None where something
    lowered the grade at once since then: it is that, and no near miss, which stands in the way."""
    law, known = law_of(controls, book, upto=upto), controls.evaluations(book.rulebook.regime, upto=upto, as_of=as_of)
    if not known:
        return []
    newest, view = known[-1], subject.view_on(as_of, law.manners(as_of))
    rulebook = law.on(newest.last).rulebook
    if rulebook.periodic is None or found.moment == "immediate" or _has_ended(law.on(as_of).rulebook, found):
        return []
    score = final_score(view, rulebook, newest.first, newest.last)
    look = Look(rulebook, view, newest.first, newest.last, newest.last, score=(score.points, score.fact) if score else None)
    if not law.one:
        look = sifted(law, look)
    rank = rulebook.rank[found.grade] if found.grade else len(rulebook.grades)
    missed = []
    for rule in rulebook.rules:
        better_one = rule.grade is not None and rulebook.rank.get(rule.grade, rank) < rank
        if "evaluation" in rule.at and better_one and rule.in_force(look.day) and answerable(rule, rulebook, look.day):
            missed += _missed(rule, look)
    return sorted(missed, key=lambda one: (rulebook.rank[one.grade], one.rule))


def _missed(rule: Rule, look: Look) -> list[Near]:
    failing = [at for at in range(len(rule.all)) if holds_alone(rule, at, look) is None]
    if len(failing) != 1 or rule.grade is None:
        return []
    condition = rule.all[failing[0]]
    said = _said(rule, failing[0], condition, look)
    return [Near(rule.id, rule.grade, rule.clause, condition.kind, *said)] if said else []


def _said(rule: Rule, position: int, condition: object, look: Look) -> tuple[str, str] | None:
    if isinstance(condition, Score) and look.score and condition.at_least:
        bound = Decimal(look.value(condition.at_least))
        # A score above a band missed nothing.
        return (number_text(look.score[0]), number_text(bound)) if look.score[0] < bound else None
    if isinstance(condition, NoActs):
        months = look.value(condition.within)
        stain = _stain(rule, position, look)
        return (stain.isoformat(), (add_months(look.last, -months) + ONE_DAY).isoformat()) if stain else None
    if isinstance(condition, OperatedFor):
        complete = operating(look.view, look.value(condition.months)).complete_on
        # While an interruption is open, nobody knows the day.
        return (complete.isoformat(), look.last.isoformat()) if complete else None
    return None


def _stain(rule: Rule, position: int, look: Look) -> date | None:
    """The newest act by the period's end that the condition looks at."""
    acts: Sequence[Act] = index_of(look.view, look.rulebook).acts(rule.id, position)
    if look.sift:
        acts = look.sift.stains(rule, acts, look)
    return max((act.effective for act in acts if act.effective <= look.last), default=None)


def _has_ended(rulebook: Rulebook, found: Standing) -> bool:
    status = rulebook.status_words.get(found.status)
    return status is not None and status.role == "terminal"


def _assumed(rulebook: Rulebook, last: date) -> Fact:
    """What stands for an evaluation and a score that nobody has entered."""
    return Fact(0, 2**62, 0, 0, 0, _ASSUMED, "", _ASSUMED, {"year": last.year, "regime": rulebook.regime})


def _full_marks(rulebook: Rulebook, last: date) -> FinalScore | None:
    assert rulebook.periodic is not None
    name = rulebook.periodic.score_maximum
    marks = rulebook.parameter(name).at(last) if name else None
    return FinalScore(Decimal(marks), _assumed(rulebook, last)) if marks is not None else None
