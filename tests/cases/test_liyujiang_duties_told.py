"""四, told step by step: a duty opens, is performed, overdue or over by the facts and days that make it so, and corrected by others."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.envelope import check_data, lookup
from tests.cases.offices import Bureau, graded

pytestmark = pytest.mark.clause("四(三)1", "四(三)2")


def recheck(**more: Any) -> Bureau:
    """A case closed on 10 March 2025; the re-check is due on 22 April."""
    ledger = graded("D", "四(三)1", **more)
    ledger.case_closed("2025-03-10")
    return ledger


def events(ledger: Bureau) -> list[dict[str, Any]]:
    return [one.event for one in ledger.told() if one.event["type"].startswith("mingjian.duty.")]


def test_overdue_is_told_by_the_close_of_the_last_day_and_by_nothing_else() -> None:
    ledger = recheck()
    ledger.day_closed("2025-04-21")
    ledger.enter("operation.started", {"occurred_on": "2025-04-24"}, known=date(2025, 4, 24))
    assert [("duty.opened", None, "open")] == ledger.said()
    ledger.day_closed("2025-04-22")
    assert [("duty.opened", None, "open"), ("duty.overdue", "open", "overdue")] == ledger.said()
    assert "mingjian.day.closed.v1" == events(ledger)[-1]["data"]["cause"]["type"]


def test_performed_in_time_is_told_once_and_never_overdue() -> None:
    ledger = recheck()
    ledger.rechecked("2025-04-22")
    ledger.day_closed("2025-04-22")
    assert [("duty.opened", None, "open"), ("duty.performed", "open", "performed")] == ledger.said()
    assert ["2025-04-22"] == [one["occurred_on"] for one in events(ledger)[-1]["data"]["events"]]


def test_performed_late_is_told_as_performed_with_its_day() -> None:
    ledger = recheck()
    ledger.day_closed("2025-04-22")
    ledger.rechecked("2025-04-23")
    assert ("duty.performed", "overdue", "performed") == ledger.said()[-1]
    data = events(ledger)[-1]["data"]
    assert ("2025-04-23", "2025-04-22") == (data["performed_on"], data["due_on"])


def test_a_re_check_in_time_that_was_entered_late_takes_overdue_back() -> None:
    ledger = recheck()
    ledger.day_closed("2025-04-22")
    ledger.enter("inspection.recorded", {"occurred_on": "2025-04-22", "kind": "recheck", "mode": "on_site"}, known=date(2025, 4, 28))
    assert ("duty.corrected", "overdue", "performed") == ledger.said()[-1]
    assert 1 == len({one["data"]["duty"] for one in events(ledger)})


def test_a_retracted_re_check_makes_it_overdue_as_if_it_had_never_been_made() -> None:
    ledger = recheck()
    visit = ledger.rechecked("2025-04-01")
    ledger.day_closed("2025-04-22")
    ledger.retracted(visit, "2025-05-06")
    assert ("duty.corrected", "performed", "overdue") == ledger.said()[-1]


def test_what_never_was_a_case_opens_no_duty_after_all() -> None:
    ledger = graded("D", "四(三)1")
    case = ledger.case_closed("2025-03-10")
    ledger.retracted(case, "2025-03-20")
    assert [("duty.opened", None, "open"), ("duty.corrected", "open", "void")] == ledger.said()


def test_a_calendar_that_comes_later_moves_the_last_day() -> None:
    ledger = graded("D", "四(三)1", calendars=(2025,))
    ledger.case_closed("2025-12-10")
    ledger.calendar(2026, on="2025-12-15")
    assert [("duty.opened", None, "open"), ("duty.corrected", "open", "open")] == ledger.said()
    first, last = (one["data"] for one in events(ledger))
    assert ("2026-01-21", True, "2026-01-22", False) == (first["due_on"], first["provisional"], last["due_on"], last["provisional"])


def test_what_an_office_adopts_opens_what_is_due_at_once_and_with_the_next_year() -> None:
    ledger = graded("D", "四(三)2")
    ledger.day_closed("2025-12-30")
    assert [("duty.opened", None, "open")] == ledger.said()
    ledger.day_closed("2025-12-31")
    assert [("duty.opened", None, "open"), ("duty.overdue", "open", "overdue")] == sorted(ledger.said()[1:])
    assert {"2025-01-01", "2026-01-01"} == {one["data"]["period"]["first"] for one in events(ledger)}


def test_it_lapses_with_the_evaluation_that_lifts_the_grade() -> None:
    ledger = graded("D", "四(三)2")
    ledger.day_closed("2025-12-31")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert ("duty.lapsed", "open", "lapsed") == ledger.said()[-1]
    assert ("2026-01-15", "2026-12-31") == tuple(events(ledger)[-1]["data"][name] for name in ("lapsed_on", "due_on"))


def test_an_adoption_dated_ahead_is_told_with_the_day_before_it_closing() -> None:
    ledger = graded("D")
    ledger.adopted("四(三)2", "2025-02-01", effect="2025-03-01")
    ledger.day_closed("2025-02-27")
    assert [] == ledger.said()
    ledger.day_closed("2025-02-28")
    assert [("duty.opened", None, "open")] == ledger.said()


def test_where_nothing_is_adopted_nothing_is_told() -> None:
    ledger = graded("D")
    ledger.case_closed("2025-03-10")
    ledger.calendar(2026, on="2025-03-11")
    ledger.notified("2025-03-12")
    ledger.day_closed("2025-12-31")
    assert [] == ledger.said()


def test_each_event_holds_the_contract_and_a_step_told_again_is_the_same() -> None:
    ledger = recheck()
    ledger.day_closed("2025-04-22")
    ledger.rechecked("2025-04-23")
    ledger.closed("2025-06-01")
    told = events(ledger)
    assert told == events(ledger) and len(told) == len({one["id"] for one in told}) == 3
    for one in told:
        row = lookup(one["type"])
        assert row is not None and row.withheld
        check_data(row, one["data"], one["subject"])


def test_grades_are_told_as_if_nobody_had_adopted_anything() -> None:
    """Calendars, adoptions and notifications are steps for duties alone."""

    def grades(*clauses: str) -> list[tuple[Any, ...]]:
        ledger = graded("D", *clauses)
        ledger.case_closed("2025-03-10")
        ledger.calendar(2026, on="2025-03-11")
        ledger.fined("2025-05-01")
        ledger.scored(2025, "95")
        ledger.evaluated(2025)
        kept = ("grade", "status", "in_force_from", "previous_grade", "corrected_to")
        found = (one.event for one in ledger.told() if not one.event["type"].startswith("mingjian.duty."))
        return [(one["type"], *(one["data"].get(name) for name in kept)) for one in found]

    assert grades() == grades("四(三)1", "四(三)2", "四(三)4")
