"""Chains kept up act by act are those that a look at every pair finds, whatever the order of entry."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.rating.domain.acts import Act
from services.rating.domain.days import add_months
from services.rating.domain.index import index_of
from services.rating.domain.subject import Subject
from services.rating.domain.view import View
from tests.cases.ledger import Ledger, book

BOOK = book("liyujiang").rulebook
FIRST = date(2023, 1, 1)
SPAN = st.integers(0, 500)


def on(days: int) -> str:
    return (FIRST + timedelta(days=days)).isoformat()


@st.composite
def warnings(draw: st.DrawFn) -> Ledger:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    given: list[str] = []
    for _ in range(draw(st.integers(0, 12))):
        decided = draw(SPAN)
        what = draw(st.sampled_from(["warned", "warned", "warned", "announced", "mended"]))
        code = draw(st.sampled_from(["GSP-07", "GSP-07", "GSP-08"]))
        term = draw(st.sampled_from([None, 0, 10, 60]))
        last = on(decided + term) if term is not None else None
        if what == "warned":
            served = on(decided + draw(st.integers(0, 40)))
            id = ledger.warned(on(decided), served=served, violation=code, term=last, ordered=draw(st.booleans()))
            given.append(id)
        elif what == "announced":
            of = draw(st.sampled_from([None, *given]))
            ledger.announced(on(decided), violation=code, term=last, of=of)
        else:
            ledger.inspected(on(decided), corrected=(code,))
    return ledger


def pairs(view: View) -> dict[tuple[object, ...], int]:
    """The act that completes a chain → the length of its longest chain, by R6 as it is written."""
    acts: list[Act] = []
    known: dict[str | None, set[tuple[object, ...]]] = defaultdict(set)
    for act in view.acts:
        if act.sanctions & {"warning", "announcement"}:
            if known[act.violation].isdisjoint(act.same_as):
                acts.append(act)
                known[act.violation] |= act.same_as
    longest: list[int] = []
    for position, act in enumerate(acts):
        before = [longest[at] for at, one in enumerate(acts[:position]) if one.violation == act.violation and follows(one, act, view)]
        longest.append(1 + max(before, default=0))
    return {act.identity: length for act, length in zip(acts, longest, strict=True) if length >= 2}


def follows(first: Act, second: Act, view: View) -> bool:
    assert second.happened
    if begins_none(first):
        return False
    mended = any(first.effective <= day <= second.happened and second.violation in codes for day, codes, _ in view.corrections)
    after_term = first.correct_by is None or second.happened > first.correct_by
    return first.effective < second.happened <= add_months(first.effective, 12) and after_term and not mended


def begins_none(act: Act) -> bool:
    return bool(act.fact.data.get("correction_ordered")) and act.correct_by is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(warnings(), st.booleans())
def test_the_chains_are_those_of_every_pair(ledger: Ledger, asked_between: bool) -> None:
    subject = Subject(ledger.subject, 3)
    for fact in ledger.facts:
        subject.apply(fact)
        if asked_between:
            view = subject.view_on(date.max)
            index_of(view, BOOK).causes("d_succession", 0, view)
    view = subject.view_on(date.max)
    causes = index_of(view, BOOK).causes("d_succession", 0, view)
    expected = pairs(view)
    assert list(expected) == [one.act.identity for one in causes]
    for one in causes:
        chain = one.acts()
        assert chain[-1] is one.act
        assert len(chain) == one.quantity <= expected[one.act.identity]
        assert all(follows(first, second, view) for first, second in zip(chain, chain[1:], strict=False))
