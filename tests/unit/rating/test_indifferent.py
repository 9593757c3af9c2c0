"""Reviews, stays, determinations of truth, lists and assignments are kept by no grade: it changes by what follows from them."""

from __future__ import annotations

import pytest

from services.rating.domain.facts import compact
from tests.toolkit import golden

INDIFFERENT = (
    *("reconsideration.opened", "reconsideration.decided", "litigation.opened", "litigation.decided", "stay.ordered", "stay.lifted"),
    *("truth.determined", "other_department_list.received", "entry.assigned", "entry.handed_over"),
)


@pytest.mark.parametrize("name", INDIFFERENT)
def test_no_fact_of_rating_is_made_of_it(name: str) -> None:
    assert compact(golden(name), {}, partition=0, offset=0, known=0, stamp=0) is None
