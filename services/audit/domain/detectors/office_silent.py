"""An office that falls silent: working days without an entry, beyond its own rhythm. 五(三) ¶1, ¶2.

Of offices that enter enforcement activities (the rulebooks' ``entry_activities``): one that only approves has something to say when there
is something to approve. Whatever such an office enters ends its silence.

Day by closed day. A silence of n working days is a first day without an entry after one with, and n - 1 more: how often the office begins
one and how often it goes on are counted since its first entry, and how long the next lasts is predicted from the counts alone (a
beta-geometric law: careful with an office that has seldom been silent, and with silences that differ). A year has as many beginnings as
working days, and there are several offices; the sign comes when so long a silence is improbable for all of them together within a year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from schemas.events import CATALOGUE
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Shown, Sign, Tested, shown
from services.audit.domain.late import outages_within
from services.audit.domain.statistics.distributions import at_most, decimal_text
from services.audit.domain.statistics.populations import Names
from services.audit.domain.workdays import WorkCalendar

ALPHA = 0.01
FALSE_ALARMS = "0.12"
"""Upper end of the 95 % interval of clean years with any finding at this level: docs/detectors-statistical.md."""
LEAST_DAYS = 60
A_YEAR = 250
# Before anything is known: of five silent days one is followed by another.
_GO_ON, _END = 1.0, 4.0
_BEGIN, _BUSY = 0.5, 0.5
# One silence is not like another (a weak week, a leave): however many were seen, of the next no more is known than so many days tell.
_MOST_KNOWN = 8.0
_HOLIDAY = 3
_OUTAGE, _FESTIVAL, _HANDED_OVER = "outage", "festival", "handed_over"
_MIGRATION = "migration"


class _Counts(NamedTuple):
    """``days``, ``begun``: working days after one with an entry, and how many of them had none; ``silent``, ``gone_on``: working days
    after a silent one, and how many of them were silent."""

    days: int = 0
    begun: int = 0
    silent: int = 0
    gone_on: int = 0

    def improbable(self, length: int) -> float:
        """P(a given day begins a silence of at least so many working days)."""
        probability = (self.begun + _BEGIN) / (self.days + _BEGIN + _BUSY)
        going_on, ending = self.gone_on + _GO_ON, self.silent - self.gone_on + _END
        known = min(1.0, _MOST_KNOWN / (going_on + ending))
        for more in range(length - 1):
            probability *= (known * going_on + more) / (known * (going_on + ending) + more)
        return probability


@dataclass(slots=True)
class _Rhythm:
    """``gap``: length of the present silence, ``before`` the counts when it began; ``active``: an entry since the last close."""

    counts: _Counts = _Counts()
    before: _Counts = _Counts()
    worked: int = 0
    gap: int = 0
    gap_from: date | None = None
    longest: int = 0
    active: bool = False
    signed: bool = False
    last: Shown | None = None
    names: Names = field(default_factory=Names)

    def day(self, active: bool) -> None:
        """A working day is over. What was told as a sign is no rhythm: the counts go on from before it."""
        days, begun, silent, gone_on = self.counts
        if self.gap == 0:
            if not active:
                self.before = self.counts
            self.counts = _Counts(days + 1, begun + (not active), silent, gone_on)
        else:
            self.counts = _Counts(days, begun, silent + 1, gone_on + (not active))
        self.worked += 1
        if active:
            self.ended()
        else:
            self.gap += 1

    def ended(self) -> None:
        """An entry came."""
        if self.signed:
            self.counts = self.before
        else:
            self.longest = max(self.longest, self.gap)
        self.gap, self.gap_from, self.signed = 0, None, False

    def p(self) -> float:
        """Of the present silence, by what was known before it began."""
        return self.before.improbable(self.gap)


class OfficeSilent:
    """A rhythm for each office."""

    declared = Declared(
        kind="office_silent",
        version=2,
        about="office",
        proposes="check",
        clause="五(三) ¶1",
        readings=("R13", "R16"),
        zh="单位长时间没有录入",
        en="An office that falls silent",
        rests_on_zh="五(三) ¶1：所做的事在数个工作日内录入；各部门的日子由 day.closed 结束。",
        rests_on_en="五(三) ¶1: what was done is entered within working days; the days of all offices are closed by day.closed",
        explanations=(
            Innocent(_FESTIVAL, "长假前后", "Around a long holiday"),
            Innocent(_OUTAGE, "已申明故障", "A declared outage"),
            Innocent(_HANDED_OVER, "录入责任交接", "The duty to enter was handed over"),
            Innocent("no_activity", "该时段没有应录入的执法活动", "No activity in these days that had to be entered"),
        ),
        clears_zh="该时段确无应录入的活动，或已补录。",
        clears_en="There was nothing to enter in these days, or it has been entered since.",
    )
    types = frozenset({"entry.handed_over", *(row.name for row in CATALOGUE.values() if row.route == "facts")})

    def __init__(self, activities: frozenset[str]) -> None:
        """``activities``: types of entries that make an office one that is expected to enter."""
        self._activities = activities
        self._offices: dict[str, _Rhythm] = {}
        self._handed_over: dict[str, date] = {}
        self._through: date | None = None
        self._looked_at = 0

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``."""
        if entry.type == "entry.handed_over":
            self._handed_over[str(entry.data["office"])] = date.fromisoformat(entry.data["occurred_on"])
        elif entry.channel != _MIGRATION and (entry.source in self._offices or entry.type in self._activities):
            self._looked_at += 1
            one = self._offices.setdefault(entry.source, _Rhythm())
            one.active, one.last = True, shown(entry, "last_entry")
            one.names.add(entry)
        return ()

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """See ``Detector``. Where several days close at once the office counts as active on all of them: on which is not known."""
        through = closed.through
        days = _working(closed.scene.calendar, self._through + timedelta(days=1) if self._through else through, through)
        signs = [sign for office, one in sorted(self._offices.items()) if (sign := self._passed(office, one, days, closed)) is not None]
        self._through = through
        yield from signs
        if ready := sum(one.worked >= LEAST_DAYS for one in self._offices.values()):
            yield Scanned(through, self._looked_at, ready, len(signs), decimal_text(ALPHA))
        self._looked_at = 0

    def _passed(self, office: str, one: _Rhythm, days: Sequence[date], closed: Closed) -> Sign | None:
        """Days are over; the sign that comes of a silence so long, or the last word on one that has ended."""
        sign = self._sign(office, one, closed, until=closed.through) if one.active and one.signed else None
        if one.active and not days:
            # Whoever enters on a day off has not fallen silent.
            one.ended()
        for day in days:
            one.day(one.active)
            one.gap_from = (one.gap_from or day) if one.gap else None
        one.active = False
        if one.worked >= LEAST_DAYS and not one.signed and one.gap > one.longest and self._adjusted(one) <= ALPHA:
            one.signed = True
            sign = self._sign(office, one, closed, until=None)
        return sign

    def _tests(self) -> int:
        return A_YEAR * max(1, len(self._offices))

    def _adjusted(self, one: _Rhythm) -> float:
        return min(1.0, one.p() * self._tests())

    def _sign(self, office: str, one: _Rhythm, closed: Closed, *, until: date | None) -> Sign:
        assert one.gap_from is not None
        first, p = one.gap_from, one.p()
        tested = Tested(
            test="silence_by_own_rhythm",
            population=len(one.names),
            observed=str(one.gap),
            expected=str(one.longest),
            effect=decimal_text(one.gap / max(1, one.longest)),
            p_value=at_most(p),
            adjusted=at_most(self._adjusted(one)),
            tests=self._tests(),
            false_alarms=FALSE_ALARMS,
            population_sha256=one.names.sha256(),
        )
        over = (f"，{until.month}月{until.day}日恢复录入", f"; entries came again on {until:%Y-%m-%d} ({until:%a})") if until else ("", "")
        return Sign(
            matter=f"silent since {first}",
            office=office,
            zh=f"{office}自{first.year}年{first.month}月{first.day}日起连续{one.gap}个工作日没有录入{over[0]}；此前最长{one.longest}个工作日。"
            f"按其自身节奏，任一日开始这样长的空白的概率≤{tested.p_value}，按全年各日各单位校正后≤{tested.adjusted}。统计迹象，建议核查，不是认定。",
            en=f"{office} has had no entry for {one.gap} working days from {first:%Y-%m-%d} ({first:%a}) on{over[1]}; the longest silence "
            f"before was {one.longest}. By its own rhythm a day begins one so long with probability ≤ {tested.p_value}, corrected for a "
            f"year's days and all offices ≤ {tested.adjusted}. A statistical sign: worth a check, no finding of fault.",
            shown=(one.last,) if one.last else (),
            values=(("working_days_silent", str(one.gap), str(one.longest)), ("p", f"{p:.1e}", None)),
            supported=frozenset(self._supported(office, first, closed)),
            tested=tested,
        )

    def _supported(self, office: str, first: date, closed: Closed) -> Iterator[str]:
        if outages_within(office, first, closed.through, "UTC", closed.scene.registry.at(closed.scene.stamp).outages):
            yield _OUTAGE
        if (handed := self._handed_over.get(office)) is not None and first - timedelta(days=14) <= handed <= closed.through:
            yield _HANDED_OVER
        around = [first - timedelta(days=7) + timedelta(days=one) for one in range((closed.through - first).days + 14)]
        weekdays_off = sum(day.weekday() < 5 and not closed.scene.calendar.is_working(day) for day in around)
        if weekdays_off >= _HOLIDAY:
            yield _FESTIVAL


def _working(calendar: WorkCalendar, first: date, last: date) -> list[date]:
    return [day for day in (first + timedelta(days=one) for one in range((last - first).days + 1)) if calendar.is_working(day)]
