"""Each rule finds what contradicts by its own words; the day's look-alikes are found by none."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.contradiction import Contradiction
from services.audit.domain.detectors.model import Entry
from tests.unit.audit.detectors.bench import (
    OTHER,
    OTHER_OFFICE,
    annulled,
    corrected,
    entry,
    instant,
    retracted,
    run,
    stays_the_same,
)
from tests.unit.audit.detectors.test_same_number import penalty

CODE = "YP-101"
DAY = "2026-03-02"


def visit(passes: tuple[str, ...] = (), violations: tuple[str, ...] = (), at: str = "09:00", **more: Any) -> dict[str, Any]:
    hour = int(at[:2])
    data = {"occurred_on": DAY, "kind": "routine", "mode": "on_site", "started_at": instant(f"{DAY} {at}"), **more}
    data |= {"ended_at": instant(f"{DAY} {hour + 1:02d}{at[2:]}")}
    data |= {"items": [{"code": one, "result": "pass"} for one in passes]} if passes else {}
    return data | ({"violations": list(violations)} if violations else {})


def inspected(data: dict[str, Any], at: str = "2026-03-03 10:00", **more: Any) -> Entry:
    return entry("inspection.recorded", data, at, **more)


def case(day: str = DAY, *, number: str = "样例案〔2026〕1号", at: str = "2026-03-03 11:00", **more: Any) -> Entry:
    return entry("case.opened", {"occurred_on": day, "case_no": number, "violations": [CODE]}, at, **more)


def closed(outcome: str, at: str = "2026-03-10 11:00", number: str = "样例案〔2026〕1号") -> Entry:
    return entry("case.closed", {"occurred_on": at[:10], "case_no": number, "outcome": outcome}, at)


def decided(number: str = "样例案〔2026〕1号") -> Entry:
    return entry("penalty.decided", penalty(case_no=number), "2026-03-09 10:00")


def sample(result: str, at: str = "2026-03-03 12:00", number: str | None = "样例样〔2026〕1号", day: str = DAY) -> Entry:
    data = {"occurred_on": day, "product": "样例感冒颗粒", "result": result} | ({"sample_no": number} if number else {})
    return entry("sampling.recorded", data, at)


def score(total: str, at: str = "2027-01-05 10:00", *, final: bool = True, maximum: str = "100") -> Entry:
    taken = int(maximum) - int(total)
    data = {"occurred_on": at[:10], "regime": "liyujiang", "year": 2026, "maximum": maximum, "total": total, "final": final}
    deductions = [{"item": "YL-01", "points": str(taken)}] if taken else []
    return entry("score.recorded", {**data, "deductions": deductions, "standard": "样例评分标准"}, at)


PLANTED = {
    "item_both_ways": [inspected(visit((CODE, "GSP-01"), (CODE,)))],
    "passed_beside_case": [inspected(visit((CODE,))), case()],
    "opposite_inspections": [inspected(visit((CODE,))), inspected(visit((), (CODE,), at="09:30"), "2026-03-04 10:00")],
    "closed_without_violation_yet_penalised": [case("2026-02-20"), decided(), closed("no_violation")],
    "case_closed_two_ways": [closed("transferred"), closed("violation_no_penalty", "2026-03-12 11:00")],
    "sample_two_results": [sample("qualified"), sample("unqualified", "2026-03-09 10:00")],
    "full_score_despite": [inspected(visit(("GSP-01",))), sample("unqualified"), score("100")],
}


@pytest.mark.parametrize("rule", PLANTED)
def test_each_rule_finds_what_it_is_about(rule: str) -> None:
    entries = PLANTED[rule]
    told = run(Contradiction(), entries)
    assert ("rule", rule, None) in told.only.values
    assert max(entries, key=lambda one: one.order).id == told.only.entry.id  # type: ignore[union-attr]
    shown = {one.id for one in told.only.shown}
    assert shown <= {one.id for one in entries} and len(shown) >= min(2, len(entries))


@pytest.mark.parametrize("rule", PLANTED)
def test_entered_in_the_opposite_order_it_is_found_as_well(rule: str) -> None:
    entries = PLANTED[rule]
    times = sorted(one.order for one in entries)
    turned = [
        type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"order": order})
        for one, order in zip(entries, reversed(times), strict=True)
    ]
    assert ("rule", rule, None) in run(Contradiction(), turned).only.values


LOOK_ALIKES: dict[str, list[Entry]] = {
    "other items": [inspected(visit(("GSP-01",), (CODE,))), case()],
    "a day apart": [inspected(visit((CODE,))), case("2026-03-03")],
    "another subject": [inspected(visit((CODE,))), case(subject=OTHER)],
    "a re-check": [inspected(visit((CODE,), kind="recheck", corrected=[CODE])), case()],
    "found and put right on the spot": [inspected(visit((), (CODE,), corrected=[CODE])), case()],
    "found in the morning, put right in the afternoon": [
        inspected(visit((), (CODE,))),
        inspected(visit((CODE,), at="15:00", corrected=[CODE]), "2026-03-04 10:00"),
    ],
    "a re-check of the same day": [
        inspected(visit((), (CODE,))),
        inspected(visit((CODE,), at="15:00", kind="recheck"), "2026-03-04 10:00"),
    ],
    "two regimes": [
        inspected(visit((CODE,), regime="liyujiang")),
        inspected(visit((), (CODE,), regime="fhrs"), "2026-03-04 10:00"),
    ],
    "closed with a penalty": [case("2026-02-20"), decided(), closed("penalised")],
    "closed as no violation, another case penalised": [decided("样例案〔2026〕2号"), closed("no_violation")],
    "closed twice alike": [closed("transferred"), closed("transferred", "2026-03-12 11:00")],
    "a pending result": [sample("pending"), sample("unqualified", "2026-03-09 10:00")],
    "two samples": [sample("qualified"), sample("unqualified", "2026-03-09 10:00", "样例样〔2026〕2号")],
    "a failed sample, and points off": [inspected(visit(("GSP-01",))), sample("unqualified"), score("97")],
    "a failed sample, no inspection": [sample("unqualified"), score("100")],
    "a failed sample, and the inspection found something": [inspected(visit(("GSP-01",), (CODE,))), sample("unqualified"), score("100")],
    "an interim score": [inspected(visit(("GSP-01",))), sample("unqualified"), score("100", final=False)],
    "taken back before": [inspected(visit((CODE,))), retracted(inspected(visit((CODE,))), "2026-03-03 10:30"), case()],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(Contradiction(), LOOK_ALIKES[name]).signs


def test_two_looks_and_two_offices_are_spoken_for() -> None:
    apart = [inspected(visit((CODE,))), inspected(visit((), (CODE,), at="15:00"), "2026-03-04 10:00", source=OTHER_OFFICE)]
    assert {"two_looks", "other_office"} == run(Contradiction(), apart).only.supported
    assert set() == run(Contradiction(), PLANTED["opposite_inspections"]).only.supported


ENDS = {
    "item_both_ways": corrected(PLANTED["item_both_ways"][0], visit(("GSP-01",), (CODE,)), "2026-03-20 10:00"),
    "passed_beside_case": retracted(PLANTED["passed_beside_case"][0], "2026-03-20 10:00"),
    "opposite_inspections": corrected(PLANTED["opposite_inspections"][0], visit(("GSP-01",)), "2026-03-20 10:00"),
    "closed_without_violation_yet_penalised": annulled(PLANTED["closed_without_violation_yet_penalised"][1], "2026-03-20 10:00"),
    "sample_two_results": retracted(PLANTED["sample_two_results"][0], "2026-03-20 10:00"),
    "full_score_despite": retracted(PLANTED["full_score_despite"][2], "2027-01-20 10:00"),
}


@pytest.mark.parametrize("rule", ENDS)
def test_what_puts_it_right_ends_the_matter(rule: str) -> None:
    told = run(Contradiction(), [*PLANTED[rule], ENDS[rule]])
    assert [False, True] == [one.retracted for one in told.signs] and {} == told.standing


EVERYTHING = {one.id: one for some in PLANTED.values() for one in some}
test_copies_and_partitions_change_nothing = stays_the_same(
    Contradiction, [*EVERYTHING.values(), ENDS["sample_two_results"]], until="2026-03-25"
)
