"""What the public reads off the grade events is, day by day, what rating says of these days: whatever is entered, and in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.publication.domain.history import Told as Shown
from services.publication.domain.history import spans as laid
from services.rating.domain import emit
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import decide
from services.rating.domain.grade import standing
from services.rating.domain.spans import NOTHING, pair_of
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, act

FIRST = date(2024, 3, 1)
KINDS = ("fine", "warning", "suspension_ordered", "advertising_approval_revoked", "detention")
UNDOING = ("annulled", "retracted", "objection_upheld", "repaired")


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


@st.composite
def lives(draw: st.DrawFn, regime: str = "liyujiang", approving: bool | None = None) -> Ledger:
    """A few years of a shop: papers that come late, corrections of corrections, repairs ahead of their day."""
    ledger = Ledger(regime, approving=draw(st.booleans()) if approving is None else approving)
    ledger.registered(day(0))
    today, ids, papers, starts = 0, [], [], [ledger.started(day(draw(st.integers(0, 5))))]
    for _ in range(draw(st.integers(1, 14))):
        today += draw(st.sampled_from([0, 0, 1, 2, 9, 40, 200]))
        past = day(draw(st.integers(max(0, today - 400), today)))
        what = draw(
            st.sampled_from(
                [
                    "penalty",
                    "penalty",
                    "other",
                    "word",
                    "word",
                    "undo",
                    "undo",
                    "words",
                    "inspection",
                    "score",
                    "evaluation",
                    "close",
                    "start",
                    "stop",
                ]
            )
        )
        if what == "penalty":
            served = draw(st.sampled_from([None, past, day(today)]))
            papers.append(ledger.penalised(past, act(draw(st.sampled_from(KINDS))), served=served, known=day(today)))
            ids.append(papers[-1])
            if served is None and draw(st.booleans()):
                ids.append(ledger.served(papers[-1], day(today)))
        elif what == "other":
            served = draw(st.sampled_from([past, day(today)]))
            ids.append(ledger.other_department(past, served=served, number=draw(st.sampled_from(["J-1", "J-2", "J-3"]))))
        elif what == "word":
            word = draw(st.sampled_from([ledger.approved, ledger.approved, ledger.returned]))
            ids.append(word(draw(st.sampled_from("ADE")), draw(st.sampled_from([day(today), past]))))
        elif what == "inspection":
            found = draw(st.sampled_from([(), ("GSP-07",)]))
            ids.append(ledger.inspected(past, found=found))
        elif what == "undo" and ids:
            undo = getattr(ledger, draw(st.sampled_from(UNDOING)))
            ids.append(undo(draw(st.sampled_from([*ids, *starts])), day(today)))
        elif what == "words" and papers:
            words = {"occurred_on": past, "document_no": f"N-{past}", "acts": [act(draw(st.sampled_from(KINDS)))]}
            words |= draw(st.sampled_from([{}, {"service": {"served_on": day(today), "method": "post"}}]))
            ids.append(draw(st.sampled_from([ledger.changed, ledger.corrected_entry]))(draw(st.sampled_from(papers)), day(today), words))
        elif what == "score":
            year = date.fromisoformat(day(today)).year - draw(st.integers(0, 1))
            ids.append(ledger.scored(year, draw(st.sampled_from(["99", "93", "84", "75", "60"])), on=day(today)))
        elif what == "evaluation":
            year = date.fromisoformat(day(today)).year - 1
            ledger.evaluated(year, on=day(draw(st.integers(today, today + 20))), known=day(today))
        elif what == "close":
            ledger.day_closed(day(today))
            today += 1
        elif what == "start":
            starts.append(ledger.started(past))
        elif what == "stop":
            ids.append(ledger.interrupted(past, draw(st.sampled_from([None, day(today + 1)]))))
    return ledger


def shown(told: list) -> list:
    """The history as a subject's page lays it out."""
    return laid(
        Shown(
            number,
            one.event["data"]["grade"],
            one.event["data"]["status"],
            date.fromisoformat(one.event["data"]["in_force_from"] or "1949-10-01"),
            date.fromisoformat(one.event["data"]["corrected_to"]) if one.event["data"].get("corrected_to") else None,
        )
        for number, one in enumerate(told)
        if one.event["type"] in (emit.TYPE, emit.TYPE_CORRECTED)
    )


SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=150, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=SLOW)
@given(lives())
def test_the_history_that_is_told_is_the_history_that_is_known(ledger: Ledger) -> None:
    read_day_by_day(ledger)


def read_day_by_day(ledger: Ledger) -> None:
    """After each step, what a page shows of each day so far is what rating says of it."""
    subject, controls, told, first = Subject(ledger.subject, 3), Controls(), [], None
    for fact in ledger.facts:
        if fact.name in CONTROLS and not controls.apply(fact):
            continue
        told += decide(subject, controls, {ledger.regime: ledger.book}, fact)
        today = datetime.fromtimestamp(fact.known / 1000, UTC).date()
        first = first or (today if told else None)
        if first is None:
            continue
        stretches = shown(told)
        for number in range((today - first).days + 1):
            on = first + timedelta(days=number)
            known = standing(subject, controls, ledger.book, upto=fact.offset, as_of=on)
            read = next(((one.grade, one.status) for one in stretches if one.start <= on and (one.end is None or on < one.end)), NOTHING)
            assert read == (NOTHING if known is None else pair_of(known)) or (known is None and read == (None, "not_rated")), (
                on,
                fact.name,
                ledger,
            )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(lives())
def test_without_a_word_of_an_approver_nothing_that_needs_one_is_in_force(ledger: Ledger) -> None:
    """R8; and what is in force is never a grade that its own conditions don't give."""
    subject, controls, told = Subject(ledger.subject, 3), Controls(), []
    silent = [fact for fact in ledger.facts if fact.name != "grade.approved"]
    for fact in silent:
        if fact.name not in CONTROLS or controls.apply(fact):
            told += decide(subject, controls, {ledger.regime: ledger.book}, fact)
    grades = {one.event["data"]["grade"] for one in told if one.event["type"] in (emit.TYPE, emit.TYPE_CORRECTED)}
    open_ = {one.event["data"]["grade"] for one in told if one.event["type"] == emit.TYPE_PROPOSED}
    if ledger.book.rulebook.parameter("approval_required").at(FIRST):
        assert grades <= {"B", "C", None} and open_ <= {"A", "D", "E"}
    else:
        assert not open_


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(lives(), st.integers(0, 40))
def test_a_subject_that_was_read_back_tells_what_the_one_that_lived_tells(ledger: Ledger, cut: int) -> None:
    """The views of a subject that is folded fact by fact are those of one that is made from the log at once."""
    books = {ledger.regime: ledger.book}
    lived, controls, told = Subject(ledger.subject, 3), Controls(), []
    for fact in ledger.facts:
        if fact.name not in CONTROLS or controls.apply(fact):
            told.append((fact, [one.event for one in decide(lived, controls, books, fact)]))
    read, again = Subject(ledger.subject, 3), Controls()
    for position, (fact, events) in enumerate(told):
        if fact.name in CONTROLS:
            again.apply(fact)
        if position < cut:
            read.take(fact)
        else:
            assert events == [one.event for one in decide(read, again, books, fact)]
