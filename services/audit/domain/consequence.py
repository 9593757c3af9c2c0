"""What the rules would have for an entry that was late or untrue, were it confirmed (五(三) ¶3, ¶4). Proposed, for people to decide.

Circulated criticism needs an entry late or untrue *and* a grade that was affected; a referral needs purpose, which only a hearing finds.
Of a matter that a hearing cleared nothing is proposed, nor of what it did only together with others.
By which days a grade was affected, how an approval is supposed, and whose a joint effect is, are dated parameters of the rulebook
(R22–R24), read on the day of the entry's deadline, or of the entry itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from schemas.rulebook import Rulebook
from services.audit.domain.hearings import SILENT, Word

Kind = Literal["none", "circulated_criticism", "referral_for_accountability"]
DAYS, APPROVALS, JOINT, REFERRAL = (f"accountability_{name}" for name in ("days", "approvals", "joint", "referral"))
CLEARED = (
    "听取意见后已澄清：这一发现不成立，不对任何人提出后果。",
    "Cleared in the hearing: the finding does not stand, and nothing is proposed against anybody.",
)
OF_WHOLE = (
    "所录入的不是这家企业自身的事项；录入的后果见该对象自己的评估，门店录入影响连锁等级是否计入，由人决定。",
    "The entry is not about this enterprise: what follows from it is told with its own subject's grades, and whether the grade of a whole "
    "counts is for people to decide.",
)
_SET_ASIDE = (
    "认定故意的决定已不再有效；后果待当日结束后重新算出。",
    "The decision that found purpose no longer holds; what follows is worked out anew once the day has closed.",
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Days with another grade shown than supposed, under one assumption about approvals; ``standing``: those that hold by all known.

    ``own``, ``any``: days made only together with others, of its office or of any."""

    shown: int
    standing: int
    own: int = 0
    any: int = 0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is weighed. ``certain``: however approval would have come; ``as_long``; ``possible``: at most. ``determined``: that the entry
    is late or untrue is found; a sign of it alone is not. ``word``: what the hearing says, as far as it got."""

    certain: Counted
    as_long: Counted
    possible: Counted
    determined: bool
    word: Word = SILENT


@dataclass(frozen=True, slots=True)
class Proposed:
    """``days``: those that drove it, as the rulebook counts them."""

    kind: Kind
    clause: str | None
    days: int
    readings: tuple[str, ...]
    zh: str
    en: str


def consequence(rulebook: Rulebook, on: date, found: Weighed) -> Proposed:
    """The proposal, by what the rulebook says on a day. A rulebook that says nothing of it proposes nothing."""
    if found.word.cleared:
        return Proposed("none", None, 0, (), *CLEARED)
    named = {one.name: one for one in rulebook.parameters}
    dated = {name: one.dated_at(on) if (one := named.get(name)) else None for name in (DAYS, APPROVALS, JOINT, REFERRAL)}
    counting, supposing, joint, referral = (dated[name] for name in (DAYS, APPROVALS, JOINT, REFERRAL))
    if counting is None or supposing is None or counting.value is None or supposing.value is None:
        zh, en = "评级规则没有规定录入逾期或不实的后果。", "The rulebook says nothing of what follows from such an entry."
        return Proposed("none", None, 0, (), zh, en)
    counted = {"certain": found.certain, "as_long": found.as_long, "possible": found.possible}[str(supposing.value)]
    days = counted.shown if counting.value == "shown" else counted.standing
    together = 0
    if joint is not None and joint.value in ("same_office", "always"):
        together = counted.own if joint.value == "same_office" else counted.any
    readings = [named[name].reading for name in (DAYS, APPROVALS, *((JOINT,) if together and not days else ()))]
    relied = tuple(sorted({one for one in readings if one}))
    if found.word.purpose and referral is not None and referral.value:
        zh, en = "听证认定故意录入虚假信息。", "A hearing found that what was entered was false on purpose."
        if not found.word.final:
            zh, en = f"{zh}该决定尚未终结。", f"{en} The decision is not final yet."
        return Proposed("referral_for_accountability", referral.clause, days, relied, zh, en)
    if not found.determined:
        zh, en = "只是迹象，尚未认定录入不实。", "It is a sign; that the entry is untrue was not determined."
        return Proposed("none", None, days, relied, zh, en)
    if days:
        zh = f"影响了显示的等级，按所用解读计{days}天。"
        en = f"The grade shown was another on {_days(days)}, as the readings count them."
        return Proposed("circulated_criticism", counting.clause, days, relied, zh, en)
    if together:
        zh = f"单独没有影响等级；与其他录入一起影响了{together}天。"
        en = f"Alone it changed no grade; together with other entries it did on {_days(together)}."
        return Proposed("circulated_criticism", counting.clause, together, relied, zh, en)
    zh, en = "按所用解读没有影响等级。", "As the readings count, no grade was affected."
    if found.possible.shown:
        zh += f"若批准更早，至多可能影响{found.possible.shown}天。"
        en += f" Had approval come earlier, up to {_days(found.possible.shown)} could have been."
    return Proposed("none", None, 0, relied, zh, en)


def holds(kind: str, word: Word) -> bool:
    """Whether a consequence that an assessment on record proposes can still be, as the hearing stands since: none where that cleared, no
    referral where nobody finds purpose any more."""
    return not word.cleared and (kind != "referral_for_accountability" or word.purpose)


def as_it_stands(told: Mapping[str, Any], word: Word) -> dict[str, Any]:
    """The consequence of an assessment on record, as the hearing stands since. ``told``: ``consequence`` of a ``finding.assessed``."""
    if holds(told["kind"], word):
        return dict(told)
    zh, en = CLEARED if word.cleared else _SET_ASIDE
    return {"kind": "none", "clause": None, "days": 0, "readings": [], "why_zh": zh, "why_en": en}


def _days(number: int) -> str:
    return f"{number} day" + ("" if number == 1 else "s")
