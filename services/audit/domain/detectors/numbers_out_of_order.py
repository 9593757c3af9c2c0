"""Document numbers of an office out of order with their dates. 五(三) ¶3: a document dated back or ahead bears a number of its real time.

An office numbers its documents of a kind one after the other, year by year. Of a series the largest part whose dates don't go back as the
numbers go on is taken to be in order; a document that is off by more than ``SLACK_DAYS`` against its neighbours in it is named. Where more
than ``MOST_OFF`` of a series is off, or it is short, the office doesn't number by date, and nothing is said.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Effects, Words
from services.audit.domain.detectors.groups import Matters
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, shown
from services.audit.domain.detectors.same_number import CONTENT, number_of
from services.audit.domain.detectors.saying import ended, value

SLACK_DAYS = 3
AT_LEAST = 6
MOST_OFF = 0.2
# A series that isn't one is looked at again when it has grown by so much.
_GROWN = 1.25
# The last number of the text.
_NUMBER = re.compile(r"(.*?)(\d{1,9})(\D*)", re.S)
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")

Series = tuple[str, ...]


class Numbered(NamedTuple):
    """A document in its series: number, day (ordinal), place in the ledger."""

    number: int
    day: int
    place: int


@dataclass(slots=True)
class _Held:
    """A series: by number the first document that has it. ``until``: not looked at before it has so many."""

    by_number: dict[int, Numbered] = field(default_factory=dict)
    until: float = 0.0


class NumbersOutOfOrder:
    """Series by office, kind and what stands around the number; looked at when a day ends that added to them."""

    declared = Declared(
        kind="numbers_out_of_order",
        version=2,
        about="entry",
        proposes="check",
        clause="五(三) ¶3",
        readings=("R13",),
        zh="文号顺序与日期不符",
        en="Document numbers out of order with their dates",
        rests_on_zh="一个系列的文号依次编排；日期与次序不符的文书在其中就显得突出。",
        rests_on_en="Numbers of a series are given one after the other; a document dated otherwise stands out in it",
        explanations=(
            Innocent("number_reserved", "文号预留，后来使用", "the number was reserved and used later"),
            Innocent("slip_of_the_pen", "日期或文号笔误", "a slip of the pen in the day or the number"),
            Innocent("older_series", "自旧系统迁入", "taken over from an older system"),
        ),
        clears_zh="发文登记簿表明文号与日期的对应，或更正笔误。",
        clears_en="The office's register of documents explains the number, or a slip is corrected.",
    )
    types = acting.TYPES | frozenset(CONTENT)

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()
        self._effects = Effects(self._ledger)
        self._matters = Matters()
        self._series: dict[Series, _Held] = {}
        self._touched: dict[Series, None] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``."""
        place = self._ledger.put(entry)
        if entry.type not in acting.TYPES:
            self._enter(place, entry, Words(entry.type, entry.data))
            return ()
        for name in self._effects.take(entry, place):
            if (named := self._ledger.find(*name)) is not None:
                self._again(named)
        return ()

    def _enter(self, place: int, entry: Entry, words: Words) -> None:
        if (found := series_of(entry, words)) is not None:
            series, number = found
            held = self._series.setdefault(series, _Held())
            day = date.fromisoformat(words.data["occurred_on"]).toordinal()
            held.by_number.setdefault(number, Numbered(number, day, place))
            self._touched[series] = None

    def _again(self, place: int) -> None:
        """An entry whose words may be others now."""
        entry = self._ledger.entry(place)
        for words in self._effects.wordings(entry):
            found = series_of(entry, words)
            held = self._series.get(found[0]) if found else None
            if found and held and (one := held.by_number.get(found[1])) and one.place == place:
                del held.by_number[found[1]]
                held.until = 0.0
                self._touched[found[0]] = None
        if (words_now := self._effects.words(entry)) is not None:
            self._enter(place, entry, words_now)

    def close(self, closed: Closed) -> Iterator[Sign | Scanned]:
        """See ``Detector``."""
        touched, self._touched = self._touched, {}
        found: dict[Series, list[Sign]] = {}
        for series in touched:
            held = self._series[series]
            if len(held.by_number) >= held.until:
                found[series] = self._signs(series, held)
        zh, en = "该文号在其序列中已与日期相符。", "The number is in order with its date now."
        yield from self._matters.settle(found, lambda sign: ended(sign, [], zh, en))

    def _signs(self, series: Series, held: _Held) -> list[Sign]:
        every = sorted(held.by_number.values())
        kept = in_order([one.day for one in every])
        off = [(one, near) for at, one in enumerate(every) if at not in kept and (near := _off(every, kept, at))]
        if len(every) < AT_LEAST or len(off) > max(1, MOST_OFF * len(every)):
            held.until = len(every) * _GROWN if len(every) >= AT_LEAST else AT_LEAST
            return []
        return [self._sign(series, one, near) for one, near in off]

    def _sign(self, series: Series, one: Numbered, near: Numbered) -> Sign:
        entry, other = self._ledger.entry(one.place), self._ledger.entry(near.place)
        (own, theirs), days = (self._number(each) for each in (one, near)), (date.fromordinal(one.day), date.fromordinal(near.day))
        supported = {"older_series"} if entry.channel == "migration" else set()
        return Sign(
            matter=f"{' '.join(series)} {one.number}",
            office=entry.source,
            subject=entry.subject,
            regime=entry.data.get("regime"),
            zh=f"{own}的日期为{zh_day(days[0])}，而同一序列的{theirs}为{zh_day(days[1])}。",
            en=f"{own} is dated {en_day(days[0])}, while {theirs} of the same series is dated {en_day(days[1])}.",
            entry=shown(entry, "out_of_order"),
            shown=(shown(entry, "out_of_order"), shown(other, "neighbour")),
            concerns=tuple(dict.fromkeys(filter(None, (entry.data.get("entered_by"), *(entry.data.get("officers") or ())))))[:20],
            values=(("day", days[0].isoformat(), days[1].isoformat()), ("document_no", value(own), value(theirs))),
            supported=frozenset(supported),
        )

    def _number(self, one: Numbered) -> str:
        entry = self._ledger.entry(one.place)
        return number_of(self._effects.words(entry) or Words(entry.type, entry.data)) or ""


def series_of(entry: Entry, words: Words) -> tuple[Series, int] | None:
    """The series of a document and its number in it: the last number in the text; what stands around it names the series."""
    if words.type not in CONTENT or words.data.get("outcome_pending"):
        return None
    found = _NUMBER.fullmatch((number_of(words) or "").strip())
    if found is None:
        return None
    before, number, behind = found.groups()
    # Numbers begin anew each year, whether they say so or not.
    year = () if _YEAR.search(before + behind) else (str(words.data["occurred_on"])[:4],)
    return (entry.source, words.type, f"{before}_{behind}", *year), int(number)


def in_order(days: list[int]) -> set[int]:
    """The places of a longest part that never goes back. Of several the one that a rerun finds, too."""
    tails: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for place, day in enumerate(days):
        length = bisect_right(tails, day)
        before.append(at[length - 1] if length else -1)
        if length == len(tails):
            tails.append(day)
            at.append(place)
        else:
            tails[length], at[length] = day, place
    found, place = set(), at[-1] if at else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return found


def _off(every: list[Numbered], kept: set[int], at: int) -> Numbered | None:
    """The neighbour in order against which a document is off by more than the slack."""
    one = every[at]
    earlier = next((every[place] for place in range(at - 1, -1, -1) if place in kept), None)
    later = next((every[place] for place in range(at + 1, len(every)) if place in kept), None)
    if earlier is not None and one.day < earlier.day - SLACK_DAYS:
        return earlier
    return later if later is not None and one.day > later.day + SLACK_DAYS else None
