"""The fold that every driver runs: facts and controls in the order of their offsets → grade events.

Invariants
1. What a step tells is a function of the facts and controls up to it: a step that is repeated tells the same bytes under the
   same id, so sending it again is harmless.
2. A step tells only what changed since the step before; nothing before a rulebook's activation is told.
3. Days that are over are told again where they turn out otherwise: by a fact that came late, by what took one out of effect, and
   where the standing changed on a day on which nothing was entered.
4. As-of days never go back: the civil day of ``known`` in the regime's zone. What is dated ahead (an evaluation, an activation)
   acts from its day on and is told with the first step of that day or later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import Any

from services.rating.domain import duty_steps
from services.rating.domain.book import Book, Books
from services.rating.domain.controls import Activation, Controls
from services.rating.domain.days import ONE_DAY, civil_day
from services.rating.domain.due import goes_without_saying, next_change
from services.rating.domain.duties import Duty
from services.rating.domain.emit import closed, corrected, determined, proposed
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, DUTY_CONTROLS, Fact
from services.rating.domain.grade import standing
from services.rating.domain.law import Part, law_of
from services.rating.domain.outlook import NO_OUTLOOK, Outlook, outlook
from services.rating.domain.parts.entries import Said
from services.rating.domain.parts.telling import changed, said
from services.rating.domain.spans import Correction, Span, before, corrections, spans, touches, turns_of
from services.rating.domain.standing import Standing, unrated
from services.rating.domain.subject import Subject


@dataclass(frozen=True, slots=True)
class Told:
    """An event about a grade or a duty and the step that made it due."""

    step: Fact
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Untold:
    """A regime by which a step's standing can't be worked out. The step is folded all the same."""

    step: Fact
    regime: str
    error: Exception


def decide(subject: Subject, controls: Controls, books: Books, step: Fact) -> list[Told]:
    """Fold ``step`` into ``subject`` and tell what changed.

    A control step must be in ``controls`` already and concerns its own regime only; a fact and the close of a day concern every
    regime that rates the subject. A further copy of a folded fact tells nothing. Raises the first error of any regime.
    """
    told, untold = attempt(subject, controls, books, step)
    if untold:
        raise untold[0].error
    return told


def attempt(subject: Subject, controls: Controls, books: Books, step: Fact) -> tuple[list[Told], list[Untold]]:
    """The same, regime by regime: one that fails loses no other's telling, and no fact. Raises only where ``step`` can't be folded.

    Where the standing before can't be worked out either (it was untold then), what stands now is told as the first."""
    concerned = [book for book in concerned_by(step, books) if subject.scheme in book.rulebook.header.schemes]
    graded = [] if step.name in DUTY_CONTROLS else concerned
    were = {book.rulebook.regime: _previous_or_none(subject, controls, book, step) for book in graded}
    shown = {book.rulebook.regime: _shown_or_none(subject, controls, book, step, were[book.rulebook.regime]) for book in graded}
    to_parents = {book.rulebook.regime: _said_or_none(subject, controls, book, step) for book in graded if book.rulebook.parts}
    owed = {book.rulebook.regime: _owed(subject, controls, book, step) for book in concerned}
    if step.name not in CONTROLS and not subject.apply(step):
        return [], []
    told, untold = [], []
    for book in concerned:
        regime = book.rulebook.regime
        try:
            events = _changes(subject, controls, book, step, were[regime], shown[regime]) if book in graded else []
            if regime in to_parents:
                events += _to_parents(subject, controls, book, step, to_parents[regime])
            if before := owed[regime]:
                events += _duties(subject, controls, book, step, before)
        except Exception as error:
            _drop_tables(subject, regime)
            untold.append(Untold(step, regime, error))
            continue
        told += [Told(step, event) for event in events]
    return told, untold


def _owed(subject: Subject, controls: Controls, book: Book, step: Fact) -> duty_steps.Before | None:
    """What duties are compared with; None where nobody adopted a measure."""
    if not duty_steps.adopted(controls, book.rulebook.regime, upto=step.offset):
        return None
    try:
        return duty_steps.before(subject, controls, book, step, _asking(subject, controls, book))
    except Exception:
        _drop_tables(subject, book.rulebook.regime)
        return duty_steps.NOTHING


def _duties(subject: Subject, controls: Controls, book: Book, step: Fact, before: duty_steps.Before) -> list[dict[str, Any]]:
    named = {"subject": subject.subject, "version": book.rulebook.version, "sha256": book.sha256, "cause": step}
    now = duty_steps.after(subject, controls, book, step, _asking(subject, controls, book, step), before)
    return list(duty_steps.changes(named, book.rulebook, before.kept.duties, now.duties))


def _asking(subject: Subject, controls: Controls, book: Book, step: Fact | None = None) -> duty_steps.On:
    """``step``: whose standing is worked out already."""

    def on(upto: int, day: date) -> Standing | None:
        kept = subject.standings.get(book.rulebook.regime)
        if step is not None and kept is not None and kept[0] == upto == step.offset and day == civil_day(step.known, book.zone):
            return kept[1]
        return _on(subject, controls, book, upto=upto, as_of=day)

    return on


def passed_over(subject: Subject, controls: Controls, books: Books, step: Fact) -> bool:
    """Enter a fact of which ``attempt`` would tell nothing, without working a standing out. False where it may tell something, and
    where it is a further copy; nothing is entered then. Not for a subject who is owed a grade: this makes up for none."""
    rating = [book for book in books.values() if subject.scheme in book.rulebook.header.schemes]
    if not rating or not all(goes_without_saying(subject, controls, book, step) for book in rating):
        return False
    if any(duty_steps.adopted(controls, book.rulebook.regime, upto=step.offset) for book in rating):
        # A visit that found nothing performs duties.
        return False
    kept = {book.rulebook.regime: _kept(subject, controls, book, step.offset) for book in rating}
    subject.apply(step)
    subject.standings.update((regime, (step.offset, found[1])) for regime, found in kept.items() if found)
    return True


def concerned_by(step: Fact, books: Books) -> list[Book]:
    """The books of the regimes that a step is told for, sorted."""
    if step.name in CONTROLS and "regime" in step.data:
        regime = step.data["regime"]
        return [books[regime]] if regime in books else []
    return [books[regime] for regime in sorted(books)]


def _changes(
    subject: Subject, controls: Controls, book: Book, step: Fact, was: Standing | None, shown: list[Span] | None
) -> list[dict[str, Any]]:
    """What holds now first, then what held on days that are over: who reads on sees the newer cover the older."""
    regime = book.rulebook.regime
    after = _at(subject, controls, book, upto=step.offset, known=step.known)
    subject.standings[regime] = (step.offset, after)

    def named(found: Standing) -> dict[str, Any]:
        """``found``, the step, and the edition that rated it."""
        part = edition_of(controls, book, step, found)
        version, sha256 = part.rulebook.version, part.sha256
        return {"subject": subject.subject, "regime": regime, "version": version, "sha256": sha256, "cause": step, "after": found}

    now = after if after is not None or was is None else _no_longer(subject, controls, book, step)
    events = []
    if now is not None and (was is None or was.essence != now.essence):
        ahead = NO_OUTLOOK if after is None else _outlook(subject, controls, book, step, after)
        events.append(determined(**named(now), before=was, outlook=ahead))
    events += _proposals(named, was, now)
    if shown and now is not None:
        for one in _corrections(subject, controls, book, step, after, shown):
            # As on its first day: what is said may not depend on where else the history was cut.
            held = _on(subject, controls, book, upto=step.offset, as_of=one.first) or unrated(one.first)
            events.append(corrected(**named(held), first=one.first, last=one.last, before=one.was))
    return events


def _outlook(subject: Subject, controls: Controls, book: Book, step: Fact, now: Standing) -> Outlook:
    return outlook(subject, controls, book, now, upto=step.offset, as_of=civil_day(step.known, book.zone))


def _proposals(named: Callable[[Standing], dict[str, Any]], was: Standing | None, now: Standing | None) -> list[dict[str, Any]]:
    """R8: what opens, and what became of what was open."""
    before, after = (one.proposed if one else None for one in (was, now))
    if after is not None and now is not None:
        same = before is not None and before.essence == after.essence
        return [] if same else [proposed(**named(after), before=replace(now, proposed=None))]
    if before is None or before.grade is None:
        return []
    outcome = "lapsed"
    if now is not None and now.grade == before.grade:
        outcome = "approved"
    elif now is not None and now.returned and now.returned.data["grade"] == before.grade:
        outcome = "returned"
    said = named(before)
    return [closed(subject=said["subject"], regime=said["regime"], grade=before.grade, outcome=outcome, cause=said["cause"])]


def _no_longer(subject: Subject, controls: Controls, book: Book, step: Fact) -> Standing | None:
    """Where nothing in effect says any more that the regime rates the subject; None where it does, or other rules are in force."""
    today = civil_day(step.known, book.zone)
    regime, law = book.rulebook.regime, law_of(controls, book, upto=step.offset)
    live = in_force(controls, book, regime, upto=step.offset, known=step.known) is not None
    if not live or not law.says(today) or regime in subject.view_on(today, law.manners(today)).regimes:
        return None
    return unrated(today)


def _corrections(
    subject: Subject, controls: Controls, book: Book, step: Fact, after: Standing | None, shown: list[Span]
) -> list[Correction]:
    today = civil_day(step.known, book.zone)
    known = _history(subject, controls, book, upto=step.offset, first=shown[0].first, last=today, at_end=after)
    return corrections(shown, before(known, today))


def _history(
    subject: Subject, controls: Controls, book: Book, *, upto: int, first: date, last: date, at_end: Standing | None
) -> list[Span]:
    turns = turns_of(subject, controls, book, upto=upto, first=first, last=last)
    return spans(turns, lambda day: _on(subject, controls, book, upto=upto, as_of=day), first=first, last=last, at_end=at_end)


def _shown_or_none(subject: Subject, controls: Controls, book: Book, step: Fact, was: Standing | None) -> list[Span] | None:
    try:
        return _shown(subject, controls, book, step, was)
    except Exception:
        _drop_tables(subject, book.rulebook.regime)
        return None


def _shown(subject: Subject, controls: Controls, book: Book, step: Fact, was: Standing | None) -> list[Span] | None:
    """How the days were told, until now, on which ``step`` may change something: to the step before it as they were known then,
    from there on as it left them. None where there are no such days."""
    regime = book.rulebook.regime
    if was is None:
        return None
    today, until = civil_day(step.known, book.zone), civil_day(_last_known(subject, controls, regime, step.offset), book.zone)
    touched = touches(step, subject, controls, regime)
    first = until + ONE_DAY if touched is None else min(touched, until + ONE_DAY)
    since, activated = subject.known_since(regime), controls.activated_at(regime)
    if since is None or activated is None:
        return None
    first = max(first, civil_day(max(since, activated), book.zone))
    if first >= today:
        return None
    found: list[Span] = []
    if first <= until:
        found = _history(subject, controls, book, upto=step.offset - 1, first=first, last=until, at_end=was)
    gap = max(first, until + ONE_DAY)
    if gap < today:
        found.append(Span(gap, today - ONE_DAY, was))
    return before(found, today)


def _previous_or_none(subject: Subject, controls: Controls, book: Book, step: Fact) -> Standing | None:
    try:
        return previous(subject, controls, book, step.offset)
    except Exception:
        _drop_tables(subject, book.rulebook.regime)
        return None


def _said_or_none(subject: Subject, controls: Controls, book: Book, step: Fact) -> Said | None:
    """What parents were told by the last step before ``step``: kept from then, or worked out again the same."""
    regime = book.rulebook.regime
    last_control = controls.last(regime, below=step.offset)
    last_step = max(subject.last_offset, last_control.offset if last_control else -1)
    kept = subject.said.get(regime)
    if kept is not None and kept[0] == last_step:
        return kept[1]
    try:
        known = _last_known(subject, controls, regime, step.offset)
        return said(subject, controls, book, upto=step.offset - 1, today=civil_day(known, book.zone))
    except Exception:
        _drop_tables(subject, regime)
        return None


def _to_parents(subject: Subject, controls: Controls, book: Book, step: Fact, was: Said | None) -> Iterator[dict[str, Any]]:
    """What a step tells parents (ADR 0026). Where it isn't known what they were told, all of it."""
    regime, version = book.rulebook.regime, book.rulebook.version
    now = said(subject, controls, book, upto=step.offset, today=civil_day(step.known, book.zone))
    subject.said[regime] = (step.offset, now)
    return changed(subject, was or {}, now, regime=regime, version=version, sha256=book.sha256, cause=step)


def _drop_tables(subject: Subject, regime: str) -> None:
    """What was worked out by a regime that failed on the way may be half of it."""
    for view in subject.views():
        for name in [name for name, index in view.indexes.items() if index.rulebook.regime == regime]:
            del view.indexes[name]
    subject.standings.pop(regime, None)
    subject.said.pop(regime, None)
    subject.duties.pop(regime, None)


def due(subject: Subject, controls: Controls, books: Books, *, known: int) -> date | None:
    """From when on the close of a day can tell something of the subject again, after a step of the instant ``known``."""
    days = [next_change(subject, controls, book, as_of=civil_day(known, book.zone)) for book in books.values()]
    days += [duty_steps.next_day(subject, controls, book.rulebook) for book in books.values()]
    return min((day for day in days if day), default=None)


def duties_on(subject: Subject, controls: Controls, book: Book, *, upto: int, as_of: date) -> list[Duty]:
    """What offices owe about the subject as of a day whose days before it are over, by what is known up to an offset."""
    return duty_steps.duties_on(subject, controls, book, _asking(subject, controls, book), upto=upto, as_of=as_of)


def today(books: Books, known: int) -> date | None:
    """The latest civil day of an instant in the books' zones."""
    return max((civil_day(known, book.zone) for book in books.values()), default=None)


def previous(subject: Subject, controls: Controls, book: Book, offset: int) -> Standing | None:
    """The standing after the last step below ``offset``: kept from then, or worked out again the same."""
    kept = _kept(subject, controls, book, offset)
    if kept is not None:
        return kept[1]
    return _at(subject, controls, book, upto=offset - 1, known=_last_known(subject, controls, book.rulebook.regime, offset))


def _kept(subject: Subject, controls: Controls, book: Book, offset: int) -> tuple[int, Standing | None] | None:
    """What was found at the last step below ``offset``, with its offset; None where it isn't kept."""
    regime = book.rulebook.regime
    last_control = controls.last(regime, below=offset)
    kept = subject.standings.get(regime)
    return kept if kept is not None and kept[0] == max(subject.last_offset, last_control.offset if last_control else -1) else None


def _last_known(subject: Subject, controls: Controls, regime: str, offset: int) -> int:
    """When the last step below ``offset`` became known."""
    last_control = controls.last(regime, below=offset)
    return max(subject.last_known, last_control.known if last_control else 0)


def current(subject: Subject, controls: Controls, book: Book, *, upto: int, known: int) -> Standing | None:
    """The standing at an offset and an instant (epoch ms), without folding anything."""
    return _at(subject, controls, book, upto=upto, known=known)


def _at(subject: Subject, controls: Controls, book: Book, *, upto: int, known: int) -> Standing | None:
    return _on(subject, controls, book, upto=upto, as_of=civil_day(known, book.zone))


def _on(subject: Subject, controls: Controls, book: Book, *, upto: int, as_of: date) -> Standing | None:
    return standing(subject, controls, book, upto=upto, as_of=as_of)


def in_force(controls: Controls, book: Book | None, regime: str, *, upto: int, known: int) -> Activation | None:
    """The regime's activation in force at an offset and an instant; by UTC's day where no book of it is loaded."""
    return controls.activation(regime, upto=upto, as_of=civil_day(known, book.zone if book else UTC))


def edition_of(controls: Controls, book: Book, step: Fact, found: Standing) -> Part:
    """The part of the law by which a step found a standing."""
    return found.by or law_of(controls, book, upto=step.offset).on(civil_day(step.known, book.zone))


def not_held(controls: Controls, book: Book | None, regime: str, *, upto: int, known: int) -> Activation | None:
    """The first activation in force by an offset and an instant that names an edition which isn't held: from it on there is no answer."""
    if book is None:
        return in_force(controls, None, regime, upto=upto, known=known)
    unheld = law_of(controls, book, upto=upto).unheld
    return unheld if unheld and unheld.in_force_from <= civil_day(known, book.zone) else None


def attempts(
    subject: str, partition: int, steps: Iterable[Fact], controls: Controls, books: Books, *, since: int = -1
) -> Iterator[tuple[list[Told], list[Untold]]]:
    """Fold one subject's facts and its partition's controls, both in ``steps`` by offset; attempt each from ``since`` on.

    Closed days on which nothing can change are passed over."""
    state = Subject(subject, partition)
    waits: date | None = None
    for step in steps:
        if step.offset < since:
            if step.name not in CONTROLS:
                state.take(step)
                waits = date.min
        elif step.name != DAY_CLOSED:
            if concerned_by(step, books):
                yield attempt(state, controls, books, step)
                waits = date.min
        elif waits is not None and (today(books, step.known) or date.max) >= waits:
            told, untold = attempt(state, controls, books, step)
            yield told, untold
            waits = date.min if untold else due(state, controls, books, known=step.known)


def history(subject: str, partition: int, steps: Iterable[Fact], controls: Controls, books: Books, *, since: int = -1) -> Iterator[Told]:
    """What ``attempts`` tells. Raises the first error of any regime."""
    for told, untold in attempts(subject, partition, steps, controls, books, since=since):
        if untold:
            raise untold[0].error
        yield from told


def merged(facts: Iterable[Fact], controls: Controls) -> list[Fact]:
    """A subject's facts and its partition's controls in the order of their offsets."""
    return sorted((*facts, *controls.facts), key=lambda one: one.offset)
