"""Inspection, sampling, cases, scores (五(二) categories)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas import fields as f
from schemas.events.base import Act, DocumentAct, check_term, event_type
from schemas.fields import Frozen, government, public

InspectionKind = Literal["routine", "special", "complaint", "recheck", "initial", "licensing", "reopening"]
# What an inspection did about the premises being open: closed them, kept them closed, let them open again.
Closure = Literal["ordered", "kept", "lifted"]
InspectionMode = Literal["on_site", "written", "remote"]
CaseOutcome = Literal["penalised", "violation_no_penalty", "no_violation", "transferred"]


class Item(Frozen):
    """One line of a checklist."""

    code: f.ViolationCode = public()
    result: Literal["pass", "fail", "not_applicable", "not_checked"] = public()
    remark: f.Text | None = government(default=None)


class ComponentScore(Frozen):
    """A component that a regime scores on its own (FHRS: hygiene, structural, confidence_in_management)."""

    component: f.Word = public()
    points: f.Points = public()


@event_type("inspection.recorded", zh="检查记录", en="Inspection recorded", wired=True)
class InspectionRecorded(Act):
    """``violations`` are codes found this time; ``corrected`` codes found to be put right (R6).

    ``published_outcome`` is what a published register said of this inspection: something to compare with, never an input.
    ``closure``: the premises were closed at it, kept closed, or allowed to open again."""

    kind: InspectionKind = public()
    mode: InspectionMode = public()
    document_no: f.DocumentNo | None = public(default=None)
    items: tuple[Item, ...] | None = public(default=None, max_length=200)
    violations: tuple[f.ViolationCode, ...] | None = public(default=None, max_length=50)
    corrected: tuple[f.ViolationCode, ...] | None = public(default=None, max_length=50)
    regime: f.Regime | None = public(default=None)
    component_scores: tuple[ComponentScore, ...] | None = public(default=None, max_length=20)
    published_outcome: f.Name | None = public(default=None)
    outcome_pending: bool | None = public(default=None)
    closure: Closure | None = public(default=None)

    @model_validator(mode="after")
    def _components_once(self) -> InspectionRecorded:
        names = [score.component for score in self.component_scores or ()]
        if len(names) != len(set(names)):
            raise ValueError("component_scores names a component twice")
        return self


@event_type("sampling.recorded", zh="抽验记录", en="Sampling recorded", wired=True)
class SamplingRecorded(Act):
    """A sample taken and its result. ``sample_no`` ties a result to the ``pending`` entry that it ends."""

    sample_no: f.DocumentNo | None = public(default=None)
    product: f.Name = public()
    batch_no: f.Name | None = public(default=None)
    result: Literal["qualified", "unqualified", "pending"] = public()
    report_no: f.DocumentNo | None = public(default=None)
    result_on: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _result_after_sample(self) -> SamplingRecorded:
        check_term(self.occurred_on, self.result_on, "result_on")
        return self


@event_type("case.opened", zh="立案", en="Case opened", wired=True)
class CaseOpened(Act):
    case_no: f.DocumentNo = public()
    violations: tuple[f.ViolationCode, ...] = government(min_length=1, max_length=50)


@event_type("case.closed", zh="结案", en="Case closed", wired=True)
class CaseClosed(Act):
    """``violation_no_penalty``: a violation established for which nothing was imposed (R5)."""

    case_no: f.DocumentNo = public()
    outcome: CaseOutcome = public()
    violations: tuple[f.ViolationCode, ...] | None = public(default=None, max_length=50)


@event_type("obstruction.determined", zh="拒绝阻挠认定", en="Obstruction determined", wired=True)
class ObstructionDetermined(DocumentAct):
    """三(二)4(3): two officers, a served determination, and the subject's reply or the chance of one."""

    act: Literal["inspection", "sampling", "request_for_material", "case_investigation"] = public()
    reply: Literal["given", "chance_given"] = public()

    @model_validator(mode="after")
    def _two_officers(self) -> ObstructionDetermined:
        if len(set(self.officers or ())) < 2:
            raise ValueError("officers must name two different officers")
        return self


class Deduction(Frozen):
    """Points taken off under an item of the scoring standard (R15)."""

    item: f.ViolationCode = public()
    points: f.Amount = public()


@event_type("score.recorded", zh="评分记录", en="Score recorded", wired=True)
class ScoreRecorded(Act):
    """The year's score (R9). The total is ``maximum`` less the deductions; intake and audit add them up (R15)."""

    regime: f.Regime = public()
    year: Annotated[int, Field(ge=1949, le=2199)] = public()
    maximum: f.Amount = public()
    deductions: tuple[Deduction, ...] = public(max_length=200)
    total: f.Amount = public()
    final: bool = public()
    standard: f.Name = public()

    def adds_up(self) -> bool:
        """True when maximum − Σ deductions = total and nothing is negative."""
        taken = [Decimal(one.points) for one in self.deductions]
        total = Decimal(self.total)
        return all(points >= 0 for points in taken) and 0 <= total == Decimal(self.maximum) - sum(taken)


@event_type("rectification.reported", zh="整改报告", en="Rectification reported", wired=True)
class RectificationReported(Act):
    """The enterprise's written report that it put violations right (四(二)1); the recheck decides whether it did."""

    violations: tuple[f.ViolationCode, ...] = public(min_length=1, max_length=50)
    statement: f.Text = government()


@event_type("self_inspection.reported", zh="自查报告", en="Self-inspection reported", wired=True)
class SelfInspectionReported(Act):
    """The enterprise's own report in place of a visit (四(一) ¶2 1). ``regime`` and ``year``: the duty that it performs."""

    regime: f.Regime | None = public(default=None)
    year: Annotated[int, Field(ge=1949, le=2199)] | None = public(default=None)
    items: tuple[Item, ...] = government(max_length=200)
