"""The small vocabulary that every rulebook is written in. No regime is named here.

A *sanction* is what happened to a subject, as rating reads it from facts: one word each, whatever the event type was
(``services.rating.domain.acts`` makes them). A *unit* says what a parameter's value may be.
"""

from __future__ import annotations

from typing import Literal, get_args

from schemas.envelope import Channel
from schemas.events import CATALOGUE
from schemas.events.enterprise import Manner
from schemas.events.penalty import LegalField
from schemas.events.supervision import CaseOutcome, Closure, InspectionKind, InspectionMode

Sanction = Literal[
    "warning",
    "announcement",
    "correction_order",
    "criticism",
    "fine",
    "confiscation_of_gains",
    "confiscation_of_property",
    "advertising_approval_revoked",
    "approval_certificate_revoked",
    "suspension_ordered",
    "permit_withheld",
    "permit_partly_revoked",
    "permit_revoked",
    "business_licence_withheld",
    "business_licence_revoked",
    "detention",
    "crime",
    "crime_not_final",
    "obstruction",
    "violation_found",
    "violation_established",
    "closed",
    "deregistered",
    "licence_revoked",
]
SANCTIONS: tuple[str, ...] = get_args(Sanction)
# What a sentence calls a sanction, in Chinese and in English.
SANCTION_NAMES: dict[str, tuple[str, str]] = {
    "warning": ("警告", "a warning"),
    "announcement": ("公告", "an announcement"),
    "correction_order": ("责令改正", "an order to correct"),
    "criticism": ("通报批评", "circulated criticism"),
    "fine": ("罚款", "a fine"),
    "confiscation_of_gains": ("没收违法所得", "confiscation of illegal gains"),
    "confiscation_of_property": ("没收非法财物", "confiscation of illegal property"),
    "advertising_approval_revoked": ("撤销广告批准文号", "revocation of an advertising approval"),
    "approval_certificate_revoked": ("撤销批准证明文件", "revocation of an approval certificate"),
    "suspension_ordered": ("责令停产停业", "an order to suspend business"),
    "permit_withheld": ("暂扣许可证", "withholding of the permit"),
    "permit_partly_revoked": ("吊销部分许可", "revocation of the permit in part"),
    "permit_revoked": ("吊销许可证", "revocation of the permit"),
    "business_licence_withheld": ("暂扣营业执照", "withholding of the business licence"),
    "business_licence_revoked": ("吊销营业执照", "revocation of the business licence"),
    "detention": ("拘留", "detention"),
    "crime": ("犯罪判决", "a judgment for a crime"),
    "crime_not_final": ("未生效的犯罪判决", "a judgment for a crime that is not final"),
    "obstruction": ("拒绝、阻挠", "refusal or obstruction"),
    "violation_found": ("检查发现的违法行为", "a violation found by an inspection"),
    "violation_established": ("立案查实的违法行为", "a violation established by a case"),
    "closed": ("停业", "closing"),
    "deregistered": ("注销", "deregistration"),
    "licence_revoked": ("吊销执照", "revocation of the licence"),
}

LEGAL_FIELDS: tuple[str, ...] = get_args(LegalField)
INSPECTION_KINDS: tuple[str, ...] = get_args(InspectionKind)
CLOSURES: tuple[str, ...] = get_args(Closure)
INSPECTION_MODES: tuple[str, ...] = get_args(InspectionMode)
CASE_OUTCOMES: tuple[str, ...] = get_args(CaseOutcome)
# In the place of an inspection's kind: the register doesn't hold the inspection that closed the premises.
NOT_ON_RECORD = "unknown"
CHANNELS: tuple[str, ...] = get_args(Channel)
# Facts as the rulebooks name them: ``penalty.decided`` is ``penalty_decided``.
ACTIVITIES: tuple[str, ...] = tuple(sorted(one.name.replace(".", "_") for one in CATALOGUE.values() if one.route == "facts"))
# R9: which of two final scores of one year counts.
OF_TWO_FINALS = ("first", "lowest")
# R4: what an enterprise without a start of operation on record is.
START_UNKNOWN = ("new", "not_new")

# R7: what counts as one penalty of another department.
COUNTED_BY = ("decision", "act")

# R19: in which ways an enterprise is succeeded.
MANNERS: tuple[str, ...] = get_args(Manner)
# R17: by the law of the day on which an act happened, or of the day by which it is judged.
ACTS_BY = ("act_day", "judging_day")

# R22: which days say that an entry affected a grade: as they were shown, or those of them that also hold by all that is known.
DAYS_COUNTED = ("shown", "standing")
# R23: how an approval is supposed that nobody was asked for: every one must come to the same, as long as it really took, or any.
APPROVALS_SUPPOSED = ("certain", "as_long", "possible")
# R24: whether what several entries did only together is each one's.
JOINT_EFFECT = ("never", "same_office", "always")

Unit = Literal["points", "count", "days", "working_days", "months", "percent", "flag", "word", "words", "month_day"]
WHOLE_NUMBER_UNITS = ("count", "days", "working_days", "months", "percent")

# When a rule is looked at: at the periodic evaluation, at once when its cause takes effect, at once for a new enterprise
# that has no grade yet, on the newest rated inspection, or over the parts of a whole.
Moment = Literal["evaluation", "immediate", "new_enterprise", "latest", "parts"]

# What a status means to the engine; its word and its names are the rulebook's own.
StatusRole = Literal["graded", "terminal", "new_enterprise", "not_yet_evaluated", "not_gradable", "declared", "interim"]

# What a rule's sentences may fill in, whatever its conditions; each kind of condition adds its own (``conditions``).
COMMON_PLACEHOLDERS = frozenset({"day", "period_first", "period_last"})
