"""One decision under two ids is found once; what was entered apart on purpose, and what is left once, is not."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from services.audit.domain.detectors.entered_twice import EnteredTwice
from services.audit.domain.detectors.model import Entry
from tests.unit.audit.detectors.bench import OTHER, OTHER_OFFICE, USCC, ZONES, annulled, corrected, entry, retracted, run, stays_the_same
from tests.unit.audit.detectors.test_same_number import SERVICE, penalty, warning

make = partial(EnteredTwice, ZONES)
NUMBER = "样例价罚〔2026〕1号"


def act(violation: str) -> dict[str, Any]:
    words = {"violation": violation, "kinds": ["fine"], "legal_field": "price", "basis": ["样例条款"], "gravity": "general"}
    return {**words, "fault": "negligence"}


def other(*violations: str, authority: str = "样例物价局", **more: Any) -> dict[str, Any]:
    acts = [act(one) for one in violations or ("WJ-1",)]
    return {"occurred_on": "2026-03-02", "document_no": NUMBER, "authority": authority, "acts": acts, **more}


def first() -> Entry:
    return entry("penalty.decided", penalty(), "2026-03-03 10:00", name="first")


def again(at: str = "2026-03-09 10:00", **more: Any) -> Entry:
    return entry("penalty.decided", penalty(), at, name="again", **more)


def of_others(at: str, *violations: str, **more: Any) -> Entry:
    return entry("other_department.penalised", other(*violations), at, **more)


PLANTED = {
    "a penalty": ([first(), again()], set()),
    "a warning": ([entry("warning.issued", warning("YP-101"), f"2026-03-{day} 10:00") for day in ("03", "09")], set()),
    "soon after": ([first(), again("2026-03-03 10:20")], {"sent_again"}),
    "from the archive": ([first(), again(channel="migration")], {"from_the_archive"}),
    "with its service": ([first(), entry("penalty.decided", penalty(service=SERVICE), "2026-03-09 10:00")], {"service_added"}),
    "another department's": ([of_others("2026-03-03 10:00"), of_others("2026-03-09 10:00")], set()),
    "by two offices": ([of_others("2026-03-03 10:00"), of_others("2026-03-09 10:00", source=OTHER_OFFICE)], {"two_offices"}),
    "an act in common": ([of_others("2026-03-03 10:00", "WJ-1", "WJ-2"), of_others("2026-03-09 10:00", "WJ-2")], set()),
}


@pytest.mark.parametrize("name", PLANTED)
def test_one_decision_under_two_ids_is_found(name: str) -> None:
    entries, supported = PLANTED[name]
    told = run(make(), entries)
    assert [False] == [one.retracted for one in told.signs]
    assert supported == told.only.supported and entries[1].id == told.only.entry.id  # type: ignore[union-attr]
    assert "2026年3月3日（周二）" in told.only.zh and "2026-03-03 (Tue)" in told.only.en


LOOK_ALIKES: dict[str, list[Entry]] = {
    "other content": [first(), entry("penalty.decided", penalty(amount="50"), "2026-03-09 10:00")],
    "another subject": [first(), again(subject=OTHER)],
    "another office's number": [first(), again(source=OTHER_OFFICE)],
    "a warning for each violation": [
        entry("warning.issued", warning("YP-101"), "2026-03-03 10:00"),
        entry("warning.issued", warning("YP-203"), "2026-03-03 10:01"),
    ],
    "an event for each act": [of_others("2026-03-03 10:00", "WJ-1"), of_others("2026-03-03 10:01", "WJ-2")],
    "two authorities, one number": [
        of_others("2026-03-03 10:00"),
        entry("other_department.penalised", other(authority="样例医保局"), "2026-03-09 10:00"),
    ],
    "taken back before": [first(), retracted(first(), "2026-03-04 10:00"), again()],
    "corrected since": [first(), corrected(first(), penalty(number="样例罚〔2026〕9号"), "2026-03-04 10:00"), again()],
    "opened, penalised, closed": [
        entry("case.opened", {"occurred_on": "2026-02-02", "case_no": "案1号", "violations": ["YP-101"]}, "2026-02-03 10:00"),
        entry("penalty.decided", penalty(case_no="案1号"), "2026-03-03 10:00"),
        entry("case.closed", {"occurred_on": "2026-03-06", "case_no": "案1号", "outcome": "penalised"}, "2026-03-06 10:00"),
    ],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(make(), LOOK_ALIKES[name]).signs


@pytest.mark.parametrize(
    "end", [retracted(again(), "2026-03-20 10:00"), annulled(first(), "2026-03-20 10:00")], ids=["taken back", "annulled"]
)
def test_what_leaves_one_in_effect_ends_the_matter(end: Entry) -> None:
    told = run(make(), [first(), again(), end])
    assert [False, True] == [one.retracted for one in told.signs] and {} == told.standing


def test_of_three_entries_one_taken_back_leaves_the_matter() -> None:
    third = entry("penalty.decided", penalty(), "2026-03-10 10:00", name="third")
    told = run(make(), [first(), again(), third, retracted(first(), "2026-03-20 10:00")])
    assert third.id == told.only.entry.id and ("entries", "2", "1") in told.only.values  # type: ignore[union-attr]


def test_for_a_predecessor_and_its_successor_it_is_one_decision() -> None:
    said = {"occurred_on": "2026-03-01", "predecessor": USCC, "successor": OTHER, "manner": "merger"}
    told = run(make(), [first(), again(subject=OTHER), entry("enterprise.succeeded", said, "2026-03-20 10:00", subject=OTHER)])
    assert {"successor"} == told.only.supported


test_copies_and_partitions_change_nothing = stays_the_same(
    make,
    [*(one for some, _ in PLANTED.values() for one in some), *LOOK_ALIKES["taken back before"], retracted(again(), "2026-03-20 10:00")],
)
