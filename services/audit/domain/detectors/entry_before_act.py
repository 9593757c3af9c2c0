"""An entry signed or received before the act that it records was over. 五(三) ¶3: recorded untruthfully.

What one signs is said to have happened; what ends after the signature was not yet seen. Compared are the signer's device's own time and
intake's with the act's end, where it is given, else with the days that the entry names: of the act, of service, of a result. A device's
clock may be wrong by some minutes. Days are those of the regime's zone, where several are possible the one in the entry's favour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from schemas.events import CATALOGUE
from schemas.events.base import Act
from schemas.rulebook import Rulebook
from schemas.times import instant, milliseconds
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, shown
from services.audit.domain.detectors.same_number import officers
from services.audit.domain.detectors.saying import ended
from services.audit.domain.detectors.zones import Zones

TOLERANCE_MS = 15 * 60 * 1000
"""Clocks without a time service drift by minutes; a wrong zone is off by an hour at least."""
_HOUR_MS = 60 * 60 * 1000
_ACTS = frozenset(row.name for row in CATALOGUE.values() if row.route == "facts" and issubclass(row.model, Act)) - acting.TYPES
_WORDS = {
    "ended_at": ("活动结束", "the end of the activity"),
    "occurred_on": ("行为日期", "the day of the act"),
    "served_on": ("送达日期", "the day of service"),
    "result_on": ("结果日期", "the day of the result"),
}


class EntryBeforeAct:
    """Groups of one: entries made before what they say."""

    declared = Declared(
        kind="entry_before_act",
        version=1,
        about="entry",
        proposes="hearing",
        clause="五(三) ¶3",
        readings=("R13",),
        zh="录入早于所记行为",
        en="Entered before the act",
        rests_on_zh="五(三) ¶3：尚未发生的事，不可能如实记录。",
        rests_on_en="五(三) ¶3: what had not happened yet could not be recorded truthfully",
        explanations=(
            Innocent("device_clock", "设备时钟有误，接收时行为已完成", "the device's clock was wrong: at receipt the act was over"),
            Innocent("wrong_zone", "时间按其他时区填写", "the time was given in another time zone"),
            Innocent("slip_of_the_day", "日期笔误，差一天", "a slip of the pen: the day is off by one"),
        ),
        clears_zh="更正后的时间或日期不晚于录入，或有原始材料证明实际时间。",
        clears_en="A correction to a time or day that is not after the entry, or a paper that shows when it was.",
    )
    types = acting.TYPES | _ACTS

    def __init__(self, editions: Mapping[str, Sequence[Rulebook]], ledger: Ledger | None = None) -> None:
        self._zones = Zones(editions)
        self._ledger = ledger or Ledger()
        self._groups = Groups(self._ledger, self._keys)
        self._matters = Matters()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        """See ``Detector``."""
        if entry.type not in acting.TYPES and self._before(entry, Words(entry.type, entry.data)) is None:
            # Kept for whatever corrects it.
            self._ledger.put(entry)
            return
        keys = self._groups.take(entry)
        zh, en = "更正后录入不早于所记行为。", "By the corrected words the entry does not come before the act."
        yield from self._matters.settle({key: self._signs(key) for key in keys}, lambda sign: ended(sign, [shown(entry, "ends")], zh, en))

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """Nothing waits for a day's end."""
        return ()

    def _keys(self, entry: Entry, words: Words) -> Iterable[Key]:
        return [(entry.source, entry.id)] if self._before(entry, words) else []

    def _before(self, entry: Entry, words: Words) -> tuple[str, str, bool] | None:
        """Which of the entry's times lies after its signature or receipt, that time, and whether it does so after the receipt."""
        data = words.data
        for moment, received in ((entry.received, True), (entry.signed, False)):
            end = data.get("ended_at")
            if end is not None and milliseconds(end) > moment + TOLERANCE_MS:
                return "ended_at", end, received
            day = self._zones.latest_day(moment + TOLERANCE_MS, entry.subject, data.get("regime")).isoformat()
            for name, value in (
                ("occurred_on", data.get("occurred_on")),
                ("served_on", (data.get("service") or {}).get("served_on")),
                ("result_on", data.get("result_on")),
            ):
                if value is not None and value > day:
                    return name, value, received
        return None

    def _signs(self, key: Key) -> Iterator[Sign]:
        for one in self._groups.members(key):
            before = self._before(one.entry, one.words)
            assert before is not None
            yield self._sign(one, *before)

    def _sign(self, one: Member, name: str, value: str, received: bool) -> Sign:
        entry, moment = one.entry, one.entry.received if received else one.entry.signed
        supported = set() if received else {"device_clock"}
        if name == "ended_at":
            apart = milliseconds(value) - moment
            hours = round(apart / _HOUR_MS)
            supported |= {"wrong_zone"} if 1 <= hours <= 14 and abs(apart - hours * _HOUR_MS) <= TOLERANCE_MS else set()
            zh_when = en_when = value
        else:
            own = self._zones.latest_day(moment, entry.subject, one.words.data.get("regime"))
            supported |= {"slip_of_the_day"} if (date.fromisoformat(value) - own).days == 1 else set()
            zh_when, en_when = zh_day(value), en_day(value)
        zh, en = _WORDS[name]
        at, how_zh, how_en = instant(moment), "接收" if received else "签署", "received" if received else "signed"
        reworded = [shown(one.reworded, "correction")] if one.reworded else []
        return Sign(
            matter=f"{entry.source} {entry.id}",
            office=entry.source,
            subject=entry.subject,
            regime=one.words.data.get("regime"),
            zh=f"所记{zh}为{zh_when}，而录入{how_zh}于{at}。",
            en=f"It tells {en} as {en_when}; it was {how_en} at {at}.",
            entry=shown(entry, "entry"),
            shown=(shown(entry, "entry"), *reworded),
            values=((name, value, at),),
            supported=frozenset(supported),
            concerns=officers(one),
        )
