"""Plain warnings beside a quality report: what stands on too few subjects, and what can't be said at all."""

from __future__ import annotations

from collections.abc import Iterator

from services.rating.analysis.discrimination import FEW_OF_A_KIND, Area
from services.rating.analysis.proportions import FEW
from services.rating.analysis.quality import Followed, Quality
from services.rating.report.notes import Note


def notes(found: Quality, wanted: str) -> list[Note]:
    """``wanted``: the act set that was asked for as the outcome."""
    return list(_notes(found, wanted))


def _notes(found: Quality, wanted: str) -> Iterator[Note]:
    if not found.cohorts:
        yield (
            "数据中没有一次评定，也没有满一年的评级，无从判断。",
            "The data hold no evaluation and no full year of ratings, so nothing can be judged.",
        )
        return
    if found.outcome is None:
        known = ", ".join(sorted(found.scene.book.rulebook.sets)) or "–"
        yield (
            f"规则中没有名为 {wanted} 的行为集合，因此没有“其后一年受处罚”的数字（--outcome 可另选：{known}）。",
            f"The rulebook has no act set {wanted!r}, so nothing is said of penalties that followed (--outcome names another: {known}).",
        )
        return
    if not found.followed:
        yield (
            "没有一个评定日之后已满十二个月，因此还不能说等级预示了什么。",
            "For no cohort the twelve months after it are over yet, so it can't be said what followed the grades.",
        )
        return
    yield from _of_first(found.followed[0])


def _of_first(first: Followed) -> Iterator[Note]:
    few = [grade for grade, one in first.shares.items() if 0 < one.n < FEW]
    if few:
        yield (
            f"{'、'.join(few)} 级：不足 {FEW} 个观察，比例的区间很宽，不宜据以下结论。",
            f"Fewer than {FEW} observations of {', '.join(few)}: the interval of the share is wide, draw no conclusion from it.",
        )
    empty = [grade for grade, one in first.shares.items() if not one.n]
    if empty:
        yield (f"{'、'.join(empty)} 级没有观察。", f"There is no observation of {', '.join(empty)}.")
    if first.by_grade is None:
        yield (
            "其后十二个月内没有人受处罚，或人人受处罚，因此没有区分度可算。",
            "Nobody, or everybody, was penalised in the months that followed, so there is no discrimination to measure.",
        )
    elif first.by_grade.few:
        yield _few_of_a_kind(first.by_grade)
    if len(first.days) > 1:
        yield (
            f"合计把 {len(first.days)} 个评定日放在一起，同一对象可出现多次：AUC 的区间已按对象成组计算；"
            "比例的区间和趋势检验把各次观察当作独立，实际把握略低于所示。",
            f"The pooled figures put {len(first.days)} cohorts together, so a subject may count several times: the AUC's interval "
            "groups by subject; the shares' intervals and the trend test take observations as independent and look a little surer "
            "than they are.",
        )


def _few_of_a_kind(one: Area) -> Note:
    return (
        f"受处罚的只有 {one.hits} 个、未受处罚的 {one.others} 个；少于 {FEW_OF_A_KIND} 个时 AUC 的区间不可靠。",
        f"Only {one.hits} were penalised and {one.others} were not; with fewer than {FEW_OF_A_KIND} of a kind the AUC's interval "
        "is not to be relied on.",
    )
