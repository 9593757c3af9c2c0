"""A year's score whose total is not the maximum less the deductions. 三(一), R15.

The sum is arithmetic: it holds or it doesn't. Which of the numbers is the wrong one it doesn't say.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, shown

_TAKEN = "taken_with_a_mark"
_MARK = "sum-wrong"


class DeductionsWrong:
    """A fold without memory."""

    declared = Declared(
        kind="deductions_wrong",
        version=1,
        about="entry",
        proposes="correction",
        clause="三(一)",
        readings=("R15",),
        zh="评分与扣分不符",
        en="Deductions don't add up to the score",
        rests_on="R15: the score is the maximum less the deductions; intake and audit add them up",
        explanations=(
            Innocent(_TAKEN, "其他系统导入，录入时已作标记", "Taken from another system, which intake marked"),
            Innocent("item_left_out", "扣分项目漏录，总分无误", "A deduction was left out, and the total is right"),
        ),
        clears_zh="更正后的评分与扣分相符，或撤回该评分。",
        clears_en="A correction by which the score adds up, or its retraction.",
    )
    types = frozenset({"score.recorded"})

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``."""
        data = entry.data
        maximum, total = Decimal(data["maximum"]), Decimal(data["total"])
        taken = [Decimal(one["points"]) for one in data["deductions"]]
        should = maximum - sum(taken)
        if min(taken, default=Decimal(0)) >= 0 and 0 <= total == should:
            return
        yield Sign(
            matter=f"{entry.source} {entry.id}",
            office=entry.source,
            subject=entry.subject,
            regime=data["regime"],
            zh=f"{data['year']}年评分：满分{maximum}，扣分合计{sum(taken)}，应为{should}，录入为{total}。",
            en=f"Score of {data['year']}: maximum {maximum} less deductions of {sum(taken)} gives {should}; entered as {total}.",
            entry=shown(entry, "score"),
            values=(("total", str(total), str(should)), ("deductions", str(sum(taken)), None)),
            supported=frozenset({_TAKEN} if _MARK in entry.marks else ()),
            concerns=tuple(dict.fromkeys(one for one in (data.get("entered_by"), *(data.get("officers") or ())) if one)),
        )

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """Nothing waits for a day's end."""
        return ()
