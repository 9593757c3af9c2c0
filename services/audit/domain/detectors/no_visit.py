"""A measure told performed by a visit of which the records show none.

四(二)–(四): re-checks and on-site inspections that offices adopted are duties; rating tells them performed by the inspections that were
entered (ADR 24). 五(三) ¶3: recorded untruthfully. Of such a visit it is said here that

1. it has no times, no position and no attachment at all, while nearly all of the office's other visits have some,
2. it was over sooner than anybody looks at anything, or
3. its position lies far from everywhere else that the subject was visited, by more than all accuracies allow.

None of it proves that nobody went: it proposes a check. A correction that adds what was missing, and a duty that is no longer told
performed by the visit, end the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.places import Addresses, apart_m
from services.audit.domain.detectors.same_number import officers
from services.audit.domain.detectors.saying import ended

DECLARED = Declared(
    kind="no_visit",
    version=1,
    about="entry",
    proposes="check",
    clause="五(三) ¶3",
    readings=("R12", "R21"),
    zh="措施已报履行，记录未显示到场",
    en="A measure told performed; the records show no visit",
    rests_on_zh="四、ADR 24：职责以到场履行；该部门其他检查通常留下的东西，这里没有。",
    rests_on_en="四, ADR 24: a duty is performed by a visit; what visits of the office leave behind otherwise is missing here.",
    explanations=(
        Innocent("device_failed", "设备故障，当日没有定位和照片", "the device failed that day: no position, no photographs"),
        Innocent("entered_from_paper", "依据纸质记录补录", "entered from a paper record"),
        Innocent("closed_door", "企业当日未营业，到场即返", "the enterprise was shut, and the visit over at once"),
        Innocent("moved", "企业已迁址", "the enterprise moved"),
        Innocent("poor_position", "定位不准", "the position is poor"),
    ),
    clears_zh="现场记录、照片或者企业的签字表明确已到场，或者该项录入被更正、撤回。",
    clears_en="The paper record, photographs or the enterprise's signature show the visit, or the entry is corrected or retracted.",
)

SHORTEST = timedelta(minutes=5)
FAR_M = 1000
# What an office's visits leave behind otherwise: of at least so many at least this share has something.
AT_LEAST, NEARLY_ALL = 20, 0.9
_OTHERS = 2
_DUTIES = frozenset({"duty.performed", "duty.corrected"})


class NoVisit:
    """Visits by subject, what each office's visits leave behind, and the duties that visits perform. Duties come as rating tells them."""

    declared = DECLARED
    types = acting.TYPES | _DUTIES | {"inspection.recorded", "enterprise.registered", "enterprise.changed"}

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._groups = Groups(ledger or Ledger(), _keys, most=None)
        self._matters = Matters()
        self._addresses = Addresses()
        # Visits of an office: all, and those that left something behind.
        self._left: dict[str, tuple[int, int]] = {}
        self._duties: dict[str, Entry] = {}
        self._of: dict[str, dict[str, None]] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        if entry.type in _DUTIES:
            duty = entry.data["duty"]
            self._duties[duty] = entry
            self._of.setdefault(entry.subject, {})[duty] = None
            yield from self._judge([duty], entry)
        elif entry.type.startswith("enterprise."):
            self._addresses.take(entry)
            yield from self._judge(self._of.get(entry.subject, ()), entry)
        else:
            if not self._groups.has(("subject", entry.subject), entry):
                self._count(entry)
            self._groups.take(entry)
            if entry.type in acting.TYPES:
                yield from self._judge(self._of.get(entry.subject, ()), entry)

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _count(self, entry: Entry) -> None:
        if entry.type == "inspection.recorded" and entry.data["mode"] == "on_site":
            visits, with_some = self._left.get(entry.source, (0, 0))
            self._left[entry.source] = visits + 1, with_some + _leaves_something(entry.data)

    def _judge(self, duties: Iterable[str], cause: Entry) -> Iterator[Sign]:
        found: dict[Key, list[Sign]] = {("duty", duty): list(self._signs(self._duties[duty])) for duty in duties}
        yield from self._matters.settle(found, lambda sign: _ended(sign, cause))

    def _signs(self, duty: Entry) -> Iterator[Sign]:
        if duty.data["state"] != "performed":
            return
        named = {(one["partition"], one["offset"], one["id"]) for one in duty.data["events"]}
        visits = self._groups.members(("subject", duty.subject))
        for one in visits:
            if (one.entry.order.partition, one.entry.order.offset, one.entry.id) in named:
                reasons = [*self._nothing(one), *_too_short(one), *self._far(one, visits)]
                if reasons:
                    yield _sign(duty, one, reasons)

    def _nothing(self, visit: Member) -> Iterator[tuple[str, str, str, str | None, str]]:
        visits, with_some = self._left[visit.entry.source]
        others = visits - 1
        if not _leaves_something(visit.words.data) and others >= AT_LEAST and with_some >= NEARLY_ALL * others:
            zh = f"没有起止时间、位置和附件，而该办公室其他{others}次现场检查中有{with_some}次至少有其一"
            en = f"it has no times, no position and no attachment, while {with_some} of the office's {others} other visits have some"
            yield zh, en, "left_behind", f"{with_some}/{others}", "0"

    def _far(self, visit: Member, visits: list[Member]) -> Iterator[tuple[str, str, str, str | None, str]]:
        own = visit.words.data.get("position")
        away = [apart_m(own, one.words.data.get("position")) for one in visits if one is not visit]
        known = [metres for metres in away if metres is not None]
        if len(known) >= _OTHERS and min(known) > FAR_M and not self._addresses.moved(visit.entry.subject):
            km = f"{min(known) / 1000:.1f}"
            zh = f"位置距该企业其他{len(known)}次检查的位置至少{km}公里"
            en = f"its position is at least {km} km from those of the subject's {len(known)} other visits"
            yield zh, en, "km_away", f"{FAR_M / 1000:.1f}", km


def _too_short(visit: Member) -> Iterator[tuple[str, str, str, str | None, str]]:
    data = visit.words.data
    if not data.get("started_at") or not data.get("ended_at"):
        return
    lasted = datetime.fromisoformat(data["ended_at"]) - datetime.fromisoformat(data["started_at"])
    if lasted < SHORTEST:
        seconds = round(lasted / timedelta(seconds=1))
        bound = round(SHORTEST / timedelta(seconds=1))
        yield f"历时{seconds}秒", f"it lasted {seconds} seconds", "seconds", str(bound), str(seconds)


def _leaves_something(data: Mapping[str, Any]) -> bool:
    return bool((data.get("started_at") and data.get("ended_at")) or data.get("position") or data.get("attachments"))


def _keys(entry: Entry, words: Words) -> list[Key]:
    visit = words.type == "inspection.recorded" and words.data["mode"] == "on_site"
    return [("subject", entry.subject)] if visit else []


def _sign(duty: Entry, visit: Member, reasons: list[tuple[str, str, str, str | None, str]]) -> Sign:
    data, on = duty.data, visit.words.data["occurred_on"]
    migrated = visit.entry.channel == "migration"
    poor = (visit.words.data.get("position") or {}).get("accuracy_m", 0) > FAR_M
    zh = "；".join(one[0] for one in reasons)
    en = "; ".join(one[1] for one in reasons)
    return Sign(
        matter=f"{data['duty']} {visit.entry.source} {visit.entry.id}",
        office=visit.entry.source,
        subject=visit.entry.subject,
        regime=data["regime"],
        zh=f"{data['clause']}的职责报为已由{zh_day(on)}的现场检查履行；该检查{zh}。",
        en=f"The duty under {data['clause']} is told performed by the visit of {en_day(on)}; {en}.",
        entry=shown(visit.entry, "visit"),
        shown=(shown(visit.entry, "visit"), *((shown(visit.reworded, "correction"),) if visit.reworded else ())),
        concerns=officers(visit),
        values=tuple((name, value, bound) for _, _, name, bound, value in reasons),
        supported=frozenset({*(("entered_from_paper",) if migrated else ()), *(("poor_position",) if poor else ())}),
    )


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "puts_right"),)
    return ended(sign, why, "按现有记录，该职责的履行已无上述情形。", "As the records stand now, nothing of the kind is left.")
