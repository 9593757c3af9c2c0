"""The kinds of condition that a rule may put together. ``kind`` decides; every bound is the name of a parameter.

Windows: ``period`` is the evaluated period (both days inclusive); a parameter in months is the span that ends with the
period's last day, and, for counting at once, with the day of the act that completes the count (R3, R6).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas import fields as f
from schemas.fields import Frozen


class Acts(Frozen):
    """Holds when acts of the set took effect within the window: one, or ``count`` of them within ``within`` months."""

    fills: ClassVar[frozenset[str]] = frozenset({"found", "needed", "documents", "first", "last"})
    parameters: ClassVar[dict[str, str]] = {"count": "count", "within": "months", "legal_fields": "words"}
    kind: Literal["acts"]
    acts: f.Word
    legal_fields: f.Word | None = None
    only_concepts: tuple[f.Word, ...] = ()
    except_concepts: tuple[f.Word, ...] = ()
    quantity: Literal["acts", "approvals"] = "acts"
    count: f.Word | None = None
    within: f.Word | None = None

    @model_validator(mode="after")
    def _count_has_a_span(self) -> Acts:
        if (self.count is None) != (self.within is None):
            raise ValueError("count and within go together: so many acts within so many months")
        if self.quantity == "approvals" and self.count is None:
            raise ValueError("quantity says what is counted, so it needs count and within")
        return self


class NoActs(Frozen):
    """Holds when no act of the set took effect in the months (a parameter) that end with the period."""

    fills: ClassVar[frozenset[str]] = frozenset({"months"})
    parameters: ClassVar[dict[str, str]] = {"within": "months", "legal_fields": "words"}
    kind: Literal["no_acts"]
    acts: f.Word
    legal_fields: f.Word | None = None
    within: f.Word


class InSuccession(Frozen):
    """R6: the same violation code again, after the act before it was served and its term to correct has run out,
    within so many months of that service, with no inspection in between that found it corrected. ``term_needed``: an act that
    orders correction without a term begins none."""

    fills: ClassVar[frozenset[str]] = frozenset({"found", "needed", "violation", "documents", "first", "last"})
    parameters: ClassVar[dict[str, str]] = {
        "count": "count",
        "within": "months",
        "sanctions": "words",
        "legal_fields": "words",
        "after_term": "flag",
        "broken_by_correction": "flag",
        "term_needed": "flag",
    }
    kind: Literal["in_succession"]
    sanctions: f.Word
    legal_fields: f.Word | None = None
    except_concepts: tuple[f.Word, ...] = ()
    count: f.Word
    within: f.Word
    after_term: f.Word
    broken_by_correction: f.Word
    term_needed: f.Word | None = None


class Score(Frozen):
    """Holds when the period's final score lies in the band: ``at_least`` belongs to it, ``below`` doesn't (R1)."""

    fills: ClassVar[frozenset[str]] = frozenset({"score", "bound", "upper"})
    parameters: ClassVar[dict[str, str]] = {"at_least": "points", "below": "points"}
    kind: Literal["score"]
    at_least: f.Word | None = None
    below: f.Word | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Score:
        if self.at_least is None and self.below is None:
            raise ValueError("a score band needs at_least, below, or both")
        return self


class Points(Frozen):
    """Holds when what the table's deductions leave of full marks lies in the band, over the acts that took effect in the period:
    ``at_least`` belongs to it, ``below`` doesn't (ADR 0020)."""

    fills: ClassVar[frozenset[str]] = frozenset({"points", "full", "deducted", "deductions", "bound", "upper"})
    parameters: ClassVar[dict[str, str]] = {"at_least": "points", "below": "points"}
    kind: Literal["points"]
    table: f.Word
    at_least: f.Word | None = None
    below: f.Word | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Points:
        if self.at_least is None and self.below is None:
            raise ValueError("a band of points needs at_least, below, or both")
        return self


class ComponentSum(Frozen):
    """Holds when the components' sum is at most the parameter."""

    fills: ClassVar[frozenset[str]] = frozenset({"sum", "sum_bound"})
    parameters: ClassVar[dict[str, str]] = {"at_most": "points"}
    kind: Literal["component_sum"]
    at_most: f.Word


class ComponentEach(Frozen):
    """Holds when no single component is above the parameter."""

    fills: ClassVar[frozenset[str]] = frozenset({"highest", "highest_bound"})
    parameters: ClassVar[dict[str, str]] = {"at_most": "points"}
    kind: Literal["component_each"]
    at_most: f.Word


class OperatedFor(Frozen):
    """三(三), R4: so many months of actual operation lie before the period's end or within it; interruptions don't count."""

    fills: ClassVar[frozenset[str]] = frozenset({"operating_months"})
    parameters: ClassVar[dict[str, str]] = {"months": "months"}
    kind: Literal["operated_for"]
    months: f.Word


class Otherwise(Frozen):
    """Holds when no rule without this condition holds."""

    fills: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[dict[str, str]] = {}
    kind: Literal["otherwise"]


Condition = Annotated[
    Acts | NoActs | InSuccession | Score | Points | ComponentSum | ComponentEach | OperatedFor | Otherwise,
    Field(discriminator="kind"),
]
CONDITION_KINDS: tuple[type[Frozen], ...] = (
    Acts,
    NoActs,
    InSuccession,
    Score,
    Points,
    ComponentSum,
    ComponentEach,
    OperatedFor,
    Otherwise,
)
# A cause is a condition that becomes true by an act on a day; a rule that works at once needs exactly one.
CAUSES = (Acts, InSuccession)
