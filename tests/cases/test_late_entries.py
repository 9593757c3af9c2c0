"""五(三) ¶1, R13, as cases: on each boundary the day before, the day, the day after."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.audit.adapters.calendars import calendar_events
from services.audit.domain.late import EntryRule, Fact, Outage, Verdict, judge, sentences
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests.cases import ledger

pytestmark = pytest.mark.clause("五(三) ¶1", "R13")

RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"
GO_LIVE = date(2003, 1, 1)
OFFICE = "/departments/drug/offices/liyujiang"


def _calendar() -> WorkCalendar:
    calendar = WorkCalendar()
    for data in calendar_events(RULEBOOKS / "calendar-cn.yaml"):
        calendar = calendar.issue(YearTable.of(data))
    return calendar


def _rule() -> EntryRule:
    """As the rulebook has it now: whoever changes the rulebook under the cases is noticed by them."""
    book = ledger.book("liyujiang").rulebook
    words = [book.parameter(f"entry_{name}") for name in ("working_days", "activities", "exempt_channels")]
    return EntryRule("liyujiang", "2026.1", "0" * 64, "Asia/Shanghai", frozenset({"uscc"}), *words)


CALENDAR = _calendar()


def fact(occurred: str, entered: str, **changes: object) -> Fact:
    """An inspection of that day, entered at noon in Shanghai unless ``entered`` is an instant."""
    received = entered if "T" in entered else f"{entered}T04:00:00.000Z"
    base = dict(
        id="018f0000-0000-7000-8000-000000000001",
        type="mingjian.inspection.recorded.v1",
        source=OFFICE,
        subject="uscc:91350100M000100Y43",
        occurred_on=date.fromisoformat(occurred),
        ended_at=None,
        served_on=None,
        signed_at=received,
        received_at=received,
        channel="desk",
    )
    return Fact(**(base | changes))  # type: ignore[arg-type]


def verdict(one: Fact, calendar: WorkCalendar = CALENDAR, **more: object) -> Verdict | None:
    return judge(one, rule=_rule(), calendar=calendar, **({"go_live": GO_LIVE} | more))  # type: ignore[arg-type]


# what · day 0 · the deadline · the next day on which an entry is late · working days late on that day
DEADLINES = [
    ("a plain week: from Monday to Monday", "2026-03-02", "2026-03-09", 1),
    ("a Friday: the weekend doesn't count", "2026-03-06", "2026-03-13", 1),
    ("an act on a Saturday that is off", "2026-03-07", "2026-03-13", 1),
    ("the turn of a year: five working days from 29 December 2005, with 31 December worked", "2005-12-29", "2006-01-06", 1),
    ("the day before: 28 December 2005", "2005-12-28", "2006-01-05", 1),
    ("the day after: 30 December 2005", "2005-12-30", "2006-01-09", 1),
    ("before Spring Festival 2026 (15 to 23 February off, 14 February worked)", "2026-02-13", "2026-02-27", 1),
    ("the last working day before Spring Festival, a make-up Saturday", "2026-02-14", "2026-02-28", 1),
    ("the fifth working day is the last one before Spring Festival", "2026-02-09", "2026-02-14", 1),
    ("the first working day after Spring Festival", "2026-02-24", "2026-03-02", 1),
    ("an act on Spring Festival itself", "2026-02-17", "2026-02-28", 1),
    ("a make-up Saturday within the term: 28 February 2026", "2026-02-25", "2026-03-03", 1),
    ("a make-up Saturday is the deadline: 10 October 2026", "2026-09-28", "2026-10-10", 1),
    ("before Spring Festival 2025: 26 January worked, 28 January to 4 February off", "2025-01-24", "2025-02-07", 1),
    ("the make-up Sunday before it: 8 February, a worked Saturday, is the deadline", "2025-01-26", "2025-02-08", 1),
    ("the end of 2024 into 2025", "2024-12-27", "2025-01-06", 1),
]


def _next(day: str) -> str:
    return date.fromordinal(date.fromisoformat(day).toordinal() + 1).isoformat()


def _before(day: str) -> str:
    return date.fromordinal(date.fromisoformat(day).toordinal() - 1).isoformat()


@pytest.mark.parametrize(("what", "start", "deadline", "late_by"), DEADLINES, ids=[one[0] for one in DEADLINES])
def test_the_day_before_the_day_and_the_day_after_a_deadline(what: str, start: str, deadline: str, late_by: int) -> None:
    for entered, late in ((_before(deadline), False), (deadline, False), (_next(deadline), True)):
        found = verdict(fact(start, entered))
        assert found is not None and found.deadline.isoformat() == deadline, what
        assert (found.late, found.provisional) == (late, False), f"{what}: entered {entered}"
        assert found.working_days_late == (late_by if late else 0)
        assert found.calendar_days_late == (1 if late else 0)


def test_the_last_second_of_the_deadline_is_in_time_and_the_next_is_late() -> None:
    """Civil days are Shanghai's: 2026-03-09 ends at 16:00 UTC."""
    assert verdict(fact("2026-03-02", "2026-03-09T15:59:59.999Z")).late is False  # type: ignore[union-attr]
    assert verdict(fact("2026-03-02", "2026-03-09T16:00:00.000Z")).late is True  # type: ignore[union-attr]


def test_day_zero_is_the_later_of_the_end_and_the_service() -> None:
    penalty = {"type": "mingjian.penalty.decided.v1"}
    assert verdict(fact("2026-03-02", "2026-03-20", served_on=date(2026, 3, 16), **penalty)).deadline == date(2026, 3, 23)  # type: ignore[union-attr]
    assert verdict(fact("2026-03-02", "2026-03-20", ended_at="2026-03-03T16:30:00.000Z")).day_zero == date(2026, 3, 4)  # type: ignore[union-attr]
    assert verdict(fact("2026-03-02", "2026-12-20", served_on=None, **penalty)) is None, "a decision awaiting service has no deadline"


def test_nothing_from_before_go_live_is_late() -> None:
    late = fact("2026-03-02", "2026-06-01")
    assert verdict(late, go_live=date(2026, 3, 3)) is None
    assert verdict(late, go_live=date(2026, 3, 2)).late  # type: ignore[union-attr]
    assert verdict(late, go_live=None) is None


def test_the_revocation_of_a_permit_has_to_be_entered_in_time() -> None:
    revoked = {"type": "mingjian.permit.revoked.v1", "served_on": date(2026, 3, 16)}
    for entered, late in (("2026-03-22", False), ("2026-03-23", False), ("2026-03-24", True)):
        assert verdict(fact("2026-03-02", entered, **revoked)).late is late  # type: ignore[union-attr]
    assert verdict(fact("2026-03-02", "2026-06-01", type="mingjian.permit.revoked.v1")) is None, "awaiting service"


def test_a_service_that_was_entered_by_itself_has_its_own_deadline() -> None:
    served = {"type": "mingjian.document.served.v1", "served_on": date(2026, 3, 16)}
    for entered, late in (("2026-03-22", False), ("2026-03-23", False), ("2026-03-24", True)):
        found = verdict(fact("2026-03-16", entered, **served))
        assert found is not None and (found.late, found.deadline) == (late, date(2026, 3, 23)), entered


def test_an_end_later_than_the_service_is_day_zero() -> None:
    order = {"type": "mingjian.correction.ordered.v1", "served_on": date(2026, 3, 3), "ended_at": "2026-03-05T08:00:00.000Z"}
    for entered, late in (("2026-03-11", False), ("2026-03-12", False), ("2026-03-13", True)):
        found = verdict(fact("2026-03-02", entered, **order))
        assert found is not None and (found.late, found.day_zero) == (late, date(2026, 3, 5)), entered


def test_a_pending_sample_and_its_result_have_a_deadline_each() -> None:
    """Taken on Monday 2 March, the result of Monday 16 March: the sample by the 9th, the result by the 23rd."""
    sample = {"type": "mingjian.sampling.recorded.v1"}
    for entered, late in (("2026-03-08", False), ("2026-03-09", False), ("2026-03-10", True)):
        assert verdict(fact("2026-03-02", entered, **sample)).late is late  # type: ignore[union-attr]
    for entered, late in (("2026-03-22", False), ("2026-03-23", False), ("2026-03-24", True)):
        found = verdict(fact("2026-03-02", entered, result_on=date(2026, 3, 16), **sample))
        assert found is not None and (found.late, found.day_zero) == (late, date(2026, 3, 16)), entered


@pytest.mark.parametrize("kind", ["penalty.decided", "document.served"])
@pytest.mark.parametrize(("decided", "judged"), [("2026-03-01", False), ("2026-03-02", True), ("2026-03-03", True)])
def test_a_decision_from_before_go_live_is_not_judged_however_its_service_was_entered(kind: str, decided: str, judged: bool) -> None:
    """Go-live on 2 March, between the decision and its service on the 16th: the act's own day counts."""
    act = date.fromisoformat(decided)
    days = {"decided_on": act} if kind == "document.served" else {}
    one = fact("2026-03-16" if days else decided, "2026-06-01", type=f"mingjian.{kind}.v1", served_on=date(2026, 3, 16), **days)
    assert (verdict(one, go_live=date(2026, 3, 2)) is not None) == judged


def test_the_result_of_a_sample_from_before_go_live_is_not_judged() -> None:
    late = fact("2026-03-01", "2026-06-01", type="mingjian.sampling.recorded.v1", result_on=date(2026, 3, 16))
    assert verdict(late, go_live=date(2026, 3, 2)) is None


@pytest.mark.parametrize(("channel", "judged"), [("field", True), ("desk", True), ("feed", True), ("migration", False)])
def test_nothing_from_migration_is_late(channel: str, judged: bool) -> None:
    assert (verdict(fact("2026-03-02", "2026-06-01", channel=channel)) is not None) == judged


@pytest.mark.parametrize(
    "kind",
    [
        "inspection.recorded",
        "sampling.recorded",
        "case.opened",
        "case.closed",
        "obstruction.determined",
        "warning.issued",
        "announcement.made",
        "correction.ordered",
        "penalty.decided",
        "permit.revoked",
        "document.served",
    ],
)
def test_every_enforcement_activity_has_a_deadline(kind: str) -> None:
    """Monday 2 March, served on that day where it is a document."""
    for entered, late in (("2026-03-08", False), ("2026-03-09", False), ("2026-03-10", True)):
        found = verdict(fact("2026-03-02", entered, type=f"mingjian.{kind}.v1", served_on=date(2026, 3, 2)))
        assert found is not None and found.late is late, entered


@pytest.mark.parametrize("kind", ["score.recorded", "enterprise.registered", "crime.judged", "list.entered"])
def test_what_is_no_enforcement_activity_has_no_deadline(kind: str) -> None:
    assert verdict(fact("2026-03-02", "2026-06-01", type=f"mingjian.{kind}.v1", served_on=date(2026, 3, 2))) is None


def test_before_the_rule_was_in_force_there_is_no_duty() -> None:
    assert verdict(fact("2004-12-31", "2005-06-01")) is None
    assert verdict(fact("2005-01-01", "2005-06-01")).late  # type: ignore[union-attr]


def test_signed_in_time_is_an_excuse_and_no_acquittal() -> None:
    found = verdict(fact("2026-03-02", "2026-03-12", signed_at="2026-03-09T15:59:00.000Z"))
    assert found is not None and found.late and found.signed_in_time
    found = verdict(fact("2026-03-02", "2026-03-12", signed_at="2026-03-09T16:00:00.000Z"))
    assert found is not None and found.late and not found.signed_in_time


@pytest.mark.parametrize(
    ("what", "outage", "marked"),
    [
        ("within the term", Outage("2026-03-05T00:00:00.000Z", "2026-03-05T02:00:00.000Z", None), True),
        ("of this office", Outage("2026-03-05T00:00:00.000Z", "2026-03-05T02:00:00.000Z", OFFICE), True),
        ("of another office", Outage("2026-03-05T00:00:00.000Z", "2026-03-05T02:00:00.000Z", "/departments/drug/offices/other"), False),
        ("over before day 0", Outage("2026-02-27T00:00:00.000Z", "2026-03-01T15:59:59.000Z", None), False),
        ("begun after the deadline", Outage("2026-03-09T16:00:00.000Z", "2026-03-12T00:00:00.000Z", None), False),
        ("begun in the deadline's last minute", Outage("2026-03-09T15:59:00.000Z", "2026-03-12T00:00:00.000Z", None), True),
    ],
)
def test_an_outage_is_marked_where_it_touches_the_term(what: str, outage: Outage, marked: bool) -> None:
    found = verdict(fact("2026-03-02", "2026-03-12"), outages=[outage])
    assert found is not None and found.late and found.outage is marked, what


def test_an_entry_on_the_day_off_after_the_deadline_is_late_by_one_day() -> None:
    """Deadline Friday, entered Saturday: no working day has passed, yet it is late."""
    found = verdict(fact("2026-03-06", "2026-03-14"))
    assert found is not None and found.late and (found.working_days_late, found.calendar_days_late) == (1, 1)


def test_a_year_without_its_calendar_is_provisional_and_settled_when_it_comes() -> None:
    """New Year 2007: 1 to 3 January were off, 30 and 31 December 2006 worked."""
    without = WorkCalendar({year: table for year, table in CALENDAR.years.items() if year < 2007})
    entered = fact("2006-12-27", "2007-01-04")
    before, after = verdict(entered, without), verdict(entered)
    assert before is not None and before.late and before.provisional and not before.settled
    assert after is not None and not after.late and after.settled and after.deadline == date(2007, 1, 4)


def test_whoever_enters_within_as_many_days_as_working_days_is_in_time_by_any_calendar() -> None:
    found = verdict(fact("2026-12-30", "2027-01-04"))
    assert found is not None and not found.late and found.settled
    found = verdict(fact("2026-12-30", "2027-01-05"))
    assert found is not None and not found.late and found.provisional


def test_the_sentences_say_when_by_how_much_and_what_excuses() -> None:
    found = verdict(fact("2026-03-02", "2026-03-12", signed_at="2026-03-03T00:00:00.000Z"))
    assert found is not None
    zh, en = sentences(found)
    assert "2026年3月9日（周一）" in zh and "逾期3个工作日" in zh and "签署时间在期限内" in zh
    assert "Entered on 2026-03-12 (Thu): 3 working days (3 days) after the deadline. Signed in time." in en
