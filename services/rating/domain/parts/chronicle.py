"""A parent's own sequence: its log of entries, in order → grade events.

Invariants
1. The log is ordered by when the system knew each entry, then by place; how the entries arrived changes nothing of what is told of
   any day as known at any instant.
2. Settled in order, the events are a function of the log: the same in every driver, under the same ids.
3. What comes before something settled is put in its place, and from there on everything is told again that differs from what was
   told, or from the step before. A digest of the log is part of an event's id, so these are new events; of those known by an
   instant the newest told decides.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from schemas.ids import derived_id
from services.rating.domain.days import ONE_DAY, civil_day
from services.rating.domain.emit import KIND, KIND_CORRECTED, corrected, determined, identity_of
from services.rating.domain.fold import Book
from services.rating.domain.parts.entries import Entry, Order
from services.rating.domain.parts.whole import Held, Whole
from services.rating.domain.standing import Standing, unrated

History = list[Held]
Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Entries of one cause, by order: a control reaches all parts, each in its own partition, and counts once it has reached the last."""

    entries: tuple[Entry, ...]

    @property
    def last(self) -> Entry:
        return self.entries[-1]

    @property
    def order(self) -> Order:
        return self.entries[-1].order


def steps(entries: Iterable[Entry]) -> list[Step]:
    """The log's steps, in order."""
    of_cause: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=_order):
        of_cause.setdefault(identity_of(entry.cause), []).append(entry)
    return sorted((Step(tuple(many)) for many in of_cause.values()), key=_order)


def _order(one: Entry | Step) -> Order:
    return one.order


@dataclass(slots=True)
class State:
    """A parent's log folded up to a step. ``since``: the first day that anyone was told of; ``log``: a digest of all that was folded."""

    whole: Whole
    history: History = field(default_factory=list)
    since: date | None = None
    log: str = ""
    order: Order | None = None
    # Where the facts stand behind the parts that decide what holds now.
    places: Places = ()

    def fold(self, step: Step, today: date) -> None:
        """The next step, known on a day."""
        for entry in step.entries:
            self.whole.enter(entry)
        self.history = self.whole.history(today)
        self.log = sha256("\n".join((self.log, *(entry.identity for entry in step.entries))).encode()).hexdigest()
        self.order = step.order
        holds = held_on(self.history, today)
        if self.since is None and holds is not None and holds.standing is not None:
            self.since = today
        shown = self.whole.explained(holds, today) if holds and holds.standing else None
        self.places = tuple((one.fact.offset, one.fact.partition) for one in shown.decisive) if shown else ()


@dataclass(slots=True)
class Chronicle:
    """Mutable only through its methods. ``settled``: the log as far as it was told; ``waiting``: the rest, in order."""

    parent: str
    book: Book
    settled: list[Entry] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    _seen: set[Order] = field(default_factory=set)
    _causes: set[str] = field(default_factory=set)
    _state: State | None = None

    def add(self, entry: Entry) -> bool:
        """Take an entry of the log, in any order. False for a further copy, and for what was said by another rulebook."""
        if entry.order in self._seen or entry.sha256 != self.book.sha256:
            return False
        self._seen.add(entry.order)
        insort(self.waiting, entry, key=_order)
        return True

    def settle(self, upto: Order | None = None) -> list[tuple[Entry, dict[str, Any]]]:
        """Tell what waits, up to a place in the order (None: all), each event with the entry that made it due."""
        ready = [one for one in steps(self.waiting) if upto is None or one.order <= upto]
        if not ready:
            return []
        taken = {entry.order for one in ready for entry in one.entries}
        self.waiting = [one for one in self.waiting if one.order not in taken]
        state = self._state or self._begun()
        in_place = state.order is None or ready[0].order > state.order
        if in_place and self._causes.isdisjoint(identity_of(one.last.cause) for one in ready):
            found = [(one.last, event) for one in ready for event in self._told(state, one)]
            self._state = state
            self.settled += [entry for one in ready for entry in one.entries]
        else:
            found = self._again([entry for one in ready for entry in one.entries])
        self._causes.update(identity_of(one.last.cause) for one in ready)
        return found

    def _begun(self) -> State:
        return State(Whole(self.parent, self.book.rulebook))

    def _again(self, late: Sequence[Entry]) -> list[tuple[Entry, dict[str, Any]]]:
        """The log with what came late in its place: what was told, and what should have been, side by side."""
        old = {one.order: one for one in steps(self.settled)}
        new = {one.order: one for one in steps((*self.settled, *late))}
        causes = {identity_of(one.cause) for one in late}
        first = min((*map(_order, late), *(order for order, one in old.items() if identity_of(one.last.cause) in causes)))
        told, state = self._begun(), self._begun()
        found: list[tuple[Entry, dict[str, Any]]] = []
        for order in sorted({*old, *new}):
            step, before = new.get(order) or old[order], (state.history, state.places)
            if order in old:
                told.fold(old[order], self._day(step))
            if order in new:
                state.fold(new[order], self._day(step))
            if order >= first and state.log != told.log:
                found += [(step.last, event) for event in self._events(state, step, [before, (told.history, told.places)])]
        self._state = state
        self.settled = [entry for order in sorted(new) for entry in new[order].entries]
        return found

    def _told(self, state: State, step: Step) -> list[dict[str, Any]]:
        before = (state.history, state.places)
        state.fold(step, self._day(step))
        return list(self._events(state, step, [before]))

    def _day(self, step: Step) -> date:
        return civil_day(step.last.cause.known, self.book.zone)

    def _events(self, state: State, step: Step, were: Sequence[tuple[History, Places]]) -> Iterator[dict[str, Any]]:
        """What a step tells: where ``state``, which it left, differs from what was there before, and from what was told of it."""
        today, now = self._day(step), state.history
        if state.since is None:
            return
        holds = held_on(now, today)
        after = holds.standing if holds else None
        histories = [history for history, _ in were]
        befores = [one.standing if (one := held_on(many, today)) else None for many in histories]
        if after is None and any(befores):
            after = unrated(today)
        essences = [(_essence(one), places) for one, (_, places) in zip(befores, were, strict=True)]
        if after is not None and any(one != (_essence(after), state.places) for one in essences):
            yield self._event(state, step.last, holds, after, before=befores[0], on=today)
        for first, last in differing(now, histories, first=state.since, last=today - ONE_DAY):
            held, was = held_on(now, first), held_on(histories[0], first)
            then = held.standing if held and held.standing else unrated(first)
            yield self._event(state, step.last, held, then, before=was.standing if was else None, on=first, until=last)

    def _event(
        self,
        state: State,
        entry: Entry,
        held: Held | None,
        after: Standing,
        *,
        before: Standing | None,
        on: date,
        until: date | None = None,
    ) -> dict[str, Any]:
        book, kind = self.book, KIND if until is None else KIND_CORRECTED
        named = {"subject": self.parent, "regime": book.rulebook.regime, "version": book.rulebook.version, "sha256": book.sha256}
        if held is not None and held.standing is not None:
            after = state.whole.explained(held, on)
        if until is None:
            event = determined(**named, before=before, after=after, cause=entry.cause)
        else:
            event = corrected(**named, first=on, last=until, before=before, after=after, cause=entry.cause)
        # Also where nothing was counted: by it a whole's words are told from a part's, which have causes of their own.
        event["data"]["parts"] = state.whole.counted(held, on) if held is not None and held.standing is not None else None
        identity = f"{entry.identity}#{state.log}"
        ordinal = 0 if until is None else on.toordinal()
        event["id"] = derived_id(cause=identity, kind=kind, subject=self.parent, regime=book.rulebook.regime, ordinal=ordinal)
        return event

    def standing(self, as_of: date) -> Standing | None:
        """What the settled log says of a day, however late."""
        found = held_on(self._state.whole.history(as_of), as_of) if self._state else None
        return found.standing if found else None


def held_on(history: Sequence[Held], on: date) -> Held | None:
    """What holds on a day."""
    place = bisect_right(history, on, key=lambda one: one.first) - 1
    return history[place] if place >= 0 else None


def differing(now: History, were: Sequence[History], *, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The stretches from ``first`` to ``last`` on which ``now`` says otherwise than one of the others, each as long as none of them changes
    its grade or status."""
    if first > last:
        return
    cuts = sorted({first, *(one.first for many in (now, *were) for one in many if first < one.first <= last)})
    start: date | None = None
    said: tuple[object, ...] = ()
    for cut in cuts:
        pairs = tuple(_pair(many, cut) for many in (now, *were))
        if pairs == said:
            continue
        if start is not None:
            yield start, cut - ONE_DAY
        said, start = pairs, cut if any(one != pairs[0] for one in pairs[1:]) else None
    if start is not None:
        yield start, last


def _pair(history: Sequence[Held], on: date) -> tuple[str | None, str] | None:
    held = held_on(history, on)
    return held.standing.pair if held and held.standing else None


def _essence(standing: Standing | None) -> tuple[object, ...] | None:
    """What makes two standings the same to the outside, beside the facts behind the parts that decide."""
    if standing is None:
        return None
    reasons = tuple((one.rule, one.grade, one.numbers) for one in standing.reasons)
    return (standing.grade, standing.status, standing.in_force_from, reasons)
