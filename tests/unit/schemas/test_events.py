"""The catalogue: every type that was asked for is there, and every field says who may see it."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from schemas.envelope import check_data, lookup
from schemas.events import CATALOGUE
from schemas.events.base import Data
from schemas.fields import disclosure
from schemas.generate.page import nested_models
from schemas.ids import SCHEMES
from tests.unit.schemas.goldens import golden_event, goldens

# What the product must be able to say, phrase by phrase, and the types that say it.
ASKED_FOR: dict[str, tuple[str, ...]] = {
    "enterprise registered / changed / closed / succeeded": (
        "enterprise.registered",
        "enterprise.changed",
        "enterprise.closed",
        "enterprise.succeeded",
    ),
    "part joined / left": ("part.joined", "part.left"),
    "operation started / interrupted": ("operation.started", "operation.interrupted"),
    "permit applied for / granted / changed / suspended / revoked / expired": (
        "permit.applied_for",
        "permit.granted",
        "permit.changed",
        "permit.suspended",
        "permit.revoked",
        "permit.expired",
    ),
    "GSP certificate granted / revoked": ("gsp_certificate.granted", "gsp_certificate.revoked"),
    "inspection recorded, sampling recorded": ("inspection.recorded", "sampling.recorded"),
    "case opened / closed": ("case.opened", "case.closed"),
    "obstruction determined": ("obstruction.determined",),
    "warning issued, announcement made, correction ordered": ("warning.issued", "announcement.made", "correction.ordered"),
    "penalty decided, crime judged": ("penalty.decided", "crime.judged"),
    "document served": ("document.served",),
    "penalty of another department": ("other_department.penalised",),
    "rectification reported, self-inspection reported": ("rectification.reported", "self_inspection.reported"),
    "score recorded": ("score.recorded",),
    "another department's list received": ("other_department_list.received",),
    "list notified, notice of extension issued": ("list.notified", "notice_of_extension.issued"),
    "grade approved / returned": ("grade.approved", "grade.returned"),
    "reconsideration or litigation opened / decided": (
        "reconsideration.opened",
        "reconsideration.decided",
        "litigation.opened",
        "litigation.decided",
    ),
    "stay ordered, act annulled or changed": ("stay.ordered", "act.annulled", "act.changed"),
    "repair applied for / decided": ("repair.applied_for", "repair.decided"),
    "entry corrected / retracted": ("entry.corrected", "entry.retracted"),
    "objection raised / decided": ("objection.raised", "objection.decided"),
    "truth determined": ("truth.determined",),
    "finding notified / replied / decided / appealed": (
        "finding.notified",
        "finding.replied",
        "finding.decided",
        "finding.appealed",
    ),
    "evaluation announced / closed, day closed": ("evaluation.announced", "evaluation.closed", "day.closed"),
    "calendar issued, rulebook activated": ("calendar.issued", "rulebook.activated"),
    "genesis, officer enrolled / left": ("genesis", "officer.enrolled", "officer.left"),
    "entry assigned / handed over": ("entry.assigned", "entry.handed_over"),
    "key registered / revoked": ("key.registered", "key.revoked"),
    "role granted / withdrawn": ("role.granted", "role.withdrawn"),
    "measures adopted, outage declared, go-live declared": ("measures.adopted", "outage.declared", "go_live.declared"),
}
# Beyond the list: a regime's own statuses, the end of a stay.
BEYOND = ("enterprise.status.declared", "stay.lifted")


@pytest.mark.parametrize("phrase", ASKED_FOR)
def test_every_type_asked_for_is_in_the_catalogue(phrase: str) -> None:
    for name in ASKED_FOR[phrase]:
        row = CATALOGUE[f"mingjian.{name}.v1"]
        assert row.route != "derived"


def test_the_catalogue_holds_nothing_unaccounted_for() -> None:
    named = {name for names in ASKED_FOR.values() for name in names} | set(BEYOND)
    assert named == {row.name for row in CATALOGUE.values() if row.route != "derived"}


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_every_row_is_whole(row: Any) -> None:
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", row.name)
    assert row.zh and row.en and row.roles
    assert re.search(r"[\u4e00-\u9fff]", row.zh)
    assert set(row.subjects) <= set(SCHEMES)
    assert ("service" in row.roles) == (row.route == "derived")
    assert lookup(row.type) is row
    # An enterprise's stream is facts; what is about offices, officers, regimes and the stack stands in registry.
    if row.route == "facts":
        assert set(row.subjects) <= {"uscc", "fhrs", "camis", "person"}
    if row.route in ("registry", "broadcast"):
        assert set(row.subjects) <= {"office", "officer", "regime", "stack"}


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_every_field_at_every_depth_has_a_disclosure_class(row: Any) -> None:
    for model in (row.model, *nested_models(row.model, {}).values()):
        classes = disclosure(model)
        assert set(classes) == set(model.model_fields)
        # A private value is never in an event, so no field of an event is private.
        assert set(classes.values()) <= {"public", "government"}


def test_a_field_without_a_class_is_named() -> None:
    class Bare(BaseModel):
        name: str

    with pytest.raises(LookupError, match=r"Bare\.name"):
        disclosure(Bare)


def test_who_entered_what_and_why_is_not_for_the_public() -> None:
    closed = {"officers", "entered_by", "on_behalf_of", "reviewed_by", "position", "note", "commitments", "attachments"}
    for row in CATALOGUE.values():
        for name, given in disclosure(row.model).items():
            if name in closed or name.endswith("_by") and "Pseudonym" in str(row.model.model_fields[name].annotation):
                assert given == "government", f"{row.name}.{name}"


def _annotations(model: type[BaseModel]) -> list[tuple[str, str]]:
    return [(f"{model.__name__}.{name}", str(info.annotation)) for name, info in model.model_fields.items()]


def test_no_field_is_a_float_or_without_a_type() -> None:
    for row in CATALOGUE.values():
        for model in (row.model, *nested_models(row.model, {}).values()):
            for name, annotation in _annotations(model):
                assert "float" not in annotation, name
                assert "Any" not in annotation or name == "Replacement.data", name


def test_every_list_of_signed_events_is_bounded() -> None:
    """60 KiB hold no list without an end; derived events are bounded by what they derive from."""
    for row in CATALOGUE.values():
        if row.route == "derived":
            continue
        for model in (row.model, *nested_models(row.model, {}).values()):
            for name, info in model.model_fields.items():
                kinds = (info.annotation, *get_args(info.annotation))
                if any(getattr(kind, "__origin__", None) is tuple for kind in kinds):
                    assert any(hasattr(mark, "max_length") for mark in info.metadata), f"{model.__name__}.{name}"


def test_unknown_fields_are_refused_everywhere() -> None:
    for event in goldens():
        with pytest.raises(ValidationError):
            check_data(CATALOGUE[event["type"]], {**event["data"], "surprise": 1})


def test_models_are_frozen() -> None:
    model = check_data(CATALOGUE["mingjian.inspection.recorded.v1"], golden_event("inspection.recorded")["data"])
    with pytest.raises(ValidationError):
        model.kind = "special"  # type: ignore[attr-defined]
    assert isinstance(model, Data)
