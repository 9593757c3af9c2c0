"""What must hold of duties whatever the facts: kept or made anew, one day at a time or by leaps, once or twice, live or in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import check_data, lookup
from services.rating.domain.controls import Controls
from services.rating.domain.digest import digest_of, step_line, told_line
from services.rating.domain.duty_events import TYPES
from services.rating.domain.emit import TYPE
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.fold import Told, decide, history, merged
from services.rating.domain.subject import Subject
from tests.cases.ledger import OFFICE, act, morning
from tests.cases.offices import OTHER, PERSON, Bureau, graded
from tests.unit.rating.streams import Sent, stream, told_live
from tests.unit.rating.test_digests import bulk, from_file, gathered, with_an_end

pytestmark = pytest.mark.sweep
relaxed = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FIRST = date(2024, 11, 1)
DAYS = st.integers(0, 600).map(lambda days: (FIRST + timedelta(days=days)).isoformat())
EARLY = st.integers(30, 150).map(lambda days: (FIRST + timedelta(days=days)).isoformat())
CLAUSES = st.sampled_from(
    ["四(一) ¶2 1", "四(二)1", "四(二)2", "四(二)3", "四(三)1", "四(三)2", "四(三)4", "四(四)3", "四(四)4", "四(四)6", "四(四)7"]
)
KINDS = ["fine", "warning", "suspension_ordered"]
WHAT = """visit recheck night night fined warned case report announced adopted withdrawn evaluated scored retracted repaired
applied notified calendar closed other""".split()


@st.composite
def owing(draw: st.DrawFn, approving: bool = False) -> Bureau:
    """A life of two years about which two offices adopt measures, entered in time or late."""
    ledger = Bureau(calendars=draw(st.sampled_from([(), (2025,), (2025, 2026)])), approving=approving)
    ledger.registered("2010-03-01", responsible_person=PERSON)
    ledger.started("2010-03-01")
    ledger.scored(2024, draw(st.sampled_from(["99", "85", "75", "60"])), on="2024-12-20")
    for clause in draw(st.lists(CLAUSES, min_size=1, max_size=4)):
        ledger.adopted(clause, draw(EARLY), office=draw(st.sampled_from([OFFICE, OTHER])))
    ledger.evaluated(2024)
    named: list[str] = []
    whats = draw(st.lists(st.sampled_from(WHAT), min_size=1, max_size=14))
    for what, entered in zip(whats, sorted(draw(st.lists(st.integers(60, 600), min_size=len(whats), max_size=len(whats)))), strict=True):
        on = FIRST + timedelta(days=entered)
        ledger.clock = max(ledger.clock, morning(on))
        day = (on - timedelta(days=draw(st.sampled_from([0, 0, 0, 3, 40, 200])))).isoformat()
        ledger.source = draw(st.sampled_from([OFFICE, OTHER]))
        if what in ("visit", "recheck", "other"):
            kind = {"visit": "routine", "recheck": "recheck", "other": "special"}[what]
            named.append(ledger.inspected(day, kind=kind, mode=draw(st.sampled_from(["on_site", "on_site", "written"]))))
        elif what == "night":
            ledger.day_closed(day)
        elif what == "fined":
            named.append(ledger.penalised(day, act(draw(st.sampled_from(KINDS)))))
        elif what == "warned":
            named.append(ledger.warned(day, term=day))
        elif what == "case":
            named.append(ledger.case_closed(day))
        elif what == "report":
            draw(st.sampled_from([ledger.rectified, ledger.self_inspected]))(day)
        elif what == "announced":
            ledger.announced(day, of=draw(st.sampled_from(named)) if named else None)
        elif what in ("adopted", "withdrawn"):
            office = draw(st.sampled_from([OFFICE, OTHER]))
            ledger.adopted(draw(CLAUSES), day, office=office, withdrawn=what == "withdrawn")
        elif what == "scored":
            ledger.scored(2025, draw(st.sampled_from(["99", "85", "75", "60"])))
        elif what == "evaluated":
            ledger.evaluated(2025, known=draw(st.sampled_from([None, "2026-02-20"])))
        elif what == "retracted" and named:
            ledger.retracted(draw(st.sampled_from(named)), day)
        elif what == "repaired" and named:
            ledger.repaired(draw(st.sampled_from(named)), day, draw(DAYS))
        elif what == "applied":
            later = (date.fromisoformat(day) + timedelta(days=draw(st.integers(0, 40)))).isoformat()
            ledger.applied(day, accepted=later, decide_by=later)
        elif what == "notified":
            ledger.notified(day, office=draw(st.sampled_from([OFFICE, OTHER])))
        elif what == "calendar":
            ledger.calendar(2026, on=day)
        elif what == "closed":
            ledger.closed(day)
    return ledger


def of_duties(told: Iterable[Told]) -> list[dict[str, Any]]:
    return [one.event for one in told if one.event["type"] in TYPES]


def standing(events: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a reader of the stream knows: the last that was told of each duty, but for those that never were."""
    last = {one["data"]["duty"]: one["data"] for one in events}
    return {id: one for id, one in last.items() if one["state"] != "void"}


def step_by_step(ledger: Bureau, *, forget: bool = False) -> list[Told]:
    """What ``decide`` tells of every step. ``forget``: each on a subject that is folded anew, as after a start."""
    controls, told, facts = Controls(), [], []
    subject = Subject(ledger.subject, 3)
    for one in ledger.facts:
        if one.name in CONTROLS and not controls.apply(one):
            continue
        if forget:
            subject = Subject(ledger.subject, 3)
            subject.take_all(facts)
        told += decide(subject, controls, {"liyujiang": ledger.book}, one)
        facts += [] if one.name in CONTROLS else [one]
    return told


@relaxed
@given(owing())
def test_what_is_kept_between_steps_says_what_is_made_anew(ledger: Bureau) -> None:
    assert [one.event for one in step_by_step(ledger)] == [one.event for one in step_by_step(ledger, forget=True)]


@relaxed
@given(owing())
def test_days_that_are_passed_over_would_have_told_nothing(ledger: Bureau) -> None:
    last = max(one.known for one in ledger.facts)
    nights = [
        Fact(3, 0, stamp, stamp, stamp, f"night-{stamp}", OFFICE, "day.closed", {"through": (FIRST + timedelta(days=at)).isoformat()})
        for at in range(0, 640, 1)
        if (stamp := 1_730_476_800_000 + at * 86_400_000) <= last
    ]
    steps = sorted((*ledger.facts, *nights), key=lambda one: (one.known, one.offset))
    steps = [replace(one, offset=at) for at, one in enumerate(steps)]
    controls = Controls()
    for one in steps:
        if one.name in CONTROLS:
            controls.apply(one)
    own = [one for one in steps if one.name not in CONTROLS]
    leaping = [one.event for one in history(ledger.subject, 3, merged(own, controls), controls, {"liyujiang": ledger.book})]
    ledger.facts = steps
    assert leaping == [one.event for one in step_by_step(ledger)]


@relaxed
@given(owing())
def test_what_was_told_adds_up_to_what_holds(ledger: Bureau) -> None:
    # A further step on the same day, on which everything before it is over.
    day = date.fromisoformat("1970-01-01") + timedelta(milliseconds=max(one.known for one in ledger.facts))
    ledger.day_closed((day - timedelta(days=1)).isoformat())
    events = of_duties(ledger.told())
    known = {one.id: one for one in ledger.duties(day.isoformat())}
    found = standing(events)
    assert known.keys() == found.keys()
    for id, one in known.items():
        assert (one.state, str(one.due_on), one.measure.name) == tuple(found[id][name] for name in ("state", "due_on", "measure"))
    for event in events:
        row = lookup(event["type"])
        assert row is not None
        check_data(row, event["data"], event["subject"])
    assert len(events) == len({one["id"] for one in events})


@relaxed
@given(owing(), st.data())
def test_further_copies_change_nothing(ledger: Bureau, data: st.DataObject) -> None:
    alone = of_duties(ledger.told())
    again = data.draw(st.lists(st.sampled_from(ledger.facts), max_size=5))
    end = ledger.facts[-1]
    ledger.facts += [replace(one, offset=end.offset + 1 + at, known=end.known) for at, one in enumerate(again)]
    assert alone == of_duties(ledger.told())


def sequence_lines(live: dict[str, list[Told]]) -> list[bytes]:
    lines = []
    for events in live.values():
        places: Counter[bool] = Counter()
        for one in events:
            lines.append(step_line(one.event, places[one.event["type"] in TYPES]))
            places[one.event["type"] in TYPES] += 1
    return lines


def final_lines(live: dict[str, list[Told]]) -> list[bytes]:
    """Of the last that was told of each subject and each duty."""
    lines = []
    for told in live.values():
        last = [one.event for one in told if one.event["type"] == TYPE][-1:]
        lines += [line for one in last if (line := told_line(one))]
        if not lines or not last or last[0]["data"]["status"] == "not_rated":
            continue
        for one in standing(of_duties(told)).values():
            kept = [one[name] for name in ("office", "clause", "state", "opened_on", "due_on", "performed_on", "lapsed_on")]
            lines.append(orjson.dumps([last[0]["subject"], "liyujiang", "duty", one["duty"], *kept]))
    return lines


@relaxed
@given(st.lists(owing(approving=True), min_size=1, max_size=3))
def test_three_drivers_agree_on_duties(ledgers: list[Bureau]) -> None:
    sent: list[Sent] = with_an_end(stream(ledgers))
    live = told_live(sent)
    assert digest_of(final_lines(live)) == digest_of(bulk(gathered(sent)).lines) == from_file(sent)
    every = bulk(gathered(sent), sequence=True)
    assert digest_of(sequence_lines(live)) == digest_of(every.lines) == from_file(sent, sequence=True)


def test_a_visit_that_found_nothing_is_read_in_bulk_where_it_may_be_due() -> None:
    ledger = graded("C", "四(二)2", approving=True)
    ledger.inspected("2025-05-05")
    ledger.day_closed("2025-12-31")
    sent = with_an_end(stream([ledger]))
    live = told_live(sent)
    lines = bulk(gathered(sent)).lines
    assert digest_of(final_lines(live)) == digest_of(lines) == from_file(sent)
    assert any(b'"performed"' in one for one in lines)
