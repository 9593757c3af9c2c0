"""Made-up scores with natural heaps and differences between offices and officers. Nothing here is taken from a detector.

Three kinds of scale, as regimes have them: ``marks`` (out of 100, deductions of a standard, more is better), ``habits`` (judged as a
whole, with a liking for round numbers, more is better) and ``faults`` (points for what was found, fewer are better).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

KINDS = ("marks", "habits", "faults")
CUTS = {"marks": (98, 90, 80, 70), "habits": (98, 90, 80, 70), "faults": (14, 28)}
# Of a standard: points and how often an item is found wanting. Their sums heap where they like.
_ITEMS = {"marks": ((1, 9), (2, 8), (3, 3), (5, 5), (10, 2)), "faults": ((2, 8), (4, 3), (5, 9), (6, 3), (7, 7), (8, 3), (10, 3), (28, 1))}
_WANTING = {"marks": 4.5, "faults": 3.6}


@dataclass(frozen=True)
class Push:
    """Who pushes over which cut: of the scores that fall short by at most ``reach``, the share ``share`` is raised to the cut."""

    officer: str
    cut: int
    share: float
    reach: int = 2


@dataclass(frozen=True)
class Population:
    """Scores of each officer, oriented so that more is better; ``office_of`` each officer; ``cuts`` oriented as well."""

    officers: dict[str, Counter[int]]
    office_of: dict[str, str]
    cuts: tuple[int, ...]

    def whole(self) -> Counter[int]:
        return sum(self.officers.values(), Counter())

    def offices(self) -> dict[str, Counter[int]]:
        found: dict[str, Counter[int]] = {}
        for name, scores in self.officers.items():
            found.setdefault(self.office_of[name], Counter()).update(scores)
        return found


def population(kind: str, rng: Random, *, offices: int = 3, officers: int = 5, each: int = 150, push: Push | None = None) -> Population:
    """About ``each`` scores of every officer. Offices differ in level, officers in level and in their liking for round numbers."""
    found: dict[str, Counter[int]] = {}
    office_of: dict[str, str] = {}
    for office in range(offices):
        milder = rng.gauss(0, 0.18)
        for number in range(officers):
            name = f"o{office}-{number}"
            level, rounding = milder + rng.gauss(0, 0.12), rng.choice((0.0, 0.0, 0.1, 0.3))
            how_many = max(20, round(each * rng.uniform(0.5, 1.5)))
            scores = [_score(kind, rng, level, rounding) for _ in range(how_many)]
            if push is not None and push.officer in (name, "everybody"):
                scores = [_pushed(one, push, rng) for one in scores]
            found[name], office_of[name] = Counter(scores), f"o{office}"
    return Population(found, office_of, _oriented(kind))


def _oriented(kind: str) -> tuple[int, ...]:
    # A cut's first good score: of faults, one fewer than the first bad number of them.
    return tuple(1 - one for one in CUTS[kind]) if kind == "faults" else CUTS[kind]


def _score(kind: str, rng: Random, level: float, rounding: float) -> int:
    if kind == "habits":
        score = round(rng.gauss(84 - 10 * level, 9))
        if rng.random() < rounding + 0.1:
            score = 5 * round(score / 5)
        return min(100, max(20, score))
    points, weights = zip(*_ITEMS[kind], strict=True)
    wanting, lost = _WANTING[kind] * 2.718281828**level, 0
    # A Poisson number of items, by unit waiting times; some premises are worse than others.
    wanting *= rng.gammavariate(2.2, 1 / 2.2)
    waited = rng.expovariate(1.0)
    while waited < wanting:
        lost += rng.choices(points, weights)[0]
        waited += rng.expovariate(1.0)
    return -lost if kind == "faults" else max(0, 100 - lost)


def _pushed(score: int, push: Push, rng: Random) -> int:
    short = push.cut - score
    return push.cut if 0 < short <= push.reach and rng.random() < push.share else score
