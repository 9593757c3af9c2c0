"""What a change of the rules would do to a register: who moves and why, how the lists and the inspection load change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.rulebook import Rulebook
from services.rating.analysis.changes import Change, changes
from services.rating.analysis.compared import Compared, Number, compare, deciding, label, label_of, numbers_of, parameters_of
from services.rating.analysis.history import Known, Scene, Stage
from services.rating.domain.sentences import Reason
from services.rating.domain.spans import pair_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ListChange:
    """A published list before and after; subjects in their order. ``title`` is None where neither rulebook has it any more."""

    name: str
    title: tuple[str, str]
    clause: str
    old: int
    new: int
    entering: tuple[str, ...]
    leaving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """On-site inspections a year that the measures for one grade ask for at least: subjects, so many for each, before and after."""

    grade: str
    clause: str
    old_subjects: int
    new_subjects: int
    old_each: int
    new_each: int

    @property
    def old(self) -> int:
        return self.old_subjects * self.old_each

    @property
    def new(self) -> int:
        return self.new_subjects * self.new_each


@dataclass(frozen=True, slots=True)
class Simulation:
    """``compared``: every subject that either rulebook rates on the day compared or rated on one before, by subject.
    ``transitions``: (old label, new label) → subjects, those that either rulebook rates on the day. ``labels``: grades from the
    best to the worst, then statuses."""

    old: Scene
    new: Scene
    as_of: date
    changes: tuple[Change, ...]
    compared: tuple[Compared, ...]
    labels: tuple[str, ...]
    transitions: Mapping[tuple[str, str], int]
    lists: tuple[ListChange, ...]
    load: tuple[Load, ...]

    @property
    def rated(self) -> int:
        """How many subjects either rulebook rates on the day."""
        return sum(self.transitions.values())

    @property
    def movers(self) -> list[Compared]:
        """Those whose grade or status differs on the day, by subject."""
        return [one for one in self.compared if one.moves]

    @property
    def ever(self) -> list[Compared]:
        """Those with another grade or status on some day, the longest first."""
        return sorted((one for one in self.compared if one.days), key=lambda one: (-one.days, one.subject))

    def read_parameters(self, one: Compared) -> list[Change]:
        """The changes of parameters that the deciding rules of a subject read."""
        was, now = self.old.book.rulebook, self.new.book.rulebook
        read = parameters_of(was, deciding(one.old)) | parameters_of(now, deciding(one.new))
        return [change for change in self.changes if change.section == "parameters" and change.name in read]

    def numbers(self, one: Compared) -> list[Number]:
        """The numbers that decided a mover's grade: what was compared with a bound that changes, by either rulebook."""
        changed = {change.name for change in self.changes if change.section == "parameters"}
        was = numbers_of(self.old.book.rulebook, deciding(one.old), changed, new=False)
        return was + numbers_of(self.new.book.rulebook, deciding(one.new), changed, new=True)

    def ranks(self, one: Compared) -> int:
        """How many grades better (positive) or worse (negative) a mover stands by the new rulebook; 0 where one side has no grade."""
        order = {name: at for at, name in enumerate(self.labels)}
        if one.old is None or one.new is None or one.old.grade is None or one.new.grade is None:
            return 0
        return order[one.old.grade] - order[one.new.grade]


def simulate(history: Iterable[Known], old: Scene, new: Scene, as_of: date) -> Simulation:
    """Rate a history by two rulebooks of one regime, as of one day. Raises ``ValueError`` where they are of two regimes."""
    if old.book.rulebook.regime != new.book.rulebook.regime:
        raise ValueError(f"the rulebooks are of two regimes: {old.book.rulebook.regime} and {new.book.rulebook.regime}")
    before, after = Stage(old), Stage(new)
    found = (compare(known, before, after, as_of) for known in history)
    compared = tuple(sorted((one for one in found if one.rated or one.differing), key=lambda one: one.subject))
    transitions = Counter((label(one.old), label(one.new)) for one in compared if one.rated)
    was, now = old.book.rulebook, new.book.rulebook
    return Simulation(
        old,
        new,
        as_of,
        tuple(changes(was, now)),
        compared,
        labels(was, now, transitions),
        transitions,
        tuple(_lists(was, now, compared)),
        tuple(_load(was, now, compared, as_of)),
    )


def labels(old: Rulebook, new: Rulebook, seen: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Grades of both rulebooks from the best to the worst, then every other word that was seen."""
    grades = [one.grade for one in new.grades]
    for at, one in enumerate(old.grades):
        if one.grade not in grades:
            grades.insert(at, one.grade)
    words = [one.status for one in (*new.statuses, *old.statuses)]
    seen_words = {name for pair in seen for name in pair} - set(grades)
    return (*grades, *sorted(seen_words, key=lambda one: words.index(one) if one in words else len(words)))


def _lists(old: Rulebook, new: Rulebook, compared: Sequence[Compared]) -> Iterable[ListChange]:
    was = {one.name: one for one in old.lists}
    now = {one.name: one for one in new.lists}
    for name in [*now, *(one for one in was if one not in now)]:
        before = {one.subject for one in compared if name in was and one.old and one.old.grade in was[name].grades}
        after = {one.subject for one in compared if name in now and one.new and one.new.grade in now[name].grades}
        defined = now.get(name) or was[name]
        yield ListChange(
            name,
            (defined.title.zh, defined.title.en),
            defined.clause,
            len(before),
            len(after),
            tuple(sorted(after - before)),
            tuple(sorted(before - after)),
        )


def _load(old: Rulebook, new: Rulebook, compared: Sequence[Compared], as_of: date) -> Iterable[Load]:
    was = Counter(one.old.grade for one in compared if one.old)
    now = Counter(one.new.grade for one in compared if one.new)
    visits = ((book, one) for book in (old, new) for one in book.measures if any(book.visits_of(one, as_of)))
    clauses = {grade: one.clause for _, one in visits for grade in one.grades}
    for grade in labels(old, new, ()):
        each = (old.inspections_a_year(grade, as_of), new.inspections_a_year(grade, as_of))
        if any(each):
            yield Load(grade, clauses[grade], was[grade], now[grade], *each)


def by_day(simulation: Simulation) -> list[tuple[date, int]]:
    """On how many subjects the rulebooks differ, as steps: from each day on so many, up to the next."""
    steps: Counter[date] = Counter()
    for one in simulation.compared:
        for stretch in one.differing:
            steps[stretch.first] += 1
            steps[stretch.last + ONE_DAY] -= 1
    found, standing = [], 0
    for day in sorted(steps):
        standing += steps[day]
        if day <= simulation.as_of and steps[day]:
            found.append((day, standing))
    return found


def stretch_labels(one: Compared) -> list[tuple[date, date, str, str]]:
    """The stretches of a subject: first and last day, label by the old and by the new rulebook."""
    return [(each.first, each.last, label_of(*pair_of(each.was)), label_of(*each.now)) for each in one.differing]


def said(reasons: Iterable[Reason]) -> list[Reason]:
    """Each rule once."""
    return list({one.rule: one for one in reasons}.values())
