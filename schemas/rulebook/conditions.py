"""The kinds of condition that a rule may put together. ``kind`` decides; every bound is the name of a parameter.

Windows: ``period`` is the evaluated period (both days inclusive); a parameter in months is the span that ends with the
period's last day, and, for counting at once, with the day of the act that completes the count (R3, R6).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from schemas import fields as f
from schemas.fields import Frozen


class Growing(Frozen):
    """``later``: keys that the vocabulary gained after rulebooks were in use. Where they say nothing they are left out of the
    canonical form: a rulebook that doesn't use them keeps its digest, and what was activated by it stays in force."""

    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_silent_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = handler(self)
        return {key: value for key, value in said.items() if value is not None or key not in self.later}


class Acts(Frozen):
    """Holds when acts of the set took effect within the window: one, or ``count`` of them within ``within`` months."""

    fills: ClassVar[frozenset[str]] = frozenset({"found", "needed", "documents", "first", "last", "sanctions", "violations"})
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

    fills: ClassVar[frozenset[str]] = frozenset({"found", "needed", "violation", "documents", "first", "last", "sanctions", "violations"})
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


class ComponentSum(Growing):
    """Holds when the components' sum is at most the one parameter and more than the other; one of them is enough.

    ``of: closing`` looks at the scores of the inspection that closed the premises, where this one lets them open again."""

    later: ClassVar[frozenset[str]] = frozenset({"above", "of"})
    fills: ClassVar[frozenset[str]] = frozenset({"sum", "sum_bound", "sum_above"})
    parameters: ClassVar[dict[str, str]] = {"at_most": "points", "above": "points"}
    kind: Literal["component_sum"]
    at_most: f.Word | None = None
    above: f.Word | None = None
    of: Literal["closing"] | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> ComponentSum:
        if self.at_most is None and self.above is None:
            raise ValueError("a sum needs at_most, above, or both")
        return self


class ComponentEach(Frozen):
    """Holds when no single component is above the parameter."""

    fills: ClassVar[frozenset[str]] = frozenset({"highest", "highest_bound"})
    parameters: ClassVar[dict[str, str]] = {"at_most": "points"}
    kind: Literal["component_each"]
    at_most: f.Word


class OfKind(Frozen):
    """Holds when the inspection is of one of the kinds that the parameter names."""

    fills: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[dict[str, str]] = {"any_of": "words"}
    kind: Literal["inspection_kind"]
    any_of: f.Word


class SoonAfter(Frozen):
    """Holds when fewer than so many days lie between the inspection and the newest one before it of the kinds named."""

    fills: ClassVar[frozenset[str]] = frozenset({"since", "days"})
    parameters: ClassVar[dict[str, str]] = {"any_of": "words", "fewer_than": "days"}
    kind: Literal["soon_after"]
    any_of: f.Word
    fewer_than: f.Word


class OutcomePending(Frozen):
    """Holds when the office says that the inspection's outcome is still open."""

    fills: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[dict[str, str]] = {}
    kind: Literal["outcome_pending"]


class ClosureIs(Frozen):
    """Holds when the inspection closed the premises, kept them closed or let them open again, as the parameter names it."""

    fills: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[dict[str, str]] = {"any_of": "words"}
    kind: Literal["closure"]
    any_of: f.Word


class ClosedAt(Frozen):
    """Holds when the inspection lets premises open again that were closed at an inspection of one of the kinds named; ``unknown``
    stands for an inspection that the register doesn't hold."""

    fills: ClassVar[frozenset[str]] = frozenset({"closed_on"})
    parameters: ClassVar[dict[str, str]] = {"any_of": "words"}
    kind: Literal["closed_at"]
    any_of: f.Word


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


# About one inspection and those before it: they can hold only where the newest inspection decides.
OfInspections = OfKind | SoonAfter | OutcomePending | ClosureIs | ClosedAt
Condition = Annotated[
    Acts | NoActs | InSuccession | Score | Points | ComponentSum | ComponentEach | OperatedFor | Otherwise | OfInspections,
    Field(discriminator="kind"),
]
OF_INSPECTIONS: tuple[type[Frozen], ...] = (OfKind, SoonAfter, OutcomePending, ClosureIs, ClosedAt)
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
    *OF_INSPECTIONS,
)
# A cause is a condition that becomes true by an act on a day; a rule that works at once needs exactly one.
CAUSES = (Acts, InSuccession)
