"""A year's score whose total is not the maximum less the deductions. 三(一), R15.

The sum is arithmetic: it holds or it doesn't. Which of the numbers is the wrong one it doesn't say. A correction by which it adds up, or a
retraction, ends the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, shown
from services.audit.domain.detectors.same_number import officers
from services.audit.domain.detectors.saying import ended

_TAKEN, _MARK = "taken_with_a_mark", "sum-wrong"
_SCORE = "score.recorded"


class DeductionsWrong:
    """Scores as they stand; groups of one, those that don't add up."""

    declared = Declared(
        kind="deductions_wrong",
        version=1,
        about="entry",
        proposes="correction",
        clause="三(一)",
        readings=("R15",),
        zh="评分与扣分不符",
        en="Deductions don't add up to the score",
        rests_on_zh="R15：得分等于满分减去各项扣分；录入和审计都重新相加。",
        rests_on_en="R15: the score is the maximum less the deductions; intake and audit add them up",
        explanations=(
            Innocent(_TAKEN, "其他系统导入，录入时已作标记", "taken from another system, which intake marked"),
            Innocent("item_left_out", "扣分项目漏录，总分无误", "a deduction was left out, and the total is right"),
        ),
        clears_zh="更正后的评分与扣分相符，或撤回该评分。",
        clears_en="A correction by which the score adds up, or its retraction.",
    )
    types = acting.TYPES | {_SCORE}

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()
        self._groups = Groups(self._ledger, _keys)
        self._matters = Matters()
        self._marked: set[Key] = set()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        """See ``Detector``."""
        if _MARK in entry.marks:
            self._marked.add((entry.source, entry.id))
        if entry.type == _SCORE and not _keys(entry, Words(_SCORE, entry.data)):
            # Kept for whatever corrects it.
            self._ledger.put(entry)
            return
        keys = self._groups.take(entry)
        zh, en = "该评分已更正或撤回，不再有不符之处。", "The score was corrected or retracted: nothing fails to add up any more."
        yield from self._matters.settle({key: self._signs(key) for key in keys}, lambda sign: ended(sign, [shown(entry, "ends")], zh, en))

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """Nothing waits for a day's end."""
        return ()

    def _signs(self, key: Key) -> list[Sign]:
        return [_sign(one, marked=key in self._marked) for one in self._groups.members(key)]


def should(words: Words) -> Decimal | None:
    """What the total should be where it is another, or a number is negative."""
    data = words.data
    maximum, total = Decimal(data["maximum"]), Decimal(data["total"])
    taken = [Decimal(one["points"]) for one in data["deductions"]]
    right = maximum - sum(taken)
    return None if min(taken, default=Decimal(0)) >= 0 and 0 <= total == right else right


def _keys(entry: Entry, words: Words) -> list[Key]:
    return [(entry.source, entry.id)] if words.type == _SCORE and should(words) is not None else []


def _sign(one: Member, *, marked: bool) -> Sign:
    entry, data = one.entry, one.words.data
    right, taken = should(one.words), sum(Decimal(each["points"]) for each in data["deductions"])
    reworded = [shown(one.reworded, "correction")] if one.reworded else []
    return Sign(
        matter=f"{entry.source} {entry.id}",
        office=entry.source,
        subject=entry.subject,
        regime=data["regime"],
        zh=f"{data['year']}年评分：满分{data['maximum']}，扣分合计{taken}，应为{right}，录入为{data['total']}。",
        en=f"Score of {data['year']}: maximum {data['maximum']} less deductions of {taken} gives {right}; entered as {data['total']}.",
        entry=shown(entry, "score"),
        shown=(shown(entry, "score"), *reworded),
        values=(("total", data["total"], str(right)), ("deductions", str(taken), None)),
        supported=frozenset({_TAKEN} if marked else ()),
        concerns=officers(one),
    )
