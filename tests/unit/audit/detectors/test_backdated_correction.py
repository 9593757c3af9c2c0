"""An own correction that makes milder what had counted is found; what others decided, and slips put right in time, are not."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from services.audit.domain.detectors.backdated_correction import BackdatedCorrection
from services.audit.domain.detectors.model import Entry
from tests.unit.audit.detectors.bench import ZONES, annulled, corrected, entry, ref, retracted, run, stays_the_same
from tests.unit.audit.detectors.test_same_number import SERVICE, penalty, warning

make = partial(BackdatedCorrection, ZONES)
LATER = "2027-01-20 10:00"
SERVED = {"service": SERVICE}


def evaluation(at: str = "2027-01-15 10:00", year: int = 2026, regime: str = "liyujiang") -> Entry:
    period = {"first": f"{year}-01-01", "last": f"{year}-12-31"}
    data = {"occurred_on": at[:10], "regime": regime, "period": period, "evaluation_date": at[:10]}
    return entry("evaluation.closed", data, at, subject=f"regime:{regime}")


def fine(**more: Any) -> Entry:
    return entry("penalty.decided", penalty(**SERVED, **more), "2026-03-05 10:00")


def score(total: str, *, final: bool = True) -> dict[str, Any]:
    taken = str(100 - int(total))
    data = {"occurred_on": "2027-01-04", "regime": "liyujiang", "year": 2026, "maximum": "100", "total": total, "final": final}
    return {**data, "deductions": [{"item": "YL-01", "points": taken}], "standard": "样例评分标准"}


def scored() -> Entry:
    return entry("score.recorded", score("85"), "2027-01-05 10:00")


def kinds(*names: str, **more: Any) -> dict[str, Any]:
    words = penalty(**SERVED, **more)
    return {**words, "acts": [{**words["acts"][0], "kinds": list(names)}]}


def inspected(*violations: str, day: str = "2026-03-02", **more: Any) -> dict[str, Any]:
    return {"occurred_on": day, "kind": "routine", "mode": "on_site", **({"violations": list(violations)} if violations else {}), **more}


def visit() -> Entry:
    return entry("inspection.recorded", inspected("YP-101", "YP-203"), "2026-03-04 10:00")


def sample(result: str) -> dict[str, Any]:
    return {"occurred_on": "2026-03-02", "product": "样例", "result": result, "sample_no": "样例样1号"}


def closing(outcome: str) -> dict[str, Any]:
    return {"occurred_on": "2026-03-02", "case_no": "样例案1号", "outcome": outcome}


SAMPLE = entry("sampling.recorded", sample("unqualified"), "2026-03-04 10:00")
CLOSED = entry("case.closed", closing("violation_no_penalty"), "2026-03-04 10:00")
ANNOUNCED = entry(
    "rectification.reported", {"occurred_on": "2027-01-10", "violations": ["YP-101"], "statement": "样例"}, "2027-01-11 10:00"
)
MOVED = penalty("2025-12-30", service={"served_on": "2025-12-31", "method": "post"})
PLANTED: dict[str, tuple[str, list[Entry]]] = {
    "score raised": ("total", [scored(), corrected(scored(), score("95"), LATER)]),
    "a lighter kind": ("kinds", [fine(), corrected(fine(), kinds("warning"), LATER)]),
    "a kind left out": (
        "kinds",
        [
            (both := entry("penalty.decided", kinds("fine", "suspension_ordered"), "2026-03-05 10:00")),
            corrected(both, kinds("fine"), LATER),
        ],
    ),
    "an order instead of a penalty": (
        "kinds",
        [
            fine(),
            corrected(fine(), {}, LATER, replacement={"type": "mingjian.warning.issued.v1", "data": {**warning("YP-101"), **SERVED}}),
        ],
    ),
    "a violation left out": ("codes", [visit(), corrected(visit(), inspected("YP-101"), LATER)]),
    "all violations left out": ("codes", [visit(), corrected(visit(), inspected(), LATER)]),
    "out of the period": ("day", [fine(), corrected(fine(), MOVED, LATER)]),
    "its service left out": ("service", [fine(), corrected(fine(), penalty(), LATER)]),
    "taken back": ("taken_back", [fine(), retracted(fine(), LATER, ground="wrong_content")]),
    "a sample turned good": ("result", [SAMPLE, corrected(SAMPLE, sample("qualified"), LATER)]),
    "a case turned none": ("outcome", [CLOSED, corrected(CLOSED, closing("no_violation"), LATER)]),
    "into the period": ("day", [ANNOUNCED, corrected(ANNOUNCED, {**ANNOUNCED.data, "occurred_on": "2026-12-30"}, LATER)]),
    "by an own annulment": ("taken_back", [fine(), annulled(fine(), LATER, ground="own_motion")]),
    "taken back and entered milder": (
        "kinds",
        [fine(), retracted(fine(), LATER, ground="wrong_content"), entry("penalty.decided", kinds("warning"), "2027-01-20 10:30")],
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_an_own_correction_that_makes_milder_is_found(name: str) -> None:
    what, entries = PLANTED[name]
    told = run(make(), [*entries, evaluation()])
    assert entries[1].id == told.only.entry.id and what in {value[0] for value in told.only.values}  # type: ignore[union-attr]
    assert set() == told.only.supported and "2027-01-20 (Wed)" in told.only.en and "2027年1月20日（周三）" in told.only.zh


def test_an_evaluation_that_had_counted_it_is_said() -> None:
    entries = PLANTED["score raised"][1]
    before = run(make(), [*entries, evaluation("2027-01-15 10:00")]).only
    after = run(make(), [*entries, evaluation("2027-01-25 10:00")]).only
    assert "evaluated on 2027-01-15 (Fri)" in before.en and "evaluation" in {one.role for one in before.shown}
    assert "evaluated" not in after.en


REVIEW = {"document_no": "样例复议1号", "case_no": "样例复议案1号", "authority": "样例上级", "final": True, "outcome": "changed"}


def reviewed(outcome: str = "changed", at: str = "2027-01-18 10:00") -> Entry:
    return entry("reconsideration.decided", {"occurred_on": at[:10], "act": ref(fine()), **REVIEW, "outcome": outcome}, at)


def objection(at: str = "2027-01-18 10:00") -> Entry:
    words = {"type": "mingjian.penalty.decided.v1", "data": kinds("fine", number="样例罚〔2026〕1号")}
    said = {
        "occurred_on": at[:10],
        "document_no": "样例异议1号",
        "objection": ref(fine())["id"],
        "outcome": "changed",
        "entry": ref(fine()),
    }
    return entry("objection.decided", {**said, "replacement": words, "decided_by": "officer:test-other", "reason": "样例"}, at)


def determination(at: str = "2027-01-18 10:00") -> Entry:
    sources = [{"kind": "document", "description": "样例", "origin": "样例档案"}]
    people = {"decided_by": "officer:test-auditor", "involved": ["officer:test-officer"], "explanations_weighed": []}
    said = {"occurred_on": at[:10], "document_no": "样例认定1号", "entry": ref(fine()), "result": "inaccurate", "took_place": True}
    words = {"type": "mingjian.penalty.decided.v1", "data": kinds("warning")}
    return entry("truth.determined", {**said, "truth": words, "sources": sources, **people}, at)


SUPPORTED = {
    "source_document": [fine(), corrected(fine(), kinds("warning"), LATER, source_document="a" * 64)],
    "review_decided": [fine(), reviewed(), corrected(fine(), kinds("warning"), LATER)],
    "objection_upheld": [fine(), objection(), corrected(fine(), kinds("warning"), LATER)],
    "truth_determined": [fine(), determination(), corrected(fine(), kinds("warning"), LATER)],
}


@pytest.mark.parametrize("code", SUPPORTED)
def test_what_the_records_speak_for_is_said(code: str) -> None:
    assert {code} == run(make(), [*SUPPORTED[code], evaluation()]).only.supported


def test_a_review_that_upheld_or_came_later_speaks_for_nothing() -> None:
    for decided in (reviewed("upheld"), reviewed(at="2027-01-22 10:00")):
        assert set() == run(make(), [fine(), decided, corrected(fine(), kinds("warning"), LATER)]).only.supported


LOOK_ALIKES: dict[str, list[Entry]] = {
    "a slip of the same day": [fine(), corrected(fine(), kinds("warning"), "2026-03-05 16:00")],
    "by a court": [fine(), annulled(fine(), LATER)],
    "an objection upheld": [fine(), objection()],
    "for the worse": [fine(), corrected(fine(), kinds("suspension_ordered"), LATER)],
    "a graver kind besides": [fine(), corrected(fine(), kinds("fine", "suspension_ordered"), LATER)],
    "another code": [visit(), corrected(visit(), inspected("YP-101", "YP-305"), LATER)],
    "another code alone": [fine(), corrected(fine(), penalty(violation="YP-305", **SERVED), LATER)],
    "within the period": [fine(), corrected(fine(), penalty("2026-03-03", **SERVED), LATER)],
    "a lower score": [scored(), corrected(scored(), score("80"), LATER)],
    "the note alone": [visit(), corrected(visit(), inspected("YP-101", "YP-203", note="样例"), LATER)],
    "one of two taken back": [
        fine(),
        (twin := entry("penalty.decided", penalty(**SERVED), "2026-03-06 10:00", name="twin")),
        retracted(twin, LATER),
    ],
    "taken back and entered anew": [
        visit(),
        entry("inspection.recorded", inspected("YP-101", "YP-203"), "2027-01-20 09:30", name="anew"),
        retracted(visit(), LATER, ground="wrong_content"),
    ],
    "a visit that found nothing, taken back": [
        (clean := entry("inspection.recorded", inspected(), "2026-03-04 10:00")),
        retracted(clean, LATER),
    ],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(make(), [*LOOK_ALIKES[name], evaluation()]).signs


def test_entered_anew_after_it_was_taken_back_ends_the_matter() -> None:
    anew = entry("penalty.decided", penalty(**SERVED), "2027-01-22 10:00", name="anew")
    told = run(make(), [fine(), retracted(fine(), LATER, ground="wrong_content"), anew, evaluation()])
    assert [False, True] == [one.retracted for one in told.signs]


def test_a_correction_taken_back_ends_the_matter() -> None:
    milder = corrected(fine(), kinds("warning"), LATER)
    told = run(make(), [fine(), milder, retracted(milder, "2027-01-25 10:00", ground="other"), evaluation()])
    assert [False, True] == [one.retracted for one in told.signs]


def test_of_another_regime_no_evaluation_counts_for_a_score() -> None:
    told = run(make(), [*PLANTED["score raised"][1], evaluation(regime="fhrs")])
    assert "evaluated" not in told.only.en and "liyujiang" == told.only.regime


EVERYTHING = [
    one for name in ("score raised", "a violation left out", "a sample turned good", "a case turned none") for one in PLANTED[name][1]
]
test_copies_and_partitions_change_nothing = stays_the_same(make, [*EVERYTHING, *SUPPORTED["review_decided"], evaluation()])
