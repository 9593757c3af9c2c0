"""An entry of which it was determined that it is not true (``truth.determined``).

五(三) ¶3, ¶4: recorded untruthfully. The determination is a decision of a person who was not involved; this says no more than it does.
"False" stands on two sources of different origin; with fewer it says no more than "inaccurate". "Inaccurate" is an error and is never
called false. Whether it was on purpose is decided by a hearing.

A later determination takes the earlier's place: "true" and "undetermined" end the matter, as does what takes the determination itself
out of effect. That the office put the entry right itself doesn't end it: what was shown until then was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.events import CATALOGUE
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Effects
from services.audit.domain.detectors.groups import Matters
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Shown, Sign, shown
from services.audit.domain.detectors.saying import ended

DECLARED = Declared(
    kind="entry_untrue",
    version=1,
    about="entry",
    proposes="hearing",
    clause="五(三) ¶3",
    readings=("R18",),
    zh="录入经认定不真实或不准确",
    en="An entry determined to be untrue or inaccurate",
    rests_on_zh="由没有参与的人作出的真实性认定（五(三) ¶3）；认定不真实须有两个不同来源。",
    rests_on_en="A determination of truth by somebody who was not involved (五(三) ¶3); false needs two sources of different origin.",
    explanations=(
        Innocent("inaccurate", "属于差错，原始材料在案", "an error, whose source is there"),
        Innocent("put_right", "录入单位已自行更正", "the office put it right itself"),
        Innocent("source_was_wrong", "所依据的材料本身有误", "the paper it was entered from was wrong"),
        Innocent("decider_involved", "作出认定的人参与过该项录入", "who determined it had a part in the entry"),
        Innocent("under_review", "认定尚在复核", "the determination is under review"),
    ),
    clears_zh="后来的认定为真实或无法认定，或者该认定被撤回、撤销。",
    clears_en="A later determination says true or undetermined, or the determination is retracted or annulled.",
)

DETERMINED = "truth.determined"
_UNTRUE = ("inaccurate", "false")


class EntryUntrue:
    """Determinations by the entry that they are about. Any fact may be determined on, so all are kept."""

    declared = DECLARED
    types = frozenset(row.name for row in CATALOGUE.values() if row.route == "facts" and row.wired)

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()
        self._effects = Effects(self._ledger)
        self._matters = Matters()
        self._of: dict[acting.Name, list[int]] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        place = self._ledger.put(entry)
        entry = self._ledger.entry(place)
        if entry.type in acting.TYPES:
            for name in self._effects.take(entry, place):
                determination = self._ledger.find(*name)
                about = self._about(determination) if determination is not None else None
                for one in (name, about):
                    if one in self._of:
                        yield from self._judge(one, entry)
            return
        about = self._about(place)
        if about is None:
            if (entry.source, entry.id) in self._of:
                yield from self._judge((entry.source, entry.id), entry)
            return
        if place not in self._of.setdefault(about, []):
            self._of[about].append(place)
        yield from self._judge(about, entry)

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _about(self, place: int) -> acting.Name | None:
        entry = self._ledger.entry(place)
        return (entry.data["entry"]["source"], entry.data["entry"]["id"]) if entry.type == DETERMINED else None

    def _judge(self, about: acting.Name, cause: Entry) -> Iterator[Sign]:
        entries = (self._ledger.entry(place) for place in self._of[about])
        stand = sorted((one for one in entries if self._effects.words(one) is not None), key=lambda one: one.order)
        matter = " ".join(about)
        if not stand or stand[-1].data["result"] not in _UNTRUE:
            yield from self._matters.end(matter, lambda sign: _ended(sign, cause))
        else:
            yield from self._matters.say(self._sign(about, stand[-1]))

    def _sign(self, about: acting.Name, determination: Entry) -> Sign:
        data = determination.data
        origins = len({source["origin"] for source in data["sources"]})
        false = data["result"] == "false" and origins > 1
        place = self._ledger.find(*about)
        entry = self._ledger.entry(place) if place is not None else None
        own = [one for one in self._effects.acting(about) if one.type in acting.OWN and one.order < determination.order]
        people = [entry.data.get("entered_by"), *(entry.data.get("officers") or ())] if entry else []
        holds = {"inaccurate": not false, "put_right": bool(own), "decider_involved": data["decided_by"] in people}
        what = ("不真实", "false") if false else ("不准确", "inaccurate")
        place_zh = "" if data["took_place"] else "，所录事项并未发生"
        place_en = "" if data["took_place"] else "; what it says did not take place"
        return Sign(
            matter=" ".join(about),
            office=about[0],
            subject=determination.subject,
            regime=entry.data.get("regime") if entry else None,
            zh=f"{zh_day(data['occurred_on'])}的认定（{data['document_no']}）：该项录入{what[0]}{place_zh}；依据{len(data['sources'])}项材料，"
            f"出自{origins}个来源。",
            en=f"The determination of {en_day(data['occurred_on'])} ({data['document_no']}): the entry is {what[1]}{place_en}. It rests on "
            f"{_counted(len(data['sources']), 'source')} of {_counted(origins, 'origin')}.",
            entry=shown(entry, "entry") if entry else None,
            shown=(*((shown(entry, "entry"),) if entry else ()), shown(determination, "determination"), *_shown(own)),
            concerns=tuple(dict.fromkeys(filter(None, [entry.data.get("entered_by")] if entry else []))),
            values=(("result", what[1], None), ("origins", str(origins), "2" if false else None)),
            supported=frozenset(code for code, so in holds.items() if so),
        )


def _shown(own: Iterable[Entry]) -> tuple[Shown, ...]:
    return tuple(shown(one, "correction") for one in own)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "ends"),)
    return ended(sign, why, "现有认定不再认为该项录入不真实或不准确。", "No determination that stands calls the entry untrue.")
