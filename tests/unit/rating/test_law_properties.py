"""Several editions: where they say the same, nothing shows that there are several; where they differ, what is told of each day is what is
known of it, however an activation is dated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.rulebook import Rulebook
from services.rating.domain.controls import Controls
from services.rating.domain.emit import TYPE_CORRECTED
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.fold import Book, current, decide
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from tests.cases.law import dated, gone, numbered, rule, several, value, without_sanction
from tests.cases.ledger import Ledger
from tests.unit.rating.test_spans_properties import FIRST, SLOW, day, lives, read_day_by_day

CHANGES = {
    "harsher": rule("c_warned", grade="D"),
    "milder": several(gone("c_warned"), without_sanction("violations", "warning"), without_sanction("penalties", "warning")),
    "later": rule("d_money", at=("evaluation",)),
    "longer": value("clean_of_penalty", 60),
    "shorter": value("clean_of_violation", 6),
    "three": value("succession_count", 3),
    "bands": value("score_exemplary", 93),
    "steps": value("lowering_steps", 2),
    "judging": several(value("acts_judged_by", "judging_day"), gone("e_stopped")),
    "own law": several(value("milder_law_later", False), gone("e_stopped")),
    "new": value("full_year", 6),
    "dated": lambda book: dated(book, "succession_count", 1, "2024-09-01"),
}


def spread(ledger: Ledger, place: int, sha256: str, version: str, in_force_from: str) -> list[Fact]:
    """The ledger's facts with an activation after the one at ``place``."""
    facts = [replace(fact, offset=2 * fact.offset) for fact in ledger.facts]
    at = facts[place % len(facts)]
    data = {**ledger.facts[0].data, "sha256": sha256, "version": version, "in_force_from": in_force_from}
    new = Fact(at.partition, at.offset + 1, at.known, at.known, at.known, "a" * 8, at.source, "rulebook.activated", data)
    return sorted([*facts, new], key=lambda one: one.offset)


Held = tuple[Any, ...]


def held(book: Book, regime: str, name: str, facts: list[Fact]) -> list[tuple[Held | None, Held | None, list[Held]]]:
    """After each step what is in force, what is proposed, and which days it corrected."""
    subject, controls, found = Subject(name, 3), Controls(), []
    for fact in facts:
        if fact.name not in CONTROLS or controls.apply(fact):
            data = [one.event["data"] for one in decide(subject, controls, {regime: book}, fact) if one.event["type"] == TYPE_CORRECTED]
            days = [(one["in_force_from"], one["corrected_to"], one["previous_grade"], one["grade"], one["status"]) for one in data]
            now = current(subject, controls, book, upto=fact.offset, known=fact.known)
            found.append((_said(now), _said(now.proposed if now else None), days))
    return found


def _said(one: Standing | None) -> Held | None:
    return (one.grade, one.status, one.in_force_from, one.period_last, one.moment) if one else None


@settings(max_examples=120, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=SLOW)
@given(lives(), st.integers(0, 20), st.integers(-400, 900))
def test_editions_that_say_the_same_rate_the_same(ledger: Ledger, place: int, number: int) -> None:
    first: Rulebook = ledger.book.rulebook
    one, other = Book.of(first), Book.of(numbered(first, 2), first)
    on = (FIRST + timedelta(days=number)).isoformat()
    alone = held(one, ledger.regime, ledger.subject, spread(ledger, place, one.sha256, "2026.1", on))
    assert alone == held(other, ledger.regime, ledger.subject, spread(ledger, place, other.sha256, "2026.2", on))


@settings(max_examples=200, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=SLOW)
@given(lives(), st.sampled_from(sorted(CHANGES)), st.integers(0, 20), st.integers(-30, 700))
def test_what_is_told_across_editions_is_what_is_known(ledger: Ledger, change: str, place: int, number: int) -> None:
    first = ledger.book.rulebook
    book = Book.of(numbered(CHANGES[change](first), 2), first)
    facts = spread(ledger, place, book.sha256, "2026.2", day(number))
    ledger.book, ledger.facts = book, facts
    read_day_by_day(ledger)


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(lives(approving=False), st.sampled_from(["harsher", "milder", "longer", "steps", "three"]), st.integers(0, 700))
def test_no_change_of_law_makes_anyone_worse_off_for_what_was_done_before_it(ledger: Ledger, change: str, number: int) -> None:
    """All acts happened before the change: nobody is worse off than without it."""
    first = ledger.book.rulebook
    last = max(date.fromisoformat(fact.data.get("occurred_on") or "2005-01-01") for fact in ledger.facts)
    on = (max(last, FIRST) + timedelta(days=1 + number % 30)).isoformat()
    year = int(on[:4])
    ledger.scored(year, "95", on=f"{year}-12-31")
    ledger.evaluated(year)
    alone = ledger.on(f"{year + 1}-01-20")
    book = Book.of(numbered(CHANGES[change](first), 2), first)
    ledger.facts = spread(ledger, 0, book.sha256, "2026.2", on)
    ledger.offset *= 2
    ledger.book = book
    after = ledger.on(f"{year + 1}-01-20")
    if alone is None or alone.grade is None:
        return
    assert after is not None and after.grade is not None
    assert first.rank[after.grade] <= first.rank[alone.grade]
