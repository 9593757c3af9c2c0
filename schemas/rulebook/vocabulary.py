"""The small vocabulary that every rulebook is written in. No regime is named here.

A *sanction* is what happened to a subject, as rating reads it from facts: one word each, whatever the event type was
(``services.rating.domain.acts`` makes them). A *unit* says what a parameter's value may be.
"""

from __future__ import annotations

from typing import Literal, get_args

from schemas.envelope import Channel
from schemas.events import CATALOGUE
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

Unit = Literal["points", "count", "days", "working_days", "months", "percent", "flag", "word", "words", "month_day"]
WHOLE_NUMBER_UNITS = ("count", "days", "working_days", "months", "percent")

# When a rule is looked at: at the periodic evaluation, at once when its cause takes effect, at once for a new enterprise
# that has no grade yet, or on the newest rated inspection.
Moment = Literal["evaluation", "immediate", "new_enterprise", "latest"]

# What a status means to the engine; its word and its names are the rulebook's own.
StatusRole = Literal["graded", "terminal", "new_enterprise", "not_yet_evaluated", "not_gradable", "declared", "interim"]

# What a rule's sentences may fill in, whatever its conditions; each kind of condition adds its own (``conditions``).
COMMON_PLACEHOLDERS = frozenset({"day", "period_first", "period_last"})
