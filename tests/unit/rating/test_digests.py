"""Live, bulk and file drivers say the same: equal digests of final grades and of all grade events, whatever is entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.times import instant
from services.rating.bulk import fold_lines, in_order
from services.rating.domain.controls import Controls
from services.rating.domain.digest import digest_of, final_line, step_line, told_line
from services.rating.domain.emit import TYPE
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Told
from services.rating.domain.foldable import foldable
from services.rating.gathering import Gathered
from services.rating.outcome import Outcome, Question, final, told
from tests.cases.ledger import Ledger, book, shop
from tests.unit.rating.streams import BOOKS, Sent, stream, told_live
from tests.unit.rating.test_fold_properties import steps
from tests.unit.rating.test_spans_properties import lives

pytestmark = pytest.mark.sweep
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LIVES = st.lists(st.one_of(lives(approving=True), steps(approving=True)), min_size=1, max_size=4)


def live_final(live: dict[str, list[Told]]) -> str:
    """Of the last that was told of each subject."""
    last = [[one.event for one in events if one.event["type"] == TYPE][-1:] for events in live.values()]
    return digest_of(line for events in last for event in events if (line := told_line(event)))


def live_sequence(live: dict[str, list[Told]]) -> str:
    return digest_of(step_line(one.event, place) for events in live.values() for place, one in enumerate(events))


def gathered(sent: Sequence[Sent], **more: object) -> Gathered:
    found = Gathered(3, **more)
    for start in range(0, len(sent), 7):
        found.take(one.entry(start + at) for at, one in enumerate(sent[start : start + 7]))
    return found


def bulk(found: Gathered, *, sequence: bool = False, moment: int | None = None) -> Outcome:
    asked, outcome = Question(BOOKS, found.known if moment is None else moment, sequence=sequence), Outcome()
    work = told if sequence else final
    for subject, facts in found.each(every=sequence):
        work(subject, 3, facts, found.controls, asked, outcome)
    outcome.unreadable += found.unreadable
    return outcome


def from_file(sent: Sequence[Sent], *, sequence: bool = False, moment: int | None = None) -> str:
    """The same stream by the file driver."""
    the_book = BOOKS["liyujiang"]
    folded = fold_lines([one.value for one in sent], the_book)
    asked, outcome = Question(BOOKS, folded.known if moment is None else moment, sequence=sequence), Outcome()
    facts, controls = in_order(folded)
    for subject, own in facts.items():
        (told if sequence else final)(subject, 0, own, controls, asked, outcome)
    return digest_of(outcome.lines)


def with_an_end(sent: list[Sent]) -> list[Sent]:
    """Closed by a day that closes, so that live rating has looked at everyone on the last day."""
    last = max(one.fact.known for one in sent)
    night = Fact(3, 0, last, last, last, "end", "/services/intake", "day.closed", {"through": instant(last)[:10]})
    return [*sent, Sent(None, night)]


@relaxed
@given(LIVES)
def test_three_drivers_agree_on_the_final_grades(ledgers: list[Ledger]) -> None:
    sent = with_an_end(stream(ledgers))
    live = live_final(told_live(sent))
    found = bulk(gathered(sent))
    assert (0, 0) == (found.unreadable, found.untold)
    assert live == digest_of(found.lines) == from_file(sent)


def test_a_grade_that_stays_for_another_reason_is_told_anew() -> None:
    """First no score is on record; then one is, and no condition holds: nothing but the clause changes."""
    ledger = shop("2024-03-01", approving=True)
    ledger.warned("2024-03-05")
    ledger.evaluated(2023, on="2024-03-10")
    ledger.scored(2023, "99", on="2024-03-11")
    before, after = ledger.determined()[-2:]
    assert before.event["data"]["clauses"] != after.event["data"]["clauses"] == list(ledger.now().clauses)
    sent = with_an_end(stream([ledger]))
    assert live_final(told_live(sent)) == digest_of(bulk(gathered(sent)).lines) == from_file(sent)


@relaxed
@given(LIVES)
def test_three_drivers_agree_on_every_grade_event(ledgers: list[Ledger]) -> None:
    sent = stream(ledgers)
    live = live_sequence(told_live(sent))
    assert live == digest_of(bulk(gathered(sent), sequence=True).lines) == from_file(sent, sequence=True)


@relaxed
@given(LIVES, st.data())
def test_further_copies_and_other_ways_of_writing_change_nothing(ledgers: list[Ledger], data: st.DataObject) -> None:
    """A record without headers, with another type in its header, or a second time: read more slowly, rated the same."""
    sent = with_an_end(stream(ledgers))
    expected = digest_of(bulk(gathered(sent)).lines)
    found = Gathered(3)
    for offset, one in enumerate(sent):
        entry = list(one.entry(2 * offset))
        how = data.draw(st.sampled_from(["as it is", "no headers", "another type", "an unknown type", "another key", "twice"]))
        if how == "no headers":
            entry[4] = data.draw(st.sampled_from([[], [("a", b"b"), ("c", None), ("d", b"")]]))
        elif how == "another type":
            entry[4] = [("ce_id", b"other"), ("ce_type", b"mingjian.score.recorded.v1")]
        elif how == "an unknown type":
            entry[4] = [("ce_type", b"mingjian.sampling.recorded.v1"), ("ce_id", b"other")]
        elif how == "another key":
            entry[2] = b"uscc:somebody"
        found.take([tuple(entry)])
        if how == "twice":
            entry[0] += 1
            found.take([tuple(entry)])
    assert expected == digest_of(bulk(found).lines)


@relaxed
@given(LIVES, st.data())
def test_what_was_known_at_an_instant_is_the_beginning_of_the_stream(ledgers: list[Ledger], data: st.DataObject) -> None:
    sent = stream(ledgers)
    until = data.draw(st.sampled_from(sent)).fact.known
    asked = data.draw(st.sampled_from(sent)).fact.known
    known = [one for one in sent if one.fact.known <= until]
    cut = gathered(sent, until=until)
    assert len(known) == cut.records
    expected = digest_of(bulk(gathered(known), moment=asked).lines)
    assert expected == digest_of(bulk(cut, moment=asked).lines)
    folded = fold_lines([one.value for one in sent], BOOKS["liyujiang"], known_at=until)
    assert {name: subject.log for name, subject in folded.subjects.items()} == {
        name: subject.log for name, subject in fold_lines([one.value for one in known], BOOKS["liyujiang"]).subjects.items()
    }


@relaxed
@given(LIVES, st.randoms(use_true_random=False))
def test_the_order_of_subjects_in_a_file_changes_nothing(ledgers: list[Ledger], chance: object) -> None:
    sent = stream(ledgers)
    subjects = list(dict.fromkeys(one.subject for one in sent))
    chance.shuffle(subjects)
    apart = [one for subject in subjects for one in sent if one.subject == subject]
    assert from_file(sent) == from_file(apart)
    assert from_file(sent, sequence=True) == from_file(apart, sequence=True) or _ties(sent)


def _ties(sent: Sequence[Sent]) -> bool:
    """Whether a control became known in the very millisecond of a fact: then the file's order alone says which was first."""
    controls = {one.fact.known for one in sent if one.subject is None}
    return any(one.fact.known in controls for one in sent if one.subject)


def test_a_score_that_is_not_final_and_nothing_else_still_says_who_rates() -> None:
    """The only fact of its kind that brings nothing and yet makes the regime rate the subject."""
    ledger = Ledger(approving=True)
    ledger.scored(2025, "95", final=False)
    sent = stream([ledger])
    assert 1 == len(bulk(gathered(sent)).lines)
    assert live_final(told_live(sent)) == digest_of(bulk(gathered(sent)).lines)


def test_what_nobody_can_read_is_counted_and_the_rest_is_rated() -> None:
    sent = stream([_graded()])
    expected = bulk(gathered(sent)).lines
    found = gathered(sent)
    key, end = sent[-1].key, len(sent)
    broken = sent[-1].value.replace(b'"data":{', b'"data":[{', 1)
    found.take([(end, 0, key, b"no envelope", []), (end + 1, 0, key, None, []), (end + 2, 0, key, broken, [])])
    outcome = bulk(found)
    assert (expected, 3) == (outcome.lines, outcome.unreadable)


def test_a_fact_that_can_not_be_folded_is_left_out_as_live_rating_does() -> None:
    ledger = _graded()
    sent = stream([ledger])
    bad = replace(
        sent[-1].fact,
        name="penalty.decided",
        id="bad",
        data={"occurred_on": "2026-02-01", "acts": "none", "service": {"served_on": "2026-02-01"}},
    )
    found = gathered([*sent, Sent(sent[-1].subject, bad)])
    outcome = bulk(found)
    assert bulk(gathered(sent)).lines == outcome.lines
    assert (1, 0) == (outcome.unreadable, outcome.untold)


def test_a_regime_that_fails_for_a_subject_is_counted_and_has_no_line() -> None:
    ledger = _graded()
    sent = stream([ledger])
    wrong = replace(next(one for one in sent if one.fact.name == "score.recorded").fact, id="wrong", offset=999)
    wrong = replace(wrong, data=wrong.data | {"total": "not a number"})
    outcome = bulk(gathered([*sent, Sent(sent[-1].subject, wrong)]))
    assert ([], 1) == (outcome.lines, outcome.untold)


def test_the_digest_moves_with_a_grade_a_clause_or_a_day_and_not_with_the_order() -> None:
    ledger = _graded()
    found = ledger.now()
    assert found is not None
    line = final_line(ledger.subject, "liyujiang", found)
    assert line is not None
    others = [
        final_line("uscc:other", "liyujiang", found),
        final_line(ledger.subject, "fhrs", found),
        *(final_line(ledger.subject, "liyujiang", replace(found, **change)) for change in ({"grade": "C"}, {"in_force_from": None})),
        final_line(ledger.subject, "liyujiang", replace(found, reasons=())),
    ]
    assert 6 == len({digest_of([one]) for one in (line, *others)})
    assert digest_of([line, b"x"]) == digest_of([b"x", line]) != digest_of([line])
    assert None is final_line(ledger.subject, "liyujiang", None) is final_line("x", "x", replace(found, status="not_rated"))


def test_foldable_keeps_what_can_be_folded() -> None:
    facts = [one for one in _graded().facts if one.name not in ("rulebook.activated", "evaluation.closed")]
    bad = replace(facts[-1], offset=99, id="bad", name="operation.started", data={})
    refused: list[int] = []
    state = foldable("uscc:1", 3, [*facts, bad], lambda: refused.append(1))
    assert (len(facts), 1) == (state.count, len(refused))


def _graded() -> Ledger:
    ledger = Ledger(approving=True)
    ledger.opened("2010-03-01")
    ledger.inspected("2025-05-05")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.inspected("2026-01-20")
    return ledger


def test_controls_of_a_file_count_once_however_often_they_stand_there() -> None:
    sent = stream([_graded()])
    controls = [one for one in sent if one.subject is None]
    folded = fold_lines([one.value for one in (*controls, *sent, *controls)], book("liyujiang"))
    assert len(controls) == len(folded.controls.facts)
    assert isinstance(folded.controls, Controls)
