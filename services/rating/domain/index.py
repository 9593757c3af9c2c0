"""A view's acts sorted by the conditions that look at them, kept up as facts arrive.

Without it each new fact would walk all earlier acts for each rule; with it a fact enters the few lists that it matches.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import CAUSES, NoActs
from services.rating.domain import lowering
from services.rating.domain.acts import Act, put
from services.rating.domain.causes import Moment
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions import no_acts as no_acts_kind
from services.rating.domain.conditions.points import Tally
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.conditions.tracker import Tracker
from services.rating.domain.facts import Fact
from services.rating.domain.standing import Standing
from services.rating.domain.view import View

# Of a subject, far above the parts of all regimes' laws together; what lies there beyond them is of rulebooks that are loaded no more.
MAX_INDEXES = 64


@dataclass(frozen=True, slots=True)
class Met:
    """The standing that an evaluation met, on the day before it; whether anything that awaits approval was met on the way, and the
    newest return that kept something out."""

    on: date
    standing: Standing
    waited: bool
    returned: Fact | None


@dataclass(slots=True)
class Index:
    """``matched[(rule, position)]``: the acts that a ``no_acts`` looks at, by day of effect; ``trackers``: of cause conditions;
    ``tallies``: of point tables; ``met``: by evaluations and way of asking, see ``periodic``."""

    rulebook: Rulebook
    entered: int = 0
    matched: dict[tuple[str, int], list[Act]] = field(default_factory=dict)
    trackers: dict[tuple[str, int], Tracker] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    judged_new: list[Act] = field(default_factory=list)
    terminal: list[tuple[Act, str]] = field(default_factory=list)
    # What lowers by a step; None where the rulebook has no such lowering.
    lowering: lowering.Counted | None = None
    met: dict[tuple[object, ...], Met] = field(default_factory=dict)
    # The act of all those entered that comes last, and where each kind of them went.
    newest: Act | None = None
    routes: dict[Seen, Route] = field(default_factory=dict)

    def touched(self, first: date) -> None:
        """Forget what was met on a day or on a later one: a fact came that may have changed it."""
        if self.met:
            self.met = {key: met for key, met in self.met.items() if met.on < first}

    def acts(self, rule: str, position: int) -> list[Act]:
        """The matching acts of one condition, sorted."""
        return self.matched.get((rule, position), [])

    def causes(self, rule: str, position: int, view: View) -> Sequence[Moment]:
        """The moments of a cause condition, sorted by day."""
        tracker = self.trackers.get((rule, position))
        return tracker.causes(view) if tracker else ()


def first_cause(causes: Sequence[Moment], start: date) -> Iterator[date]:
    """The day of the first cause on or after a day, if there is one."""
    at = bisect_left(causes, start, key=lambda one: one.on)
    if at < len(causes):
        yield causes[at].on


def index_of(view: View, rulebook: Rulebook) -> Index:
    """The view's index for a rulebook, brought up to the acts that have arrived."""
    # An index keeps its rulebook, so no other one has its identity as long as the index is there.
    index = view.indexes.get(id(rulebook))
    if index is None:
        if len(view.indexes) >= MAX_INDEXES:
            view.indexes.clear()
        tallies = {one.name: Tally(one, rulebook) for one in rulebook.point_tables} if rulebook.point_tables else {}
        index = view.indexes[id(rulebook)] = Index(rulebook, tallies=tallies)
        if rulebook.periodic and rulebook.periodic.lowering:
            index.lowering = lowering.Counted(rulebook.periodic.lowering, rulebook)
    while index.entered < len(view.arrived):
        _enter(index, view.arrived[index.entered])
        index.entered += 1
    return index


def _enter(index: Index, act: Act) -> None:
    rulebook = index.rulebook
    if act.regime not in (None, rulebook.regime):
        return
    seen = _seen_by(rulebook, act)
    route = index.routes.get(seen)
    if route is None:
        route = index.routes[seen] = _route(index, seen)
    if index.newest is None or not act.comes_before(index.newest):
        # After all others, so after those of each list.
        index.newest = act
        for acts in route.lists:
            acts.append(act)
    else:
        for acts in route.lists:
            put(acts, act)
    for tracker in route.trackers:
        tracker.enter(act)
    if seen.lowers and index.lowering is not None:
        index.lowering.enter(act)
    for tally in index.tallies.values():
        tally.enter(act)
    # What ended a predecessor ended another enterprise (R19).
    for word in () if act.fact.through else seen.ends:
        insort(index.terminal, (act, word), key=lambda one: one[0].order)


@dataclass(frozen=True, slots=True)
class Route:
    """Where acts of one kind go: lists by order, and what is more than a list."""

    lists: tuple[list[Act], ...]
    trackers: tuple[Tracker, ...]


def _route(index: Index, seen: Seen) -> Route:
    for place, track in seen.causes:
        if place not in index.trackers:
            index.trackers[place] = track()
    trackers = [index.trackers[place] for place, _ in seen.causes]
    lists = [one.alone for one in trackers if one.alone is not None]
    lists += [index.matched.setdefault(place, []) for place in seen.stains]
    lists += [index.judged_new] if seen.judges_new else []
    return Route(tuple(lists), tuple(one for one in trackers if one.alone is None))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Who looks at an act: cause conditions, each with what makes its trackers, ``no_acts`` conditions, terminal statuses, the rules for
    new enterprises and for lowering by a step."""

    causes: tuple[tuple[tuple[str, int], Callable[[], Tracker]], ...]
    stains: tuple[tuple[str, int], ...]
    ends: tuple[str, ...]
    judges_new: bool
    lowers: bool


def _seen_by(rulebook: Rulebook, act: Act) -> Seen:
    """By its sanctions, legal field and concepts alone, and by the edition in which it took effect: so once for all acts alike."""
    key = ("seen", act.sanctions, act.legal_field, act.concepts, rulebook.edition(act.effective))
    found: Seen | None = rulebook.kept.get(key)
    if found is None:
        found = rulebook.kept[key] = _look_for(rulebook, act)
    return found


def _look_for(rulebook: Rulebook, act: Act) -> Seen:
    places = [((rule.id, position), condition) for rule in rulebook.rules for position, condition in enumerate(rule.all)]
    causes = [
        (place, CAUSE_KINDS[one.kind].tracking(one, rulebook))
        for place, one in places
        if isinstance(one, CAUSES) and CAUSE_KINDS[one.kind].matches(one, rulebook, act)
    ]
    stains = [place for place, one in places if isinstance(one, NoActs) and no_acts_kind.matches(one, rulebook, act)]
    ends = [one.status for one in rulebook.statuses if one.role == "terminal" and not act.sanctions.isdisjoint(one.causes)]
    judges_new, lowers = False, False
    if rulebook.periodic:
        new = rulebook.periodic.new_enterprises
        judges_new = not act.sanctions.isdisjoint(rulebook.sets[new.graded_when]) and in_field(new.legal_fields, rulebook, act)
        lowers = rulebook.periodic.lowering is not None and lowering.matches(rulebook.periodic.lowering, rulebook, act)
    return Seen(tuple(causes), tuple(stains), tuple(ends), judges_new, lowers)
