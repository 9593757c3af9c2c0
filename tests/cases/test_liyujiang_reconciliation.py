"""The term for entering what another department's list has, which the operator sets: the day before its end, the day, the day after."""

from __future__ import annotations

import pytest

from services.audit.domain.detectors.not_entered import NotEntered, Reconciliation
from tests.cases import ledger
from tests.unit.audit.detectors.bench import run
from tests.unit.audit.detectors.test_not_entered import AFTER, NUMBER, RATED, decision, listed

pytestmark = pytest.mark.clause("五(四) ¶4", "R12")


def detector() -> NotEntered:
    rule = Reconciliation.of(ledger.book("liyujiang").rulebook)
    assert rule is not None
    return NotEntered([rule])


# Received on Monday 2 March 2026; the tenth working day after it is Monday 16 March.
@pytest.mark.parametrize(("until", "found"), [("2026-03-15", 0), ("2026-03-16", 1), ("2026-03-17", 1)])
def test_what_is_entered_nowhere_is_found_by_the_close_of_the_last_day(until: str, found: int) -> None:
    assert found == len(run(detector(), [*RATED, listed(NUMBER)], until=until).signs)


@pytest.mark.parametrize(("at", "found"), [("2026-03-15 10:00", 0), ("2026-03-16 23:59", 0), ("2026-03-17 00:01", 1)])
def test_what_is_entered_on_the_last_day_is_in_time(at: str, found: int) -> None:
    assert found == len(run(detector(), [*RATED, listed(NUMBER), decision(at)], until=AFTER).standing)
