"""One officer at two places at once.

五(三) ¶3: recorded untruthfully. Two visits that name the same officer can't both have been made as entered where their times overlap at
different places, or where the way between them would have needed more than ``SPEED_KMH``, every doubt about positions and times counted
in the officer's favour.

No sign: who only entered or reviewed; written and remote checks; times that touch or overlap by less than times are rounded; positions
that may be the same place within their accuracy, or the same registered address; activities over so many hours that nobody is there
throughout. A correction or retraction by which both can be so ends the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.places import Addresses, apart_m
from services.audit.domain.detectors.saying import clock, ended
from services.audit.domain.detectors.zones import Zones

DECLARED = Declared(
    kind="two_places",
    version=1,
    about="entry",
    proposes="hearing",
    clause="五(三) ¶3",
    readings=("R18",),
    zh="同一人员同时在两地",
    en="One officer at two places at once",
    rests_on_zh="五(三) ¶3：一个人不可能同时身在两处；所用时速和各项宽限写在检出规则里。",
    rests_on_en="五(三) ¶3: nobody is at two places at once; the speed and all allowances stand in the detector.",
    explanations=(
        Innocent("named_without_going", "名单照抄，该人员其实未到场", "the officer was named by habit and did not go there"),
        Innocent("clock_wrong", "起止时间录入有误", "start or end was entered wrongly"),
        Innocent("poor_position", "定位不准", "the position is poor"),
        Innocent("same_building", "两家在同一建筑内", "both are in one building"),
        Innocent("left_early", "该人员中途离开，由同事完成", "the officer left early and colleagues finished"),
    ),
    clears_zh="人员、时间或位置被更正，或者行程、考勤记录表明两次检查均属实。",
    clears_en="Officers, times or position are corrected, or travel and duty records show that both visits were made.",
)

SPEED_KMH = 150
# Times are written to five minutes; a building has this extent; nobody stays longer than so without a break.
ROUNDING = timedelta(minutes=5)
SAME_PLACE_M = 300
LONGEST = timedelta(hours=16)
# Visits further apart in time are not held against each other: by then a way of 900 km would be possible.
_REACH = timedelta(hours=6)


class TwoPlaces:
    """Groups of visits by officer and day."""

    declared = DECLARED
    types = acting.TYPES | {"inspection.recorded", "sampling.recorded", "enterprise.registered", "enterprise.changed"}

    def __init__(self, zones: Zones, ledger: Ledger | None = None) -> None:
        self._groups = Groups(ledger or Ledger(), _keys)
        self._matters = Matters()
        self._addresses = Addresses()
        self._zones = zones

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        if entry.type.startswith("enterprise."):
            self._addresses.take(entry)
            return
        keys = [key for key in self._groups.take(entry) if not self._groups.alone(key)]
        yield from self._matters.settle({key: self._signs(key) for key in keys}, lambda sign: _ended(sign, entry))

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _signs(self, key: Key) -> list[Sign]:
        members = sorted(self._groups.members(key), key=lambda one: (_span(one.words), one.entry.order))
        return [sign for one, other in combinations(members, 2) if (sign := self._of_two(key[1], one, other))]

    def _of_two(self, officer: str, one: Member, other: Member) -> Sign | None:
        """The sign of two visits, the first of which began first; None where both can be so."""
        if one.entry.subject == other.entry.subject:
            return None
        (_, end), (begin, _) = _span(one.words), _span(other.words)
        metres = apart_m(one.words.data.get("position"), other.words.data.get("position"))
        if metres is None:
            if end - begin <= ROUNDING or self._addresses.same(one.entry.subject, other.entry.subject):
                return None
        elif metres <= SAME_PLACE_M or metres / 1000 <= SPEED_KMH * max(begin - end + ROUNDING, timedelta()) / timedelta(hours=1):
            return None
        return self._sign(officer, one, other, metres)

    def _sign(self, officer: str, one: Member, other: Member, metres: float | None) -> Sign:
        (_, end), (begin, _) = _span(one.words), _span(other.words)
        later, minutes = max(one, other, key=lambda member: member.entry.order), round(abs(end - begin) / timedelta(minutes=1))
        names = sorted((one.entry.id, other.entry.id))
        zh_how = f"重叠{minutes}分钟" if begin < end else f"相隔{minutes}分钟"
        en_how = f"overlap by {minutes} minutes" if begin < end else f"are {minutes} minutes apart"
        # A pair whose records name an approximate position speaks for itself: nothing is added to it.
        km = None if metres is None else f"{metres / 1000:.1f}"
        poor = any((member.words.data.get("position") or {}).get("accuracy_m", 0) > SAME_PLACE_M for member in (one, other))
        return Sign(
            matter=f"{officer} {names[0]} {names[1]}",
            office=later.entry.source,
            subject=later.entry.subject,
            regime=later.words.data.get("regime"),
            zh=f"{officer}：{self._said(one)[0]}；{self._said(other)[0]}。两者{zh_how}" + (f"，两地至少相距{km}公里。" if km else "。"),
            en=f"{officer}: {self._said(one)[1]}; {self._said(other)[1]}. They {en_how}"
            + (f", and the places are at least {km} km apart." if km else "."),
            entry=shown(later.entry, "later_entry"),
            shown=(shown(one.entry, "first_visit"), shown(other.entry, "second_visit")),
            concerns=(officer,),
            values=(
                ("overlap_minutes" if begin < end else "minutes_between", str(minutes), None),
                *((("km_apart", km, None), ("speed_kmh", "-", str(SPEED_KMH))) if km else ()),
            ),
            supported=frozenset({"poor_position"} if poor else ()),
        )

    def _said(self, one: Member) -> tuple[str, str]:
        """When and where, in Chinese and English."""
        data, subject = one.words.data, one.entry.subject
        zone = self._zones.name(subject, data.get("regime"))
        begin, end = clock(data["started_at"], zone), clock(data["ended_at"], zone)
        day = data["occurred_on"]
        return f"{zh_day(day)}{begin}至{end}在{subject}", f"{en_day(day)} {begin}–{end} at {subject}"


def _keys(entry: Entry, words: Words) -> list[Key]:
    data = words.data
    there = (words.type == "inspection.recorded" and data["mode"] == "on_site") or words.type == "sampling.recorded"
    if not there or not data.get("officers") or not data.get("started_at") or not data.get("ended_at"):
        return []
    begin, end = _span(words)
    if end - begin > LONGEST:
        return []
    days = dict.fromkeys(moment.astimezone(UTC).date().isoformat() for moment in (begin, end, end + _REACH))
    return [("officer", officer, day) for officer in data["officers"] for day in days]


def _span(words: Words) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(words.data["started_at"]), datetime.fromisoformat(words.data["ended_at"])


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "puts_right"),)
    return ended(sign, why, "按现时有效的记录，两次检查可以都属实。", "As the records stand now, both visits can have been made.")
