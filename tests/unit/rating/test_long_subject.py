"""One subject whose record grows to 20,000 facts, through the handlers of the live worker: a further fact costs the same work and the
same bytes. Counted in lines, never in seconds: a loop over the record within one call shows as well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.bench.long_subject import Worker, life, records
from tests.cases.ledger import book, without_approval

pytestmark = pytest.mark.sweep

BOOK = without_approval(book("liyujiang"))
WINDOW, A_DAY = 200, 8


def lines(work: Callable[[], object]) -> int:
    """Lines of Python that are run while ``work`` does, each turn of a comprehension counting as one."""
    found = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal found
        found += 1
        return count

    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(None)
    return found


@pytest.mark.parametrize(("years", "retracted"), [(6, False), (2, True)])
def test_each_further_fact_costs_the_work_and_the_bytes_of_the_first_thousands(years: int, retracted: bool) -> None:
    """Of a stretch in the third thousand, when every rule has something to say, and of one so many years later: the windows of the
    rules are then as full as they were."""
    first, last = 2_000, 2_000 + 365 * A_DAY * years
    log, worker = records(life(last + WINDOW, a_day=A_DAY, retracted=retracted)), Worker(BOOK)
    found = []
    for low in (first, last):
        worker.work(log[worker.state.offset + 1 : low], 250)
        rows = []
        spent = lines(lambda low=low, rows=rows: rows.append(worker.work(log[low : low + WINDOW])))
        found.append((spent, rows[0].bytes, rows[0].rows))
    (early, early_bytes, early_rows), (late, late_bytes, late_rows) = found
    assert late < 1.25 * early, (early, late)
    # Offsets get longer, ids don't.
    assert late_bytes < 1.02 * early_bytes, (early_bytes, late_bytes)
    assert late_rows <= early_rows + 1
    assert worker.state.subject(log[-1].key.decode()).count > last
