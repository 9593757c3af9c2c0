"""Which grade or status a subject had on which days: what a step does to days that are over (ADR 0015).

A standing changes only on a few days: at evaluations and activations, with the first cause of a rule after an evaluated period, with
what ends an enterprise, when its year is complete, when a repair begins, and where the rulebook's own dates say so. Between two of them
nothing has to be worked out, however many acts there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import CAUSES
from services.rating.domain.approval import RETURNED
from services.rating.domain.book import Book
from services.rating.domain.conditions.operated_for import operating
from services.rating.domain.controls import Controls
from services.rating.domain.days import ONE_DAY, day
from services.rating.domain.effects import ACTING, REPAIR, SERVED
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.index import first_cause, index_of
from services.rating.domain.latest import days_of
from services.rating.domain.law import Law, law_of
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.values import quick
from services.rating.domain.view import View

Pair = tuple[str | None, str | None]
NOTHING: Pair = (None, None)
"""Grade and status; both None where the regime doesn't rate the subject."""


@quick
class Span:
    """Both days inclusive. ``standing``: on one of them, for the grade and the status that all of them share; None where the regime
    doesn't rate the subject."""

    first: date
    last: date
    standing: Standing | None

    @property
    def pair(self) -> Pair:
        return pair_of(self.standing)


@quick
class Correction:
    """Days that are over and turn out otherwise. ``was``: what they were told as, on one of them."""

    first: date
    last: date
    was: Standing | None
    now: Pair


def pair_of(standing: Standing | None) -> Pair:
    """What a reader of a list sees."""
    return standing.pair if standing else NOTHING


def spans(
    turns: Iterable[date], standing_on: Callable[[date], Standing | None], *, first: date, last: date, at_end: Standing | None
) -> list[Span]:
    """The stretches from ``first`` to ``last``, by date; neighbours differ. ``turns``: the days on which the standing may change, see
    ``turns_of``; ``standing_on`` works one day out; ``at_end``: what it would say of the last one."""
    days = sorted({first, *(one for one in turns if first < one <= last)})
    found: list[Span] = []
    for start, following in pairwise((*days, last + ONE_DAY)):
        standing = at_end if start == days[-1] else standing_on(start)
        if found and found[-1].pair == pair_of(standing):
            found[-1] = Span(found[-1].first, following - ONE_DAY, found[-1].standing)
        else:
            found.append(Span(start, following - ONE_DAY, standing))
    return found


def before(spans: Iterable[Span], day: date) -> list[Span]:
    """What of them lies before a day."""
    return [replace(one, last=min(one.last, day - ONE_DAY)) for one in spans if one.first < day]


def corrections(told: list[Span], known: list[Span]) -> list[Correction]:
    """Where two histories of the same days differ, each stretch as long as neither changes."""
    found: list[Correction] = []
    starts = sorted({one.first for one in (*told, *known)})
    ends = {one.last for one in (*told, *known)}
    if not starts:
        return []
    for start, following in pairwise((*starts, max(ends) + ONE_DAY)):
        was, now = _at(told, start), pair_of(_at(known, start))
        if pair_of(was) == now:
            continue
        newest = found[-1] if found else None
        if newest and newest.last == start - ONE_DAY and (pair_of(newest.was), newest.now) == (pair_of(was), now):
            found[-1] = replace(newest, last=following - ONE_DAY)
        else:
            found.append(Correction(start, following - ONE_DAY, was, now))
    return found


def _at(spans: list[Span], on: date) -> Standing | None:
    return next((one.standing for one in spans if one.first <= on <= one.last), None)


def turns_of(subject: Subject, controls: Controls, book: Book, *, upto: int, first: date, last: date) -> Iterator[date]:
    """Days on which the standing may change; some more do no harm, a missing one would."""
    regime, law = book.rulebook.regime, law_of(controls, book, upto=upto)
    for rulebook in book.editions:
        yield from rulebook.dates
    yield from controls.dates(regime, upto=upto)
    repairs = subject.repair_days()
    yield from repairs
    # A view for the days from one repair to the next.
    for start in (first, *(one for one in repairs if first < one <= last)):
        view = subject.view_on(start, law.manners(start))
        for part in law.parts:
            if part.rulebook.latest:
                yield from days_of(view, part.rulebook, first, last)
            else:
                yield from _periodic(view, controls, law, part.rulebook, upto, first, last)
            terminal = index_of(view, part.rulebook).terminal
            yield from (act.effective for act, _ in (terminal[:1] if law.one else terminal))


def _periodic(view: View, controls: Controls, law: Law, rulebook: Rulebook, upto: int, first: date, last: date) -> Iterator[date]:
    assert rulebook.periodic is not None
    for value in rulebook.parameter(rulebook.periodic.new_enterprises.months).values:
        if value.value is not None and (complete := operating(view, value.value).complete_on):
            yield complete
    # A cause counts from the day after the period that was evaluated last, so only the first one after it can change anything.
    starts = [one.last + ONE_DAY for one in controls.evaluations(rulebook.regime, upto=upto, as_of=last)]
    if go_live := controls.go_live(rulebook.regime, upto=upto):
        starts.append(go_live)
    # From the first day of a part on others may count.
    starts += [part.first for part in law.parts[1:]]
    words = view.words.get(rulebook.regime, ())
    yield from (on for word in words if (on := day(word.data["occurred_on"])))
    returned = any(word.name == RETURNED for word in words)
    index = index_of(view, rulebook)
    if index.lowering:
        yield from (act.effective for act in index.lowering.between(first, last))
    for rule in rulebook.rules:
        if "immediate" not in rule.at and "new_enterprise" not in rule.at:
            continue
        position = next(at for at, one in enumerate(rule.all) if isinstance(one, CAUSES))
        causes = index.causes(rule.id, position, view)
        if returned or not law.one:
            # What was returned gives way to what comes after it, and what another law judges may come to nothing: so every one may be the
            # first that counts.
            yield from (cause.on for cause in causes if first <= cause.on <= last)
        for start in {max(one, rule.in_force_from) for one in starts}:
            yield from first_cause(causes, start)


_EVERYTHING = frozenset({"enterprise.registered", "operation.started", "operation.interrupted", REPAIR}) | ACTING


def touches(step: Fact, subject: Subject, controls: Controls, regime: str) -> date | None:
    """The first day whose standing a step may change, before it is folded; None where it changes no day that is over.

    An earlier day than need be costs work, a later one would leave a wrong day uncorrected."""
    data = step.data
    if step.name == "evaluation.closed":
        return day(data["evaluation_date"])
    if step.name == "rulebook.activated":
        # Days before it were rated by the law of their day.
        return day(data["in_force_from"])
    if step.name in CONTROLS:
        return None
    if step.name in _EVERYTHING or step.key in subject.effects.acting or (step.name == SERVED and subject.effects.awaits(step)):
        return date.min
    if step.name == "score.recorded":
        return controls.evaluated_on(regime, data["year"]) if data["final"] and data["regime"] == regime else None
    return day(data.get("occurred_on"))
