"""五(三) ¶3, ADR 35: on which days a late or untrue entry had another grade shown than there should have been. Worked out by hand.

All lives are one shop, open since 2010, scored 95 in each year: B by the evaluation of 15 January. What is late is a fine, served on
Monday 2 December 2024: the fifth working day after it is Monday 9 December, so the window begins on Tuesday the 10th. Days of
December from the 10th on: 22; of January 31.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.audit.domain.late import Outage
from services.audit.domain.workdays import WorkCalendar
from tests.cases.effect import Case, aside, calendar, deadline
from tests.cases.ledger import OFFICE, Ledger, act, shop

pytestmark = pytest.mark.clause("五(三) ¶1", "五(三) ¶3", "R18", "R22", "R23")

SERVED, LAST = "2024-12-02", date(2024, 12, 9)


def town_shop(*, approving: bool = False) -> Ledger:
    """B since 15 January 2024."""
    ledger = shop(approving=approving)
    ledger.scored(2023, "95")
    ledger.evaluated(2023)
    return ledger


def fined(entered: str, *, approving: bool = False) -> tuple[Ledger, str]:
    """The year's end with the fine entered on a day: the score of 20 December, the evaluation of 15 January at nine o'clock."""
    ledger = town_shop(approving=approving)
    fine = None
    if entered < "2024-12-20":
        fine = ledger.fined(SERVED, known=entered)
    ledger.scored(2024, "95")
    if fine is None and entered < "2025-01-15":
        fine = ledger.fined(SERVED, known=entered)
    ledger.evaluated(2024)
    return ledger, fine or ledger.fined(SERVED, known=entered)


def test_the_last_day_is_the_fifth_working_day() -> None:
    assert LAST == deadline(SERVED)


# entered on · wrong days · evaluations that would have come out otherwise: was, should
ACROSS = [
    ("2024-12-09", 0, []),  # the last day: in time
    ("2024-12-10", 0, []),  # the day after: at its end the right grade was shown
    ("2024-12-11", 1, []),
    ("2025-01-14", 22 + 13, []),  # the day before the evaluation
    ("2025-01-15", 22 + 14, []),  # on its day: at that day's end it is known
    ("2025-01-16", 22 + 15, [("B", "D")]),  # the day after
    ("2025-02-10", 22 + 31 + 9, [("B", "D")]),
]


@pytest.mark.parametrize("entered, days, evaluations", ACROSS)
def test_the_delay_crosses_an_evaluation(entered: str, days: int, evaluations: list[tuple[str, str]]) -> None:
    ledger, fine = fined(entered)
    found = Case(ledger, cut="2025-03-31").late(fine, LAST)
    assert (days, days, days, days) == found.days()
    assert evaluations == [(one["was"], one["should"]) for one in found.answer().data["evaluations"]]
    assert ("circulated_criticism" if days else "none") == found.answer().data["consequence"]["kind"]


def test_it_changes_nothing() -> None:
    """An inspection that found nothing; and a warning, which lowers only at an evaluation, entered before that."""
    ledger = town_shop()
    seen = ledger.inspected("2024-06-03")
    warned = ledger.warned("2024-06-03")
    late = ledger.facts[-1].id
    assert warned == late
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    found = Case(ledger, cut="2025-03-31").late(seen, "2024-05-20").late(warned, "2024-05-20")
    assert ((0, 0, 0, 0), (0, 0, 0, 0)) == (found.days(0), found.days(1))
    assert "none" == found.answer(1).data["consequence"]["kind"]
    assert [] == found.answer(0).data["joint"] == found.answer(1).data["joint"]


def test_two_late_entries_matter_only_together() -> None:
    """三(二)3(1), R6: the second warning for one violation, after the term of the first has run out, is D at once. Served on 1 March and
    6 May 2024, due on 8 March and (11 May is worked) 11 May; both entered on 1 July: 12 to 31 May and June, 20 and 30 days."""
    ledger = town_shop()
    first = ledger.warned("2024-03-01", term="2024-03-15")
    second = ledger.warned("2024-05-06")
    known = date(2024, 7, 1)
    ledger.facts[-2:] = [known_on(one, known) for one in ledger.facts[-2:]]
    found = Case(ledger, cut="2024-12-31").late(first, deadline("2024-03-01")).late(second, deadline("2024-05-06"))
    assert [date(2024, 3, 8), date(2024, 5, 11)] == [one.deadline for one in found.matters]
    both = [{"matters": sorted([first, second]), "least": 50, "most": 50}]
    for number in (0, 1):
        data = found.answer(number).data
        assert ((0, 0, 0, 0), both, True) == (found.days(number), data["joint"], data["joint_complete"])
        assert ("circulated_criticism", 50, ["joint"]) == (data["consequence"]["kind"], data["consequence"]["days"], data["marks"])


@pytest.mark.parametrize("entered, days", [("2024-05-11", 0), ("2024-05-12", 0), ("2024-05-13", 1)])
def test_together_from_the_later_of_both_deadlines_on(entered: str, days: int) -> None:
    ledger = town_shop()
    first, second = ledger.warned("2024-03-01", term="2024-03-15"), ledger.warned("2024-05-06")
    ledger.facts[-2:] = [known_on(one, date.fromisoformat(entered)) for one in ledger.facts[-2:]]
    found = Case(ledger, cut="2024-12-31").late(first, deadline("2024-03-01")).late(second, deadline("2024-05-06"))
    assert ([days] if days else []) == [one["most"] for one in found.answer().data["joint"]]


def known_on(fact, on: date):  # type: ignore[no-untyped-def]
    known = int(datetime(on.year, on.month, on.day, 1, tzinfo=UTC).timestamp() * 1000) + fact.offset
    return replace(fact, known=known, stamp=known, received=known)


@pytest.mark.parametrize("corrected, stand", [("2025-02-10", 0), ("2025-03-03", 0)])
def test_a_later_correction_undid_it(corrected: str, stand: int) -> None:
    """The office takes the entry back: no shown day is made right by it, and none stands."""
    ledger, fine = fined("2025-02-10")
    ledger.retracted(fine, corrected)
    found = Case(ledger, cut="2025-03-31").late(fine, LAST)
    assert (62, 62, stand, stand) == found.days()
    assert ["undone_since"] == found.answer().data["marks"]


def warning() -> dict[str, object]:
    """What the fine's entry should have said."""
    words: dict[str, object] = {"occurred_on": SERVED, "document_no": "P-1", "acts": [act("warning")]}
    return words | {"service": {"served_on": SERVED, "method": "handed_over"}}


def test_a_correction_to_a_lesser_act_undid_it() -> None:
    """Corrected to a warning: of the days before the evaluation the grade was B all along, of those from it on C."""
    ledger, fine = fined("2025-02-10")
    words = {
        "occurred_on": SERVED,
        "document_no": "P-1",
        "acts": [act("warning")],
        "service": {"served_on": SERVED, "method": "handed_over"},
    }
    ledger.corrected_entry(fine, "2025-03-03", words)
    assert (62, 62, 0, 0) == Case(ledger, cut="2025-03-31").late(fine, LAST).days()


def stay(ledger: Ledger, fine: str, on: str, first: str, until: str):  # type: ignore[no-untyped-def]
    data = {"occurred_on": on, "document_no": "S-1", "act": ledger.ref(fine), "authority": "样例法院", "from_day": first, "until": until}
    return aside(ledger, "stay.ordered", on, data | {"service": {"served_on": on, "method": "handed_over"}})


@pytest.mark.parametrize(
    "first, until, stayed",
    [
        ("2024-12-01", "2024-12-09", 0),  # over on the last day of the term
        ("2024-12-01", "2024-12-10", 1),
        ("2024-12-20", "2025-01-05", 12 + 5),
        ("2025-02-09", "2025-02-20", 1),  # from the last wrong day on
        ("2025-02-10", "2025-02-20", 0),
    ],
)
def test_a_stay(first: str, until: str, stayed: int) -> None:
    """Its days are wrong as well, and are told apart: the public would not have seen the right grade either."""
    ledger, fine = fined("2025-02-10")
    ordered = stay(ledger, fine, "2025-02-11", first, until)
    found = Case(ledger, cut="2025-03-31", asides=[ordered]).late(fine, LAST)
    assert ((62, 62, 62, 62), stayed) == (found.days(), found.answer().data["stayed_days"])


def test_under_a_stay_the_supposed_grade_is_not_displayed() -> None:
    ledger, fine = fined("2025-02-10")
    ordered = stay(ledger, fine, "2024-12-20", "2024-12-20", "2025-01-05")
    data = Case(ledger, cut="2025-03-31", asides=[ordered]).late(fine, LAST).answer().data
    path = [(one["first"], one["last"], one["grade"], one["displayed"]) for one in data["supposed"][0]["path"]]
    assert [
        ("2024-12-10", "2024-12-19", "D", True),
        ("2024-12-20", "2025-01-05", "D", False),
        ("2025-01-06", "2025-02-10", "D", True),
    ] == path


@pytest.mark.parametrize(
    "annulled, days",
    [
        ("2024-12-10", 0),  # on the first day of the window: at its end there was no fine
        ("2024-12-11", 1),
        ("2025-01-20", 22 + 19),  # before it was ever entered
        ("2025-02-09", 22 + 31 + 8),
        ("2025-02-10", 22 + 31 + 9),
        ("2025-03-03", 22 + 31 + 9),
    ],
)
def test_an_annulment(annulled: str, days: int) -> None:
    """As never done from its start: the days that were shown until it was known stay wrong, and none of them stands."""
    ledger = town_shop()
    fine = "0e9f1b58-6d0b-5a8e-9a4e-000000000001"
    entries = [("2024-12-20", "score"), ("2025-01-15", "evaluation"), ("2025-02-10", "fine"), (annulled, "annulled")]
    for day, what in sorted(entries, key=lambda one: (one[0], one[1] == "annulled")):
        if what == "score":
            ledger.scored(2024, "95")
        elif what == "evaluation":
            ledger.evaluated(2024)
        elif what == "fine":
            data = {"occurred_on": SERVED, "document_no": "P-1", "acts": [act("fine")]}
            data["service"] = {"served_on": SERVED, "method": "handed_over"}
            ledger.enter("penalty.decided", data, known=date.fromisoformat(day), id=fine)
        else:
            about = {"source": OFFICE, "id": fine}
            data = {"occurred_on": day, "document_no": "AN-1", "act": about, "ground": "reconsideration", "authority": "样例复议机关"}
            ledger.enter("act.annulled", data)
    assert (days, days, 0, 0) == Case(ledger, cut="2025-03-31").late(fine, LAST).days()


@pytest.mark.parametrize(
    "ended, touched",
    [("2024-12-09T15:59:59Z", 0), ("2024-12-09T16:00:00Z", 1), ("2024-12-12T03:00:00Z", 3)],
)
def test_signed_in_time_during_a_declared_outage(ended: str, touched: int) -> None:
    """The days are as wrong as others; who reads it sees which of them an outage touched, and that it was signed in time."""
    ledger, fine = fined("2025-02-10")
    outage = Outage("2024-12-06T00:00:00Z", ended, OFFICE)
    found = Case(ledger, cut="2025-03-31", outages=[outage]).late(fine, LAST, "signed_in_time", "outage")
    data = found.answer().data
    assert ((62, 62, 62, 62), touched, ["signed_in_time", "outage"]) == (found.days(), data["outage_days"], data["marks"])


# entered on · wrong days while 2026 is not issued, when Monday to Friday are counted · after: the term runs over Spring Festival
PROVISIONAL = [
    ("2026-02-20", None, None),
    ("2026-02-21", 0, None),
    ("2026-02-27", 6, None),
    ("2026-02-28", 7, 0),
    ("2026-03-01", 8, 1),
    ("2026-03-05", 12, 5),
]


@pytest.mark.parametrize("entered, before, after", PROVISIONAL)
def test_a_provisional_calendar_that_is_then_issued(entered: str, before: int | None, after: int | None) -> None:
    """Served on Friday 13 February 2026. By weekdays alone the last day is 20 February; as issued (15 to 23 February off, 14 and 28
    February worked) it is 27 February. None: in time."""
    ledger = town_shop()
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    fine = ledger.fined("2026-02-13", known=entered)
    for known, days in ((WorkCalendar(), before), (calendar(), after)):
        last = deadline("2026-02-13", known)
        assert (days is not None) == (entered > last.isoformat())
        if days is not None:
            assert (days,) * 4 == Case(ledger, cut="2026-04-30").late(fine, last, "provisional").days()


# what needs approval: D is proposed on the day it is known and approved on 14 February, four days after 10 February
APPROVED = [
    # entered · approved · least · most · as long as it really took
    ("2025-02-10", "2025-02-14", 26, 66, 63),
    ("2025-02-10", "2025-02-10", 26, 62, 62),
    # B until the evaluation whatever is supposed, and C from it on without a word: certain are 15 January to 9 February
    ("2025-02-10", None, 26, 22 + 31 + 28 + 31, 26),
    ("2025-01-10", "2025-01-13", 0, 22 + 12, 20 + 12),
]


@pytest.mark.parametrize("entered, approved, least, most, as_long", APPROVED)
def test_what_needs_approval_has_bounds(entered: str, approved: str | None, least: int, most: int, as_long: int) -> None:
    ledger = town_shop(approving=True)
    ledger.scored(2024, "95")
    steps = [(entered, 0), ("2025-01-15", 1), *([(approved, 2)] if approved else [])]
    fine = ""
    for day, step in sorted(steps):
        if step == 0:
            fine = ledger.fined(SERVED, known=day)
        elif step == 1:
            ledger.evaluated(2024)
        else:
            ledger.approved("D", day)
    found = Case(ledger, cut="2025-03-31").late(fine, LAST)
    data = found.answer().data
    named = {one["approvals"]: one["days"] for one in data["supposed"]}
    assert (least, most, "exact") == (data["least"], data["most"], data["bounds"])
    assert {"soonest": most, "as_long": as_long, "never": least} == named


def test_an_untrue_entry_by_what_was_true() -> None:
    """A fine that was a warning, put right by its office on 3 March: wrong from the day on which it was known to the day before. What put
    it right has nothing more to say."""
    ledger, fine = fined("2024-12-09")
    words = {
        "occurred_on": SERVED,
        "document_no": "P-1",
        "acts": [act("warning")],
        "service": {"served_on": SERVED, "method": "handed_over"},
    }
    ledger.corrected_entry(fine, "2025-03-03", words)
    found = Case(ledger, cut="2025-03-31").untrue(fine)
    assert (23 + 31 + 28 + 2,) * 4 == found.days()
    assert [("D", "C")] == [(one["was"], one["should"]) for one in found.answer().data["evaluations"]]
    assert [ledger.facts[-1].id] == found.answer().data["without"]


def test_what_never_took_place_takes_along_what_is_about_it() -> None:
    """Determined on 3 March never to have taken place, and not corrected yet: wrong up to the cut."""
    ledger, fine = fined("2024-12-09")
    sources = [{"kind": "document", "description": "x", "origin": one} for one in ("one", "two")]
    data = {"occurred_on": "2025-03-03", "document_no": "T-1", "entry": ledger.ref(fine), "result": "false", "took_place": False}
    data |= {"sources": sources, "decided_by": "officer:decider-one", "involved": [], "explanations_weighed": []}
    found = Case(ledger, cut="2025-03-31", asides=[aside(ledger, "truth.determined", "2025-03-03", data)]).untrue(fine)
    assert (23 + 31 + 28 + 31,) * 4 == found.days()
    answer = found.answer().data
    assert (["ongoing"], None) == (answer["marks"], answer["shown"][-1]["last"])
    assert fine in answer["without"]


def test_a_backdated_correction_never_made() -> None:
    """It made a warning of a fine on 3 March: a sign, which alone has no consequence."""
    ledger, fine = fined("2024-12-09")
    words = {
        "occurred_on": SERVED,
        "document_no": "P-1",
        "acts": [act("warning")],
        "service": {"served_on": SERVED, "method": "handed_over"},
    }
    correction = ledger.corrected_entry(fine, "2025-03-03", words)
    found = Case(ledger, cut="2025-03-31").backdated(correction)
    assert (29,) * 4 == found.days()
    assert "none" == found.answer().data["consequence"]["kind"]


def test_lists_measures_and_benefits_of_wrong_days() -> None:
    """With D in the place of B what the plan gives to the trustworthy was enjoyed, and the discredited's was not applied."""
    ledger, fine = fined("2025-02-10")
    data = Case(ledger, cut="2025-03-31").late(fine, LAST).answer().data
    named = {(one["what"], one["name"], one["was"], one["should"], one["first"], one["last"]) for one in data["wrong"]}
    span = ("2024-12-10", "2025-02-09")
    assert {
        ("grade", "liyujiang", "B", "D", *span),
        ("benefit", "四(一)1", "on", "off", *span),
        ("benefit", "四(一)2", "on", "off", *span),
        ("benefit", "四(一)3", "on", "off", *span),
        ("measure", "四(三)3", "off", "on", *span),
    } == named


def test_an_entry_in_time_gives_nothing() -> None:
    ledger, fine = fined("2024-12-05")
    data = Case(ledger, cut="2025-03-31").late(fine, LAST).answer().data
    assert (0, 0, "none") == (data["least"], data["most"], data["consequence"]["kind"])


@pytest.mark.parametrize("received, days", [("2024-12-11", 61), ("2025-01-20", 12 + 9), ("2025-02-09", 1), ("2025-02-10", 0)])
def test_what_the_system_itself_took_is_told_apart(received: str, days: int) -> None:
    """Known on 10 February, received by intake before that: the days in between are nobody's delay but the system's."""
    ledger, fine = fined("2025-02-10")
    at = next(place for place, one in enumerate(ledger.facts) if one.id == fine)
    instant = int(datetime.fromisoformat(f"{received}T02:00:00+00:00").timestamp() * 1000)
    ledger.facts[at] = replace(ledger.facts[at], received=min(instant, ledger.facts[at].known))
    found = Case(ledger, cut="2025-03-31").late(fine, LAST)
    assert ((62, 62, 62, 62), days) == (found.days(), found.answer().data["operation_days"])
