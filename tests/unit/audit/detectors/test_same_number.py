"""One number with different contents is found; what shares a number on purpose, and what was put right, is not."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.model import Entry
from services.audit.domain.detectors.same_number import SameNumber
from tests.unit.audit.detectors.bench import OTHER, OTHER_OFFICE, USCC, annulled, corrected, entry, retracted, run, stays_the_same

NUMBER = "样例罚〔2026〕1号"


def penalty(
    day: str = "2026-03-02", *, violation: str = "YP-101", amount: str = "5000", number: str = NUMBER, **more: Any
) -> dict[str, Any]:
    act = {
        "violation": violation,
        "kinds": ["fine"],
        "legal_field": "drug",
        "basis": ["样例条款"],
        "gravity": "general",
        "fault": "negligence",
    }
    return {"occurred_on": day, "document_no": number, "acts": [{**act, "amount": amount}], "entered_by": "officer:test-officer", **more}


def first() -> Entry:
    return entry("penalty.decided", penalty(), "2026-03-03 10:00", name="first")


PLANTED = {
    "another subject": entry("penalty.decided", penalty(), "2026-03-09 10:00", subject=OTHER),
    "another day": entry("penalty.decided", penalty("2026-03-05"), "2026-03-09 10:00"),
    "other acts": entry("penalty.decided", penalty(violation="YP-203"), "2026-03-09 10:00"),
    "another amount": entry("penalty.decided", penalty(amount="500"), "2026-03-09 10:00"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_two_contents_under_one_number_are_found_with_what_differs(name: str) -> None:
    told = run(SameNumber(), [first(), PLANTED[name]])
    assert PLANTED[name].id == told.only.entry.id  # type: ignore[union-attr]
    expected = {
        "another subject": ("subject", OTHER, USCC),
        "another day": ("occurred_on", "2026-03-05", "2026-03-02"),
        "other acts": ("acts", "violation YP-203", "violation YP-101"),
        "another amount": ("acts", "amount 500", "amount 5000"),
    }
    assert (("entries", "2", "1"), expected[name]) == told.only.values
    assert "2026-03-02 (Mon)" in told.only.en and "2026年3月2日（周一）" in told.only.zh and NUMBER in told.only.zh
    assert ("officer:test-officer",) == told.only.concerns


def test_of_one_party_each_the_records_speak_for_a_joint_decision() -> None:
    told = run(SameNumber(), [first(), PLANTED["another subject"]])
    assert {"joint_parties"} == told.only.supported
    assert all(one in words for one in (USCC, OTHER) for words in (told.only.zh, told.only.en))


def test_an_old_series_is_spoken_for_by_the_channel() -> None:
    told = run(SameNumber(), [entry("penalty.decided", penalty(), "2026-03-03 10:00", channel="migration"), PLANTED["another day"]])
    assert {"older_series"} == told.only.supported


def warning(violation: str, number: str = "样例警〔2026〕1号") -> dict[str, Any]:
    words = {"occurred_on": "2026-03-02", "document_no": number, "violation": violation, "legal_field": "drug"}
    return {**words, "correction_ordered": True}


def inspected(regime: str, violation: str) -> dict[str, Any]:
    words = {"occurred_on": "2026-03-02", "document_no": "样例检〔2026〕1号", "kind": "routine", "mode": "on_site"}
    return {**words, "regime": regime, "violations": [violation]}


CASE = "样例案〔2026〕1号"
SERVICE = {"served_on": "2026-03-04", "method": "handed_over"}
LOOK_ALIKES: dict[str, list[Entry]] = {
    "the same content again": [first(), entry("penalty.decided", penalty(), "2026-03-09 10:00", name="again")],
    "its service with it": [first(), entry("penalty.decided", penalty(service=SERVICE), "2026-03-09 10:00")],
    "a document and its service": [
        first(),
        entry(
            "document.served",
            {"occurred_on": "2026-03-04", "document": first().id, "document_no": NUMBER, "service": SERVICE},
            "2026-03-05 10:00",
        ),
    ],
    "another office": [first(), entry("penalty.decided", penalty("2026-03-05"), "2026-03-09 10:00", source=OTHER_OFFICE)],
    "another kind": [first(), entry("warning.issued", warning("YP-203", NUMBER), "2026-03-09 10:00")],
    "a case number on purpose": [
        entry("case.opened", {"occurred_on": "2026-02-02", "case_no": CASE, "violations": ["YP-101"]}, "2026-02-03 10:00"),
        entry("penalty.decided", penalty(case_no=CASE), "2026-03-03 10:00"),
        entry("case.closed", {"occurred_on": "2026-03-06", "case_no": CASE, "outcome": "penalised"}, "2026-03-06 10:00"),
    ],
    "a warning for each violation": [
        entry("warning.issued", warning("YP-101"), "2026-03-03 10:00"),
        entry("warning.issued", warning("YP-203"), "2026-03-03 10:01"),
    ],
    "an inspection for each regime": [
        entry("inspection.recorded", inspected("liyujiang", "YP-101"), "2026-03-03 10:00"),
        entry("inspection.recorded", inspected("fhrs", "F-1"), "2026-03-03 10:01"),
    ],
    "a pending result": [
        entry("inspection.recorded", {**inspected("nyc", "A"), "outcome_pending": True}, "2026-03-03 10:00"),
        entry("inspection.recorded", inspected("nyc", "B"), "2026-03-09 10:00"),
    ],
    "put right before": [first(), retracted(first(), "2026-03-04 10:00"), PLANTED["another day"]],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(SameNumber(), LOOK_ALIKES[name]).signs


ENDS = {
    "taken back": retracted(PLANTED["another day"], "2026-03-20 10:00"),
    "the other taken back": retracted(first(), "2026-03-20 10:00"),
    "another number": corrected(PLANTED["another day"], penalty("2026-03-05", number="样例罚〔2026〕2号"), "2026-03-20 10:00"),
    "the same words": corrected(PLANTED["another day"], penalty(), "2026-03-20 10:00"),
    "annulled": annulled(PLANTED["another day"], "2026-03-20 10:00"),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_puts_it_right_ends_the_matter(name: str) -> None:
    told = run(SameNumber(), [first(), PLANTED["another day"], ENDS[name]])
    assert [False, True] == [one.retracted for one in told.signs] and {} == told.standing
    assert told.signs[0].matter == told.signs[1].matter and ENDS[name].id in {one.id for one in told.signs[1].shown}


def test_what_undoes_the_mending_brings_the_matter_back() -> None:
    mending = ENDS["another number"]
    undone = retracted(mending, "2026-03-25 10:00", ground="other")
    told = run(SameNumber(), [first(), PLANTED["another day"], mending, undone])
    assert [False, True, False] == [one.retracted for one in told.signs]


def test_a_correction_to_a_number_that_another_document_has_is_found() -> None:
    apart = entry("penalty.decided", penalty("2026-03-05", number="样例罚〔2026〕2号"), "2026-03-09 10:00")
    told = run(SameNumber(), [first(), apart, corrected(apart, penalty("2026-03-05"), "2026-03-20 10:00")])
    assert apart.id == told.only.entry.id and "correction" in {one.role for one in told.only.shown}  # type: ignore[union-attr]


def test_an_enterprise_and_its_successor_are_one() -> None:
    said = {"occurred_on": "2026-03-01", "predecessor": USCC, "successor": OTHER, "manner": "merger"}
    succeeded = entry("enterprise.succeeded", said, "2026-03-20 10:00", subject=OTHER)
    pair = [first(), PLANTED["another subject"]]
    told = run(SameNumber(), [*pair, succeeded])
    assert {} == told.standing and told.signs[-1].retracted
    assert [] == run(SameNumber(), [entry("enterprise.succeeded", said, "2026-03-01 10:00", subject=OTHER), *pair]).signs


def test_many_entries_under_one_number_are_one_matter() -> None:
    many = [entry("penalty.decided", penalty(f"2026-03-{day:02d}"), f"2026-03-{day:02d} 10:00") for day in range(2, 12)]
    assert 1 == len(run(SameNumber(), many).standing)


test_copies_and_partitions_change_nothing = stays_the_same(
    SameNumber, [*PLANTED.values(), first(), *(one for some in LOOK_ALIKES.values() for one in some), ENDS["another number"]]
)
