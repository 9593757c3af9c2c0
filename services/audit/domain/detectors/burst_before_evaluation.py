"""Entries or passed inspections bunched in the days before an evaluation, or before the end of its period. 五(三) ¶2, R10.

Once a year, by office and by officer, over the evaluations that were announced (``statistics.bunching``). What was taken over from paper
doesn't count. A day's entries are those that became known by its close. Holm over all tested.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

from schemas.events import CATALOGUE
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Shown, Sign, Tested, shown
from services.audit.domain.late import outages_within
from services.audit.domain.statistics.bunching import BLOCK, Bunched, blocks, bunched
from services.audit.domain.statistics.distributions import at_most, decimal_text, holm
from services.audit.domain.statistics.populations import Names, Spans, pack
from services.audit.domain.statistics.strata import Unit, units_of

ALPHA = 0.05
FALSE_ALARMS = "0.12"
"""Upper end of the 95 % interval of clean years with any finding at this level: docs/detectors-statistical.md."""
LEAST_SEEN = 5
_MIGRATION = "migration"
_MOST_SHOWN, _DAYS_SHOWN = 12, timedelta(days=15)
_BEFORE = timedelta(days=45)
_ANNOUNCED, _CAMPAIGN, _OUTAGE, _ALL = "announced", "special_campaign", "catching_up", "everybody"
_EVERYBODY, _OF_SPECIAL = 1.5, 0.5

Measure = Literal["entries", "passed"]
_MEASURES: dict[Measure, tuple[str, str]] = {"entries": ("录入", "entries"), "passed": ("检查合格记录", "passed inspections")}


class _Anchor(NamedTuple):
    regime: str
    what: Literal["period_end", "evaluation"]
    day: date


@dataclass(slots=True)
class _Counts:
    """One unit's year. ``special``: special inspections by day; ``last``: entries of the days before a known date."""

    by_day: dict[Measure, Counter[date]] = field(default_factory=lambda: {"entries": Counter(), "passed": Counter()})
    special: Counter[date] = field(default_factory=Counter)
    inspections: Counter[date] = field(default_factory=Counter)
    names: Names = field(default_factory=Names)
    last: dict[date, deque[Shown]] = field(default_factory=dict)


class BurstBeforeEvaluation:
    """Counts by unit and day; of earlier years what was seen over what was expected."""

    declared = Declared(
        kind="burst_before_evaluation",
        version=1,
        about="pattern",
        proposes="check",
        clause="五(三) ¶2",
        readings=("R10", "R16"),
        zh="评定前集中录入",
        en="A burst just before an evaluation",
        rests_on_zh="R10：评定看的是一个时期的事实；工作均匀分布在全年的，没有理由在期末突击。",
        rests_on_en="R10: the evaluation looks at a period's facts; work spread over the year leaves no reason for a rush at its end",
        explanations=(
            Innocent(_ANNOUNCED, "评定日期事先公布，按期清理积压", "The date was announced, and what was left was finished by it"),
            Innocent(_CAMPAIGN, "专项检查", "A campaign of special inspections"),
            Innocent(_OUTAGE, "故障之后补录", "Catching up after an outage"),
            Innocent(_ALL, "其他单位同期也增多", "Others had more in the same days as well"),
        ),
        clears_zh="抽查该时段的记录，检查确在所记时间、地点进行。",
        clears_en="A sample of the records of these days: the inspections took place when and where they say.",
        period="year",
    )
    types = frozenset(row.name for row in CATALOGUE.values() if row.route == "facts")

    def __init__(self) -> None:
        self._spans = Spans("year")
        self._habits: dict[tuple[str, Measure, Unit], float] = {}
        self._anchors: list[date] = []
        self._begin(None)

    def _begin(self, today: date | None) -> None:
        self._counts: dict[Unit, _Counts] = {}
        self._looked_at = 0
        self._first, self._today = today, today

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``. The day is put in when it is closed."""
        self._looked_at += 1
        if entry.channel == _MIGRATION:
            return ()
        inspection = entry.type == "inspection.recorded"
        packed, day = pack(entry), date.min
        near = [one for one in self._anchors if self._today is not None and self._today <= one <= self._today + _DAYS_SHOWN]
        for unit in units_of(entry):
            one = self._counts.get(unit)
            if one is None:
                one = self._counts[unit] = _Counts()
            one.names.add(entry, packed)
            one.by_day["entries"][day] += 1
            if inspection:
                one.by_day["passed"][day] += _passed(entry)
                one.inspections[day] += 1
                one.special[day] += entry.data.get("kind") == "special"
            for anchor in near:
                one.last.setdefault(anchor, deque(maxlen=_MOST_SHOWN)).append(shown(entry, "in_the_burst"))
        return ()

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """See ``Detector``: tests when a year has ended."""
        for one in self._counts.values():
            for counts in (*one.by_day.values(), one.special, one.inspections):
                if number := counts.pop(date.min, 0):
                    counts[closed.through] += number
        self._today = closed.through
        self._first = self._first or closed.through
        registry = closed.scene.registry
        said = [one for offset, one in registry.announcements if offset <= closed.scene.stamp]
        self._anchors = sorted({date.fromisoformat(day) for _, _, last, at in said for day in (last, at)})
        first = self._spans.ended(closed.through)
        if first is None:
            return
        anchors = [_Anchor(regime, "period_end", date.fromisoformat(last)) for regime, _, last, _ in said]
        anchors += [_Anchor(regime, "evaluation", date.fromisoformat(at)) for regime, _, _, at in said]
        results = list(self._results(sorted({one for one in anchors if one.day.year == first.year}), closed))
        adjusted = holm([one.p for *_, one in results])
        signs = [
            self._sign(anchor, unit, measure, one, p, len(results), closed)
            for (anchor, unit, measure, one), p in zip(results, adjusted, strict=True)
            if p <= ALPHA and one.seen >= LEAST_SEEN
        ]
        yield from signs
        yield Scanned(first, self._looked_at, len({unit for _, unit, _, _ in results}), len(signs), decimal_text(ALPHA))
        for anchor, unit, measure, one in results:
            self._habits[f"{anchor.regime} {anchor.what}", measure, unit] = one.ratio
        self._begin(closed.through + timedelta(days=1))

    def _results(self, anchors: Iterable[_Anchor], closed: Closed) -> Iterator[tuple[_Anchor, Unit, Measure, Bunched]]:
        assert self._first is not None
        span = (closed.through - self._first).days + 1
        days = [day for day in (self._first + timedelta(days=one) for one in range(span)) if closed.scene.calendar.is_working(day)]
        for anchor in anchors:
            at = sum(day <= anchor.day for day in days) - 1
            spans = [(days[one.start], days[one.stop - 1]) for one in blocks(days, at)]
            for measure in _MEASURES:
                for officers in (False, True):
                    units = {f"{unit.office}\n{unit.officer}": unit for unit in sorted(self._counts) if bool(unit.officer) == officers}
                    table = {name: [_within(self._counts[unit].by_day[measure], *one) for one in spans] for name, unit in units.items()}
                    habits = {
                        name: self._habits.get((f"{anchor.regime} {anchor.what}", measure, unit), 1.0) for name, unit in units.items()
                    }
                    yield from ((anchor, units[name], measure, one) for name, one in bunched(table, habits).items())

    def _sign(self, anchor: _Anchor, unit: Unit, measure: Measure, one: Bunched, adjusted: float, tests: int, closed: Closed) -> Sign:
        counts, year = self._counts[unit], anchor.day.year
        tested = Tested(
            test="bunching_before_a_date",
            population=sum(counts.by_day[measure].values()),
            observed=str(one.seen),
            expected=decimal_text(one.expected, 1),
            effect=decimal_text(min(99_999.0, (one.seen + 0.5) / (one.expected + 0.5))),
            p_value=at_most(one.p),
            adjusted=at_most(adjusted),
            tests=tests,
            false_alarms=FALSE_ALARMS,
            population_sha256=counts.names.sha256(),
        )
        zh, en = _MEASURES[measure]
        before = ("评定期结束", "the end of the evaluated period") if anchor.what == "period_end" else ("评定日", "the evaluation")
        return Sign(
            matter=f"{anchor.regime} {anchor.what} {anchor.day} {measure} {unit.officer or 'office'}",
            office=unit.office,
            regime=anchor.regime,
            zh=f"{unit.words[0]}：{before[0]}（{anchor.day.year}年{anchor.day.month}月{anchor.day.day}日）前{BLOCK}个工作日{zh}{one.seen}件；"
            f"按本年其余时段及他人同期情形，预期{tested.expected}件，p≤{tested.p_value}，按{tests}项检验校正后p≤{tested.adjusted}。"
            "统计迹象，建议核查，不是认定。",
            en=f"{unit.words[1]}: {one.seen} {en} in the {BLOCK} working days before {before[1]} ({anchor.day:%Y-%m-%d}, {anchor.day:%a}); "
            f"by the rest of {year} and by the others in the same days {tested.expected} are expected: p ≤ {tested.p_value}, corrected for "
            f"{tests} tests p ≤ {tested.adjusted}. A statistical sign: worth a check, no finding of fault.",
            shown=tuple(counts.last.get(anchor.day, ())),
            concerns=(unit.officer,) if unit.officer else (),
            values=((measure, str(one.seen), tested.expected), ("p", f"{one.p:.1e}", f"{ALPHA:g}")),
            supported=frozenset(self._supported(anchor, unit, measure, closed)),
            tested=tested,
        )

    def _supported(self, anchor: _Anchor, unit: Unit, measure: Measure, closed: Closed) -> Iterator[str]:
        first, counts = anchor.day - _DAYS_SHOWN, self._counts[unit]
        yield _ANNOUNCED
        if _within(counts.special, first, anchor.day) > _OF_SPECIAL * max(1, _within(counts.inspections, first, anchor.day)):
            yield _CAMPAIGN
        outages = closed.scene.registry.at(closed.scene.stamp).outages
        if outages_within(unit.office, anchor.day - _BEFORE, anchor.day, "UTC", outages):
            yield _OUTAGE
        others = [one.by_day[measure] for name, one in self._counts.items() if name != unit and bool(name.officer) == bool(unit.officer)]
        whole, here = sum(sum(one.values()) for one in others), sum(_within(one, first, anchor.day) for one in others)
        assert self._first is not None
        if here > _EVERYBODY * whole * (_DAYS_SHOWN.days + 1) / max(1, (closed.through - self._first).days + 1):
            yield _ALL


def _passed(entry: Entry) -> bool:
    data = entry.data
    return not data.get("violations") and all(one.get("result") != "fail" for one in data.get("items") or ())


def _within(counts: Counter[date], first: date, last: date) -> int:
    return sum(number for day, number in counts.items() if first <= day <= last)
