"""Scores heaped just on the good side of a cut, held against what the same scores do at places where nothing hangs on them.

Fixed here before any run, for every regime and file:

* **Population**: whole scores, one for each subject and year (or inspection), turned so that more is better (``oriented``).
* **Statistic**: of the scores in a window of ``WIDTH`` on each side of a cut, the share on its good side. The width is even, so that
  a habit of even numbers falls on both sides alike.
* **Placebo cuts**: all other places of the scale, at which no grade changes, whose windows keep ``APART`` from every real cut: what
  was pushed over a cut, or taken from below it, is no placebo. Of each the same share is taken. Their logits follow a line: level, slope
  (the shape of the scores), and what multiples of 5 and of 10 on one side do (the residue classes of natural heaps). Around it they
  vary by τ² beyond chance, as natural scores do: items of a standard have certain points, and sums of them heap.
* **Studentised**: at a real cut the share is held against what such a placebo would give: a binomial whose logit is Student's t
  around the line, with the degrees of freedom of the placebos (overlapping windows count for less). The p-value is one-sided and exact
  under that law; few scores give a large one by themselves.
* **Units**: an office's or an officer's scores have a line of their own, held near the whole population's as far as their own
  placebos say nothing else: so one who is mild, or likes round numbers, is held against that. τ² is then that of units of the kind.
* **Many tests**: Holm, over all units and cuts of a scan; a scan alarms at ``ALPHA``.

Not tested is what has too few placebo cuts or too few scores; that is counted, never passed over in silence. Bunching at thresholds is
measured so since Saez (2010) and Chetty et al. (2011); the test at one place is McCrary's (2008); placebo cuts are usual since
Imbens and Lemieux (2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.audit.domain.statistics.distributions import expit, predictive_binomial
from services.audit.domain.statistics.placebo import Line, Prior, Study, fit, inverse, settle, spread

ALPHA = 0.05
WIDTH = 2
APART = 3
LEAST_PLACEBOS = 14
LEAST_IN_PLACEBO = 8
LEAST_IN_WINDOW = 10
# Where so many of the scores are multiples of it, a step is the scale's own and not a habit.
STEPS, STEP_SHARE = (10, 5, 2), 0.99
# Windows overlap: for the kernel (+1 +1 -1 -1) squared correlations of neighbours add up to 3/8 on each side, 1/(1 + 2·3/8).
_INDEPENDENT = 4 / 7
# Standard deviations, in logits, of level, slope over half the scale, multiples of 5, of 10: of any population, and of a unit beside it.
# Who rounds every third score to a multiple of 5 is 0.5 beside one who never does; a mean lower by half a deviation of the scores, 0.2.
_ANY = (1.5, 1.5, 1.0, 0.5)
_UNIT = (0.3, 0.3, 0.5, 0.25)

Histogram = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """The window of a cut. ``first_good``: the cut lies just below this score; ``good``, ``bad``: scores on its sides."""

    first_good: int
    width: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class Held:
    """A cut held against the placebos. ``expected``: the share on the good side that they predict; ``effect``: odds seen over odds
    expected; ``z``: the same in standard errors; ``p``: one-sided. ``placebos``: how many; ``as_strange``: those of them with as
    small a p-value."""

    tally: Tally
    expected: float
    effect: float
    z: float
    p: float
    placebos: int
    as_strange: int


@dataclass(frozen=True, slots=True)
class Natural:
    """What a population's placebo cuts say of its scores, from ``natural``."""

    step: int
    cuts: tuple[int, ...]
    middle: float
    half: float
    places: tuple[int, ...]
    line: Line
    tau2: float
    freedom: float

    def stepped(self, first_good: int) -> int:
        """A cut in steps of the scale."""
        return -(-first_good // self.step)

    def features(self, first_good: int) -> tuple[float, float, float, float]:
        """Level, place on the scale, multiples of 5 and of 10 on the good side less those on the bad side."""
        good = [(first_good + one) * self.step for one in range(WIDTH)]
        bad = [(first_good - 1 - one) * self.step for one in range(WIDTH)]

        def more(of: int) -> float:
            return float(sum(one % of == 0 for one in good) - sum(one % of == 0 for one in bad))

        return (1.0, (first_good - self.middle) / self.half, more(5), more(10))


def step_of(scores: Histogram) -> int:
    """The step of the scale: 1, or the largest of ``STEPS`` of which nearly all scores are multiples."""
    whole = sum(scores.values())
    for step in STEPS:
        if whole and sum(number for score, number in scores.items() if score % step == 0) >= STEP_SHARE * whole:
            return step
    return 1


def stepped(scores: Histogram, step: int) -> dict[int, int]:
    """The scores in steps; what lies between two is taken for the lower one, so that none crosses a cut towards the good side."""
    found: dict[int, int] = {}
    for score, number in scores.items():
        found[score // step] = found.get(score // step, 0) + number
    return found


def tally(scores: Histogram, first_good: int, cuts: Iterable[int], width: int = WIDTH) -> Tally:
    """The window of a cut; narrower where another cut lies within it."""
    width = min([width, *(abs(first_good - one) for one in cuts if one != first_good)])
    good = sum(scores.get(first_good + one, 0) for one in range(width))
    return Tally(first_good, width, good, sum(scores.get(first_good - 1 - one, 0) for one in range(width)))


def natural(scores: Histogram, cuts: Sequence[int]) -> Natural | None:
    """What the population does at its placebo cuts; None where it has too few of them. ``cuts``: real ones, by their first good score.

    Scores and cuts are oriented: more is better."""
    step = step_of(scores)
    held, real = stepped(scores, step), tuple(sorted({-(-one // step) for one in cuts}))
    if not held:
        return None
    lowest, highest = min(held), max(held)
    places = []
    for place in range(lowest + WIDTH, highest - WIDTH + 2):
        window = tally(held, place, ())
        if all(abs(place - one) >= APART for one in real) and window.good + window.bad >= LEAST_IN_PLACEBO:
            places.append(place)
    if len(places) < LEAST_PLACEBOS:
        return None
    middle, half = (places[0] + places[-1]) / 2, max(1.0, (places[-1] - places[0]) / 2)
    empty = Line((), (), 0.0)
    said = Natural(step, real, middle, half, tuple(places), empty, 0.0, 0.0)
    studies = _studies(said, held)
    line, tau2 = settle(studies, Prior.loose(_ANY))
    freedom = max(1.0, _INDEPENDENT * len(places) - _varying(studies))
    return Natural(step, real, middle, half, tuple(places), line, tau2, freedom)


def _studies(said: Natural, held: Histogram) -> list[Study]:
    found = []
    for place in said.places:
        window = tally(held, place, ())
        if of := window.good + window.bad:
            found.append(Study(said.features(place), window.good, of))
    return found


def _varying(studies: Sequence[Study]) -> int:
    return 1 + sum(len({one.features[i] for one in studies}) > 1 for i in range(1, 4))


def hold(said: Natural, held: Histogram, first_good: int, line: Line, tau2: float) -> Held:
    """A cut, real or supposed, of the stepped scores ``held`` against a line."""
    window = tally(held, first_good, said.cuts)
    features = said.features(first_good)
    logit = line.logit(features)
    # Of a narrower window the irregularities average over fewer scores.
    deviation = math.sqrt(tau2 * WIDTH / window.width + line.variance(features))
    of = window.good + window.bad
    p = predictive_binomial(window.good, of, logit=logit, spread=deviation, freedom=said.freedom) if of else 1.0
    log_odds = math.log((window.good + 0.5) / (window.bad + 0.5))
    error = math.sqrt(deviation**2 + 1 / (window.good + 0.5) + 1 / (window.bad + 0.5))
    return Held(window, expit(logit), math.exp(log_odds - logit), (log_odds - logit) / error, p, len(said.places), 0)


def population(said: Natural, scores: Histogram, places: Sequence[int]) -> list[Held]:
    """The whole population at these places (oriented scores, as ``cuts``), each beside the placebos that are as strange."""
    held = stepped(scores, said.step)
    placebos = [hold(said, held, place, said.line, said.tau2).p for place in said.places]
    found = []
    for place in places:
        one = hold(said, held, said.stepped(place), said.line, said.tau2)
        strange = sum(p <= one.p for p in placebos)
        found.append(Held(one.tally, one.expected, one.effect, one.z, one.p, one.placebos, strange))
    return found


def units(said: Natural, scores: Mapping[str, Histogram], places: Sequence[int]) -> dict[str, dict[int, Held]]:
    """Units of one kind (offices, or officers), each at every one of these cuts where its window has enough scores."""
    prior = _near(said.line)
    held = {name: stepped(one, said.step) for name, one in sorted(scores.items())}
    at = {place: said.stepped(place) for place in sorted(places)}
    tested = {name: [place for place in at if _enough(one, at[place], said.cuts)] for name, one in held.items()}
    studies = {name: _studies(said, held[name]) for name in held if tested[name]}
    tau2 = said.tau2
    lines: dict[str, Line] = {}
    for _ in range(4):
        lines = {name: fit(some, prior, tau2) for name, some in studies.items()}
        tau2 = max(said.tau2, spread([(some, lines[name]) for name, some in studies.items()]))
    return {name: {place: hold(said, held[name], at[place], lines[name], tau2) for place in tested[name]} for name in studies}


def _enough(held: Histogram, cut: int, cuts: Sequence[int]) -> bool:
    window = tally(held, cut, cuts)
    return window.good + window.bad >= LEAST_IN_WINDOW


def _near(line: Line) -> Prior:
    """A unit's line before its own placebos: the population's, as uncertain as that is and as units differ."""
    covariance = [[value + (_UNIT[i] ** 2 if i == j else 0.0) for j, value in enumerate(row)] for i, row in enumerate(line.covariance)]
    return Prior(line.beta, tuple(tuple(row) for row in inverse(covariance)))
