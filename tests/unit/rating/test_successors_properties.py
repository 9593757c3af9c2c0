"""R19: who took over everything and did nothing is rated as the one before, whatever happened to that one and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, SUCCEEDED, Fact
from services.rating.domain.grade import standing
from services.rating.domain.spans import pair_of
from services.rating.domain.subject import fold
from services.rating.domain.succession import joined, links
from tests.cases.ledger import Ledger
from tests.unit.rating.test_spans_properties import FIRST, SLOW, lives

OLD, NEW, NEWER = "uscc:91350100M000100Y43", "uscc:91350100M000100044", "uscc:91350100M000100145"


def succession(predecessor: str, successor: str, on: date, known: int) -> Fact:
    data = {"occurred_on": on.isoformat(), "predecessor": predecessor, "successor": successor, "manner": "transfer"}
    return Fact(3, 10_000, known, known, known, f"{predecessor}>{successor}", "/office", SUCCEEDED, data)


@settings(max_examples=120, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=SLOW)
@given(lives(), st.integers(0, 900), st.booleans(), st.booleans())
def test_the_successor_is_rated_as_the_predecessor(ledger: Ledger, number: int, early: bool, chain: bool) -> None:
    """``early``: the succession was known before all facts; else after them. ``chain``: by way of a third."""
    on = FIRST + timedelta(days=number)
    known = 0 if early else ledger.clock
    own = [fact for fact in ledger.facts if fact.name not in CONTROLS]
    controls = Controls()
    for fact in ledger.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
    middle = NEWER if chain else NEW
    through = [succession(OLD, middle, on, known), *([succession(middle, NEW, on, known)] if chain else [])]
    logs = {OLD: [*own, through[0]], middle: through, NEW: through[-1:] if chain else through}
    before, after = fold(OLD, 3, own), joined(NEW, 9, logs, links(logs))
    for later in (0, 1, 40, 400):
        day = on + timedelta(days=later)
        was, now = (standing(one, controls, ledger.book, upto=2**62, as_of=day) for one in (before, after))
        assert pair_of(was) == pair_of(now), (day, ledger)
        assert now is None or now.in_force_from is None or now.in_force_from >= on
    assert standing(after, controls, ledger.book, upto=2**62, as_of=on - timedelta(days=1)) is None


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(lives(), st.randoms(use_true_random=False))
def test_no_order_of_logs_or_of_doubled_facts_matters(ledger: Ledger, shuffled) -> None:  # type: ignore[no-untyped-def]
    own = [fact for fact in ledger.facts if fact.name not in CONTROLS]
    half = len(own) // 2
    link = succession(OLD, NEW, FIRST, own[half].known)
    newer = [replace(fact, partition=5) for fact in own[half:]]
    logs = {OLD: [*own[:half], link], NEW: [*newer, replace(link, partition=5)]}
    expected = [(fact.key, fact.offset) for fact in joined(NEW, 5, logs, links(logs)).log.values()]
    names = list(logs)
    shuffled.shuffle(names)
    again = {name: [*logs[name], *(fact for fact in logs[name] if fact.name == SUCCEEDED)] for name in names}
    assert expected == [(fact.key, fact.offset) for fact in joined(NEW, 5, again, links(again)).log.values()]
