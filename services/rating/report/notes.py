"""What has to be said beside a simulation, so that nobody takes an empty result for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.rating.analysis.changes import first_difference
from services.rating.analysis.simulation import Simulation

Note = tuple[str, str]
"""Chinese, English."""


def notes(found: Simulation, evaluations_after: Sequence[str] = ()) -> list[Note]:
    """``evaluations_after``: dates of evaluations that are entered and lie after the day compared."""
    said: list[Note] = []
    first = first_difference(list(found.changes))
    if not found.changes:
        said.append(("两份规则内容相同，没有什么可以变动。", "The two rulebooks say the same, so nothing can move."))
    elif first and first > found.as_of:
        said.append(_ahead(first, found.as_of))
    if not found.rated:
        said.append(
            (
                "数据中没有本制度所评的对象；请核对文件和规则是否相配。",
                "Nobody in the data is rated by this regime; check that file and rulebook belong together.",
            )
        )
    if found.old.book is not found.old.rated or found.new.book is not found.new.rated:
        said.append(
            (
                "比较的是条件成立的等级，视同即时批准；新规则下拟定的等级，谁也没有机会审批。",
                "Compared are the grades whose conditions are met, as if approved at once: what a new rule would propose nobody "
                "could have signed.",
            )
        )
    if evaluations_after:
        on = evaluations_after[0]
        said.append(
            (
                f"有评定的日期在所比日期之后（{on}），未计入；用 --as-of {on} 可以看到。",
                f"An evaluation is dated after the day compared ({on}) and does not count yet; --as-of {on} shows it.",
            )
        )
    return said


def _ahead(first: date, as_of: date) -> Note:
    return (
        f"新规则自 {first} 起才有不同，晚于所比日期 {as_of}，因此没有变动。要看有谁会变动，请在副本中把日期写早。",
        f"The new rulebook differs from {first} on, after the day compared ({as_of}), so nobody moves. "
        "To see who would move, write an earlier date in the copy.",
    )
