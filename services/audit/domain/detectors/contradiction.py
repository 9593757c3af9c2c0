"""Inspection, sampling, case and score that can't all be so, by their own words.

五(三) ¶3: recorded untruthfully. The rules, each certain by the words of the entries:

1. ``item_both_ways``: an inspection passes an item and finds its violation.
2. ``passed_beside_case``: an inspection passes an item on the day on which a case is opened for its violation. Not by a re-check: that
   says how it is now, the case what was.
3. ``opposite_inspections``: of two inspections of a day one passes an item that the other finds violated. Not where the later one is a
   re-check or names it corrected, and not between regimes.
4. ``closed_without_violation_yet_penalised``: the case was closed as no violation, and a penalty of the case was decided.
5. ``case_closed_two_ways``: one case number of an office, two outcomes.
6. ``sample_two_results``: one sample number, qualified and unqualified. A pending result followed by its end is none.
7. ``full_score_despite``: a sample failed, the inspection of that day found nothing, and the year's final score takes nothing off.

Corrections, retractions and annulments are taken into account: what stands no more contradicts nothing, and the matter ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.contradicting import Clash, clashes
from services.audit.domain.detectors.groups import Groups, Key, Matters
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.same_number import officers
from services.audit.domain.detectors.saying import ended

DECLARED = Declared(
    kind="contradiction",
    version=1,
    about="entry",
    proposes="hearing",
    clause="五(三) ¶3",
    readings=("R9", "R18"),
    zh="检查、抽验、办案记录互相矛盾",
    en="Inspection, sampling and case contradict each other",
    rests_on_zh="五(三) ¶3：每条规则都从录入本身的文字确定得出：两者不可能都属实。",
    rests_on_en="五(三) ¶3. Each rule is certain by the entries' own words: both can't be so.",
    explanations=(
        Innocent("code_mistyped", "录入时写错了条目代码或编号", "a code or number was mistyped"),
        Innocent("two_looks", "同日两次查看，情形已变", "two looks on one day, and things had changed between them"),
        Innocent("another_source", "立案依据不是当日的检查", "the case rests on another source than the day's inspection"),
        Innocent("other_office", "两项记录出自不同办公室", "the records are of different offices, which did not know of each other"),
    ),
    clears_zh="其中一项被更正、撤回或撤销，或者现场记录表明两者并不矛盾。",
    clears_en="One of the records is corrected, retracted or annulled, or the papers of the day show how both are so.",
)


class Contradiction:
    """Groups by subject and day, case number, sample number, subject and year."""

    declared = DECLARED
    types = acting.TYPES | {
        *("inspection.recorded", "sampling.recorded", "case.opened", "case.closed", "penalty.decided", "score.recorded"),
    }

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._groups = Groups(ledger or Ledger(), _keys)
        self._matters = Matters()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        keys = [key for key in self._concerned(self._groups.take(entry)) if key[0] == "inspection" or not self._groups.alone(key)]
        found = {key: [_sign(one) for one in clashes(key, self._groups.members)] for key in keys}
        yield from self._matters.settle(found, lambda sign: _ended(sign, entry))

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _concerned(self, keys: Iterable[Key]) -> list[Key]:
        """A year's full score is held against the days of its failed samples."""
        found: dict[Key, None] = {}
        for key in keys:
            if key[0] == "year":
                days = (("day", key[1], one.words.data["occurred_on"]) for one in self._groups.members(key) if "result" in one.words.data)
                found |= dict.fromkeys(days)
            else:
                found[key] = None
        return list(found)


def _keys(entry: Entry, words: Words) -> list[Key]:
    data, subject = words.data, entry.subject
    day = ("day", subject, data["occurred_on"])
    if words.type == "inspection.recorded":
        both = data.get("violations") and any(one["result"] == "pass" for one in data.get("items") or ())
        return [day, ("inspection", entry.source, entry.id)] if both else [day]
    if words.type == "sampling.recorded":
        sample = [("sample", entry.source, data["sample_no"])] if data.get("sample_no") else []
        return [*sample, *([day, ("year", subject, data["occurred_on"][:4])] if data["result"] == "unqualified" else [])]
    if words.type == "case.opened":
        return [day]
    if words.type in ("case.closed", "penalty.decided"):
        return [("case", entry.source, data["case_no"])] if data.get("case_no") else []
    if words.type == "score.recorded" and data["final"] and Decimal(data["total"]) == Decimal(data["maximum"]):
        return [("year", subject, str(data["year"]))]
    return []


def _sign(clash: Clash) -> Sign:
    later = max(clash.members, key=lambda one: one.entry.order)
    others = (one for one in clash.members if one is not later)
    words = (shown(one.reworded, "correction") for one in clash.members if one.reworded)
    return Sign(
        matter=clash.matter,
        office=later.entry.source,
        subject=later.entry.subject,
        regime=next((found for one in clash.members if (found := one.words.data.get("regime"))), None),
        zh=clash.zh,
        en=clash.en,
        entry=shown(later.entry, "later_entry"),
        shown=(*(shown(one.entry, "contradicts") for one in others), shown(later.entry, "later_entry"), *words),
        concerns=officers(*clash.members),
        values=(("rule", clash.rule, None), *clash.values),
        supported=clash.supported,
    )


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "puts_right"),)
    return ended(sign, why, "按现时有效的记录，两者已不矛盾。", "As the records stand now, they no longer contradict each other.")
