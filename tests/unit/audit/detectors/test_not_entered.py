"""A list and the entries are held against each other when the term is over: what is missing, late, or on no list is found."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook import load_rulebook
from services.audit.domain.detectors.model import Entry
from services.audit.domain.detectors.not_entered import NotEntered, Reconciliation
from services.audit.domain.workdays import WorkCalendar
from tests.unit.audit.detectors.bench import OFFICE, OTHER, OTHER_OFFICE, THIRD, USCC, entry, registry, retracted, run, stays_the_same
from tests.unit.audit.detectors.test_entered_twice import act
from tests.unit.audit.detectors.test_same_number import penalty

AUTHORITY = "样例物价局"
NUMBER = "样例价罚〔2026〕1号"
RULES = [rule for rule in [Reconciliation.of(load_rulebook(Path(__file__).parents[4] / "rulebooks" / "liyujiang"))] if rule]
make = partial(NotEntered, RULES)
# Received on Monday 2 March 2026; the tenth working day after it is Monday 16 March.
RECEIVED, LAST, AFTER = "2026-03-02", "2026-03-16", "2026-03-20"


def registered(subject: str, at: str = "2026-01-05 10:00") -> Entry:
    data = {"occurred_on": "2025-01-02", "name": "样例", "business_kind": "drug_retail", "regimes": ["liyujiang"]}
    return entry("enterprise.registered", data, at, subject=subject)


RATED = [registered(USCC), registered(OTHER)]


def listed(*numbers: str, subject: str = USCC, office: str = OFFICE, received: str = RECEIVED, decided: str | None = "2026-02-10") -> Entry:
    decisions = [{"document_no": one, "subject": subject} | ({"decided_on": decided} if decided else {}) for one in numbers]
    data = {"occurred_on": received, "authority": AUTHORITY, "period_from": "2026-02-01", "period_to": "2026-02-28", "decisions": decisions}
    return entry("other_department_list.received", data, f"{received} 15:00", subject=f"office:{office}", source=office)


def decision(at: str, *, number: str = NUMBER, day: str = "2026-02-10", authority: str = AUTHORITY, **more: Any) -> Entry:
    data = {"occurred_on": day, "document_no": number, "authority": authority, "acts": [act("WJ-1")]}
    return entry("other_department.penalised", data, at, **more)


def test_a_decision_on_the_list_without_an_entry_is_found_when_the_term_is_over() -> None:
    assert [] == run(make(), [*RATED, listed(NUMBER)], until="2026-03-15").signs
    told = run(make(), [*RATED, listed(NUMBER)], until=LAST)
    assert OFFICE == told.only.office and USCC == told.only.subject and told.only.entry is None
    assert ("entered_on", "-", LAST) in told.only.values and "list" in {one.role for one in told.only.shown}
    assert "10个工作日的最后一天为2026年3月16日（周一）" in told.only.zh and "2026-03-16 (Mon)" in told.only.en
    assert 1 == len(run(make(), [*RATED, listed(NUMBER)], until="2026-05-30").signs), "said once, not each night"


@pytest.mark.parametrize("at, found", [("2026-03-15 10:00", 0), ("2026-03-16 23:59", 0), ("2026-03-17 00:01", 1)])
def test_the_day_before_the_day_and_the_day_after_the_terms_end(at: str, found: int) -> None:
    told = run(make(), [*RATED, listed(NUMBER), decision(at)], until=AFTER)
    assert found == len(told.standing)
    if found:
        assert {"entered_since"} == told.only.supported and ("entered_on", "2026-03-17", LAST) in told.only.values
        assert decision(at).id == told.only.entry.id  # type: ignore[union-attr]


LOOK_ALIKES: dict[str, list[Entry]] = {
    "entered before the list": [listed(NUMBER), decision("2026-02-12 10:00")],
    "entered by another office": [listed(NUMBER), decision("2026-03-05 10:00", source=OTHER_OFFICE)],
    "entered as a penalty": [listed("样例罚〔2026〕1号"), entry("penalty.decided", penalty("2026-02-10"), "2026-03-05 10:00")],
    "an enterprise that isn't rated": [listed(NUMBER, subject=THIRD)],
    "an empty list": [listed()],
    "an entry of another period": [listed(), decision("2026-03-05 10:00", day="2026-03-01")],
    "another authority's entry": [listed(), decision("2026-03-05 10:00", authority="样例医保局")],
    "an entry of an office without a list": [listed(), decision("2026-03-05 10:00", source=OTHER_OFFICE)],
    "on the list of another office": [listed(), listed(NUMBER, office=OTHER_OFFICE), decision("2026-03-05 10:00")],
    "in two parts": [
        listed(NUMBER),
        listed("样例价罚〔2026〕2号"),
        decision("2026-03-05 10:00"),
        decision("2026-03-05 11:00", number="样例价罚〔2026〕2号"),
    ],
    "entered for the successor": [
        listed(NUMBER),
        decision("2026-03-05 10:00", subject=OTHER),
        entry(
            "enterprise.succeeded",
            {"occurred_on": "2026-03-01", "predecessor": USCC, "successor": OTHER, "manner": "merger"},
            "2026-03-06 10:00",
            subject=OTHER,
        ),
    ],
    "taken back": [listed(), decision("2026-03-05 10:00"), retracted(decision("2026-03-05 10:00"), "2026-03-06 10:00")],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(make(), [*RATED, *LOOK_ALIKES[name]], until=AFTER).signs


def test_an_entry_that_no_list_of_its_authority_and_period_has_is_found() -> None:
    told = run(make(), [*RATED, listed(), decision("2026-03-05 10:00")], until=AFTER)
    assert decision("2026-03-05 10:00").id == told.only.entry.id and NUMBER in told.only.en  # type: ignore[union-attr]
    assert [] == run(make(), [*RATED, listed(), decision("2026-03-05 10:00")], until="2026-03-15").signs
    afterwards = run(make(), [*RATED, listed(), decision("2026-03-18 10:00")], until=AFTER)
    assert 1 == len(afterwards.standing)


def test_a_later_list_that_has_it_and_a_retraction_end_the_matter() -> None:
    one = decision("2026-03-05 10:00")
    for end in (listed(NUMBER, received="2026-03-18"), retracted(one, "2026-03-18 10:00")):
        told = run(make(), [*RATED, listed(), one, end], until=AFTER)
        assert [False, True] == [sign.retracted for sign in told.signs] and {} == told.standing


def test_an_entry_taken_back_leaves_the_decision_without_one() -> None:
    one = decision("2026-03-05 10:00")
    told = run(make(), [*RATED, listed(NUMBER), one, retracted(one, "2026-03-18 10:00")], until=AFTER)
    assert ("entered_on", "-", LAST) in told.only.values


def test_an_entry_that_comes_after_all_changes_the_matter_and_leaves_it() -> None:
    told = run(make(), [*RATED, listed(NUMBER), decision("2026-03-18 10:00")], until=AFTER)
    assert 2 == len(told.signs) and ("entered_on", "2026-03-18", LAST) in told.only.values


def test_the_records_speak_for_another_enterprise_and_another_number() -> None:
    assert {"entered_for_another"} == run(
        make(), [*RATED, listed(NUMBER), decision("2026-03-05 10:00", subject=OTHER)], until=AFTER
    ).only.supported
    mistyped = run(make(), [*RATED, listed(NUMBER), decision("2026-03-05 10:00", number="样例价罚〔2026〕7号")], until=AFTER)
    assert [{"other_number"}, set()] == [one.supported for one in mistyped.standing.values()]


def test_nothing_is_asked_of_lists_from_before_go_live_or_without_a_rule() -> None:
    entries = [*RATED, listed(NUMBER)]
    assert [] == run(make(), entries, until=AFTER, register=registry(live="2026-03-03")).signs
    assert 1 == len(run(make(), entries, until=AFTER, register=registry(live="2026-03-02")).signs)
    assert [] == run(make(), entries, until=AFTER, register=registry(regime="fhrs")).signs
    assert [] == run(NotEntered([]), entries, until=AFTER).signs


def test_without_a_calendar_it_is_provisional() -> None:
    told = run(make(), [*RATED, listed(NUMBER)], until=AFTER, calendar=WorkCalendar())
    assert {"provisional_calendar"} == told.only.supported


def test_the_term_is_the_operators_and_stands_in_the_rulebook() -> None:
    [rule] = RULES
    assert "operator" == rule.days.set_by and 10 == rule.days.at(date(2026, 3, 2))


test_copies_and_partitions_change_nothing = stays_the_same(
    make,
    [*RATED, listed(NUMBER), listed(), decision("2026-03-05 10:00", number="样例价罚〔2026〕7号"), decision("2026-03-18 10:00")],
    until=AFTER,
)
