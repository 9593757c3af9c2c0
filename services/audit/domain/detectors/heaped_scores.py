"""Scores heaped just on the good side of a cut, by office and by officer. 三(二), 五(三) ¶2.

Once a year, of the scores that became known in it: final scores, one for each subject and scored year; points of inspections whose kind
the cut decides, the first for each subject, kind and year. Where they are too few to say what is natural, nothing is tested and the next
year's are added to them: each score is tested once, and a small town every few years. Cuts and their good side come from the rulebook in
force at the year's end (``domain.cuts``); everything else is fixed in ``statistics.heaping``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from schemas.rulebook import Rulebook
from services.audit.domain.cuts import Cut, Scale, scale
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, Tested
from services.audit.domain.statistics import heaping
from services.audit.domain.statistics.distributions import at_most, decimal_text, holm
from services.audit.domain.statistics.heaping import ALPHA, Held, Histogram, Natural
from services.audit.domain.statistics.populations import Spans
from services.audit.domain.statistics.strata import Stratum, Unit, scored

FALSE_ALARMS = "0.17"
"""Upper end of the 95 % interval of clean populations with any finding at this level: docs/detectors-statistical.md."""
_COMMON, _ROUND = "common_total", "round_numbers"
_ALSO, _ROUND_SHARE = 0.01, 0.4


@dataclass(slots=True)
class _Pool:
    """Scores that wait for their test. ``first``: the year in which the first of them became known; ``taken``: subjects and years."""

    of: Scale
    first: int
    scores: Stratum = field(default_factory=Stratum)
    taken: set[bytes] = field(default_factory=set)

    def years(self, last: int) -> str:
        """As it is written: ``2024`` or ``2023–2025``."""
        return str(last) if self.first == last else f"{self.first}–{last}"


class _Result(NamedTuple):
    regime: str
    stratum: str
    pool: _Pool
    unit: Unit
    cut: Cut
    held: Held
    natural: Natural


class HeapedScores:
    """Counts by unit and score; ``editions``: rulebooks by regime, the newest first."""

    declared = Declared(
        kind="heaped_scores",
        version=2,
        about="pattern",
        proposes="check",
        clause="五(三) ¶2",
        readings=("R1", "R9", "R16"),
        zh="评分集中在分数线较好一侧",
        en="Scores heaped just on the good side of a cut",
        rests_on_zh="等级取决于分数线，而不取决于线旁的任何一分：关于分数在界线旁聚集，见 Saez 2010；McCrary 2008。",
        rests_on_en="A grade hangs on the cut and on no score beside it: bunching at thresholds, Saez 2010; McCrary 2008",
        explanations=(
            Innocent(
                _COMMON,
                "评分标准的扣分组合使该总分常见，其他人员的评分也集中于此",
                "The standard's items often add up to it: others' scores heap there, too",
            ),
            Innocent(_ROUND, "习惯给整数分", "A liking for round numbers"),
            Innocent("corrected_on_the_spot", "差一点的企业当场改正后得分", "Those who fell just short put things right on the spot"),
            Innocent("scored_again", "异议成立后重新评分", "Scored again after an objection was upheld"),
        ),
        clears_zh="抽取紧邻分数线的评分，核对扣分依据，与检查记录相符。",
        clears_en="Of the scores right at the cut a sample is held against the inspection records, and the deductions agree.",
        period="year",
    )
    types = frozenset({"score.recorded", "inspection.recorded"})

    def __init__(self, editions: Mapping[str, Sequence[Rulebook]]) -> None:
        self._books = {regime: books[0] for regime, books in editions.items()}
        self._scales: dict[tuple[str, int], Scale | None] = {}
        self._spans = Spans("year")
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._looked_at = 0

    def _scale(self, regime: str, year: int) -> Scale | None:
        if (regime, year) not in self._scales:
            book = self._books.get(regime)
            self._scales[regime, year] = scale(book, date(year, 12, 31)) if book is not None else None
        return self._scales[regime, year]

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``."""
        self._looked_at += 1
        regime, year = entry.data.get("regime"), date.fromisoformat(entry.data["occurred_on"]).year
        known_in = self._spans.open.year if self._spans.open else year
        found = self._scale(regime, known_in) if regime else None
        if found is not None and (said := scored(entry, found)) is not None:
            stratum, scored_year, score = said
            pool = self._pools.get((found.regime, stratum))
            if pool is None or pool.of != found:
                # By other cuts what was held so far is no population for these.
                pool = self._pools[found.regime, stratum] = _Pool(found, known_in)
            name = hashlib.sha256(f"{entry.subject}\n{scored_year}".encode()).digest()[:16]
            if name not in pool.taken:
                pool.taken.add(name)
                pool.scores.add(entry, found, stratum, found.oriented(score))
        return ()

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """See ``Detector``: tests when a year has ended."""
        first = self._spans.ended(closed.through)
        if first is None:
            return
        results = list(self._results(first.year))
        adjusted = holm([one.held.p for one in results])
        signs = [self._sign(one, p, len(results), first.year) for one, p in zip(results, adjusted, strict=True) if p <= ALPHA]
        yield from signs
        yield Scanned(first, self._looked_at, len({(one.regime, one.unit) for one in results}), len(signs), decimal_text(ALPHA))
        self._looked_at = 0

    def _results(self, year: int) -> Iterator[_Result]:
        for (regime, stratum), pool in sorted(self._pools.items()):
            found, some = self._scale(regime, year), pool.scores
            if found is None or found != pool.of or not found.decides(stratum):
                del self._pools[regime, stratum]
                continue
            places = {found.first_good(cut): cut for cut in found.decides(stratum)}
            natural = heaping.natural(some.whole, [found.first_good(cut) for cut in found.cuts])
            if natural is None:
                continue
            del self._pools[regime, stratum]
            for officers in (False, True):
                by_name = {f"{unit.office}\n{unit.officer}": unit for unit in some.scores if bool(unit.officer) == officers}
                tested = heaping.units(natural, {name: some.scores[unit] for name, unit in by_name.items()}, list(places))
                for name, at in tested.items():
                    yield from (_Result(regime, stratum, pool, by_name[name], places[place], held, natural) for place, held in at.items())

    def _sign(self, one: _Result, adjusted: float, tests: int, year: int) -> Sign:
        some, found, held, unit, years = one.pool.scores, one.pool.of, one.held, one.unit, one.pool.years(year)
        of, bound, window = held.tally.good + held.tally.bad, found.shown(found.first_good(one.cut)), held.tally.width * one.natural.step
        whose = unit.words
        tested = Tested(
            test="heaping_placebo_cuts",
            population=sum(some.scores[unit].values()),
            observed=f"{held.tally.good} of {of}",
            expected=decimal_text(held.expected * of, 1),
            effect=decimal_text(min(held.effect, 99_999.0)),
            p_value=at_most(held.p),
            adjusted=at_most(adjusted),
            tests=tests,
            false_alarms=FALSE_ALARMS,
            population_sha256=some.names[unit].sha256(),
        )
        return Sign(
            matter=f"{one.regime} {one.stratum} {one.cut.parameter} {unit.officer or 'office'} {year}",
            office=unit.office,
            regime=one.regime,
            zh=f"{years}年{whose[0]}的评分：分数线{bound}两侧各{window}分以内有{of}个，其中{held.tally.good}个在较好一侧。按{held.placebos}处不影响等级的分数的情形，"
            f"预期{tested.expected}个；优势比{tested.effect}，p≤{tested.p_value}，按{tests}项检验校正后p≤{tested.adjusted}。统计迹象，建议核查，不是认定。",
            en=f"Scores of {whose[1]}, {years}: {of} lie within {window} points on either side of the cut at {bound}, {held.tally.good} of "
            f"them on its good side. By {held.placebos} places of the scale where no grade changes {tested.expected} would: odds "
            f"{tested.effect} times as high, p ≤ {tested.p_value}, corrected for {tests} tests p ≤ {tested.adjusted}. A statistical sign: "
            "worth a check, no finding of fault.",
            shown=tuple(some.just_good.get((unit, one.cut.parameter), ())),
            concerns=(unit.officer,) if unit.officer else (),
            values=(("just_good", str(held.tally.good), tested.expected), ("just_bad", str(held.tally.bad), None), ("cut", bound, None))
            + (("z", decimal_text(held.z), None), ("p", f"{held.p:.1e}", f"{ALPHA:g}"), ("placebo_cuts", str(held.placebos), None)),
            supported=frozenset(_supported(one, some)),
            tested=tested,
        )


def _supported(one: _Result, some: Stratum) -> Iterator[str]:
    scores = some.scores[one.unit]
    rest: Histogram = heaping.stepped(some.whole - scores, one.natural.step)
    if heaping.hold(one.natural, rest, one.held.tally.first_good, one.natural.line, one.natural.tau2).p <= _ALSO:
        yield _COMMON
    away = {score: number for score, number in scores.items() if all(abs(score // one.natural.step - cut) > 1 for cut in one.natural.cuts)}
    if sum(number for score, number in away.items() if score % 5 == 0) > _ROUND_SHARE * max(1, sum(away.values())):
        yield _ROUND
