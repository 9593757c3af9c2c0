"""Whether the grades tell anything: how they move from year to year, what followed them, and how steady they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.events.derived import NOT_RATED
from schemas.rulebook import Rulebook
from services.rating.analysis.cohorts import Outcome, Seen, better_is_higher, cohort_days, outcome_of, seen
from services.rating.analysis.discrimination import Area, Observation, area
from services.rating.analysis.history import Known, Scene, Stage
from services.rating.analysis.proportions import Share, Trend, share, trend
from services.rating.analysis.stability import Stability, stability


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everyone on one day. ``followed``: whether the twelve months after it are over."""

    day: date
    counts: Mapping[str, int]
    graded: int
    followed: bool

    @property
    def n(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Matrix:
    """From one cohort's day to the next one's. ``cells``: (label, label) → subjects; each subject of the first day is in one of them.
    ``newcomers``: those of the second day who were not there on the first."""

    first: date
    second: date
    cells: Mapping[tuple[str, str], int]
    newcomers: int

    @property
    def n(self) -> int:
        return sum(self.cells.values())

    def row(self, label: str) -> int:
        """How many stood there on the first day."""
        return sum(n for (was, _), n in self.cells.items() if was == label)

    def share(self, was: str, now: str) -> Share:
        """Of those who stood there, how many stand here, with the interval."""
        return share(self.cells.get((was, now), 0), self.row(was))

    def share_of_staying(self, was: str, now: str, ended: Iterable[str]) -> Share:
        """The same without those who ended in between."""
        gone = sum(self.cells.get((was, word), 0) for word in ended)
        return share(0 if now in set(ended) else self.cells.get((was, now), 0), self.row(was) - gone)


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed each grade. ``shares``: of all; ``staying``: without those who ended within the months and were not penalised.
    ``breaks``: (better, worse) neighbours of which the better was penalised more often; with whether the intervals overlap."""

    days: tuple[date, ...]
    shares: Mapping[str, Share]
    staying: Mapping[str, Share]
    breaks: tuple[tuple[str, str, bool], ...]
    trend: Trend | None
    by_grade: Area | None
    by_score: Area | None
    by_grade_where_scored: Area | None
    withdrawn: int
    observations: tuple[Observation, ...]
    scored: tuple[Observation, ...]

    @property
    def n(self) -> int:
        return len(self.observations)

    @property
    def hits(self) -> int:
        return sum(one.hit for one in self.observations)

    @property
    def monotone(self) -> bool:
        return not self.breaks


@dataclass(frozen=True, slots=True)
class Quality:
    """``labels``: grades from the best to the worst, then statuses; ``ended``: those of subjects that ended. ``pooled``: all matrices
    in one; ``followed``: all cohorts together first, then each. ``outcome`` None: the rulebook doesn't say what a penalty is."""

    scene: Scene
    as_of: date
    outcome: Outcome | None
    grades: tuple[str, ...]
    labels: tuple[str, ...]
    ended: frozenset[str]
    subjects: int
    cohorts: tuple[Cohort, ...]
    matrices: tuple[Matrix, ...]
    pooled: Matrix | None
    followed: tuple[Followed, ...]
    steadiness: tuple[tuple[date, date, Stability], ...]


def quality(history: Iterable[Known], scene: Scene, as_of: date, *, outcome: str) -> Quality:
    """Look at every year of a history up to ``as_of``. ``outcome``: the act set of the rulebook that counts as a penalty."""
    stage, rulebook = Stage(scene), scene.book.rulebook
    wanted = outcome_of(rulebook, outcome)
    rows: list[Seen] = []
    days: set[date] = set()
    subjects = 0
    for known in history:
        mine = cohort_days(stage, known, as_of)
        days.update(mine)
        found = list(seen(known, stage, mine, as_of, wanted))
        subjects += bool(found)
        rows += found
    ended = frozenset(one.status for one in rulebook.statuses if one.role == "terminal")
    order = tuple(one.grade for one in rulebook.grades)
    present = {one.label for one in rows} - set(order)
    words = [one.status for one in rulebook.statuses if one.status in present and one.status not in ended]
    words += [one.status for one in rulebook.statuses if one.status in present & ended]
    by_day: dict[date, dict[str, Seen]] = {day: {} for day in sorted(days)}
    for one in rows:
        by_day[one.day][one.subject] = one
    by_day = {day: found for day, found in by_day.items() if found}
    cohorts = tuple(_cohort(day, found) for day, found in by_day.items())
    matrices = tuple(_matrix(first, second, by_day) for first, second in _neighbours(list(by_day)))
    gone = {now for one in matrices for _, now in one.cells} - set(order) - set(words)
    return Quality(
        scene,
        as_of,
        wanted,
        order,
        (*order, *words, *sorted(gone)),
        ended,
        subjects,
        cohorts,
        matrices,
        _pooled(matrices),
        tuple(_all_followed(rulebook, by_day)) if wanted else (),
        tuple(_steadiness(cohorts, order)),
    )


def _neighbours(days: Sequence[date]) -> Iterable[tuple[date, date]]:
    return zip(days, days[1:], strict=False)


def _cohort(day: date, found: Mapping[str, Seen]) -> Cohort:
    graded = sum(one.grade is not None for one in found.values())
    return Cohort(day, Counter(one.label for one in found.values()), graded, any(one.withdrawn is not None for one in found.values()))


def _matrix(first: date, second: date, by_day: Mapping[date, Mapping[str, Seen]]) -> Matrix:
    was, now = by_day[first], by_day[second]
    cells = Counter((one.label, now[subject].label if subject in now else NOT_RATED) for subject, one in was.items())
    return Matrix(first, second, cells, len(now.keys() - was.keys()))


def _pooled(matrices: Sequence[Matrix]) -> Matrix | None:
    if not matrices:
        return None
    cells: Counter[tuple[str, str]] = Counter()
    for one in matrices:
        cells.update(one.cells)
    return Matrix(matrices[0].first, matrices[-1].second, cells, sum(one.newcomers for one in matrices))


def _all_followed(rulebook: Rulebook, by_day: Mapping[date, Mapping[str, Seen]]) -> Iterable[Followed]:
    usable = {day: rows for day, found in by_day.items() if (rows := [one for one in found.values() if one.grade and one.hit is not None])}
    if len(usable) > 1:
        yield _followed(rulebook, [one for rows in usable.values() for one in rows])
    for rows in usable.values():
        yield _followed(rulebook, rows)


def _followed(rulebook: Rulebook, rows: Sequence[Seen]) -> Followed:
    grouped: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in rows:
        grouped[one.label].append(one)
    order = [one.grade for one in rulebook.grades]
    shares = {grade: share(sum(bool(one.hit) for one in grouped[grade]), len(grouped[grade])) for grade in order}
    kept = {grade: [one for one in grouped[grade] if one.hit or not one.withdrawn] for grade in order}
    staying = {grade: share(sum(bool(one.hit) for one in kept[grade]), len(kept[grade])) for grade in order}
    sign = -1 if better_is_higher(rulebook) else 1
    by_grade = [Observation(one.subject, rulebook.rank[one.label], bool(one.hit)) for one in rows]
    scored = [one for one in rows if one.score is not None]
    by_score = [Observation(one.subject, sign * float(one.score or 0), bool(one.hit)) for one in scored]
    return Followed(
        tuple(sorted({one.day for one in rows})),
        shares,
        staying,
        tuple(_breaks(shares, order)),
        trend([(rulebook.rank[grade], one.hits, one.n) for grade, one in shares.items() if one.n]),
        area(by_grade),
        area(by_score),
        area([Observation(one.subject, rulebook.rank[one.label], bool(one.hit)) for one in scored]),
        sum(1 for one in rows if one.withdrawn and not one.hit),
        tuple(by_grade),
        tuple(by_score),
    )


def _breaks(shares: Mapping[str, Share], order: Sequence[str]) -> Iterable[tuple[str, str, bool]]:
    held = [grade for grade in order if shares[grade].n]
    for better, worse in zip(held, held[1:], strict=False):
        one, other = shares[better], shares[worse]
        if (one.share or 0) > (other.share or 0):
            yield better, worse, (one.low or 0) <= (other.high or 0)


def _steadiness(cohorts: Sequence[Cohort], order: Sequence[str]) -> Iterable[tuple[date, date, Stability]]:
    for first, second in zip(cohorts, cohorts[1:], strict=False):
        found = stability(first.counts, second.counts, order)
        if found:
            yield first.day, second.day, found
