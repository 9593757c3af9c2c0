"""Inspections of every kind in every order of entry: the same standing, and the one that a plain reading of the rules gives."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases.ledger import Ledger
from tests.cases.test_nyc_grades import inspected, premises

FIRST = date(2024, 1, 1)
KINDS = ("initial", "recheck", "reopening", "special")

Visit = tuple[int, str, int | None, str | None, bool]
"""Days from the first day, kind, points, closure, pending."""


def visits() -> st.SearchStrategy[list[Visit]]:
    one = st.tuples(
        st.integers(0, 15),
        st.sampled_from(KINDS),
        st.sampled_from((13, 14, 28, None)),
        st.sampled_from((None, "ordered", "kept", "lifted")),
        st.sampled_from((False,) * 7 + (True,)),
    )
    return st.lists(one, min_size=1, max_size=6, unique_by=lambda visit: visit[0])


def day(visit: Visit) -> str:
    return str(FIRST + timedelta(days=visit[0]))


def entered(made: list[Visit]) -> Ledger:
    ledger = premises()
    for visit in made:
        _, kind, points, closure, pending = visit
        more: dict[str, Any] = {"closure": closure} if closure else {}
        # Published without points is what makes an inspection count that says nothing else.
        more |= {"published_outcome": "N"} | ({"outcome_pending": True} if pending else {})
        inspected(ledger, day(visit), kind, points, **more)
    return ledger


def letter(points: int) -> str:
    return "A" if points <= 13 else "B" if points <= 27 else "C"


def closed_by(before: list[Visit]) -> Visit | None:
    """The visit that closed what is open again now, or None where nobody knows."""
    for visit in reversed(before):
        if visit[3] == "kept":
            continue
        return visit if visit[3] == "ordered" else None
    return None


def plain(made: list[Visit]) -> str:
    """By the rules as a person reads them, from the newest visit back."""
    if not made:
        return "not_yet_graded"
    *before, (on, kind, points, closure, pending) = made
    closing = closed_by(before) if closure == "lifted" else None
    if closure in ("ordered", "kept"):
        return "closed_by_order"
    if pending:
        return "grade_pending"
    if closing is not None and closing[1] == "initial":
        return "grade_pending"
    newest_initial = max((visit[0] for visit in before if visit[1] == "initial"), default=None)
    if kind == "initial" and points is not None and points > 13:
        return "awaiting_reinspection"
    if kind == "recheck" and newest_initial is not None and on - newest_initial < 7:
        return "awaiting_reinspection"
    found = [letter(points)] if points is not None and kind in ("initial", "recheck") else []
    if closure == "lifted" and closing is None:
        found.append("C")
    if closing is not None and closing[1] == "recheck" and closing[2] is not None:
        found.append(letter(closing[2]))
    if found:
        return min(found)
    if kind in ("initial", "recheck") or (closing is not None and closing[1] in ("initial", "recheck")):
        return "not_gradable"
    return plain(before[: before.index(closing)] if closing is not None else before)


@given(visits(), st.randoms(use_true_random=False))
def test_the_order_of_entry_changes_nothing(made: list[Visit], chance: Any) -> None:
    shuffled = list(made)
    chance.shuffle(shuffled)
    last = str(FIRST + timedelta(days=60))
    one, other = entered(sorted(made)), entered(shuffled)
    assert one.grade(last) == other.grade(last)
    for visit in made:
        assert one.grade(day(visit)) == other.grade(day(visit))


@given(visits())
def test_the_fold_gives_what_a_plain_reading_gives_on_every_day(made: list[Visit]) -> None:
    ordered = sorted(made)
    ledger = entered(ordered)
    for count, visit in enumerate(ordered, 1):
        assert plain(ordered[:count]) == ledger.grade(day(visit))


@given(visits())
def test_what_was_told_step_by_step_comes_to_what_stands(made: list[Visit]) -> None:
    """Told as it came in, by its day: what was told last of a grade or status is what stands."""
    ledger = entered(sorted(made))
    told = [one.event["data"] for one in ledger.determined()]
    assert (told[-1]["grade"] or told[-1]["status"]) == ledger.grade()
    for data in told:
        assert all(reason["zh"] and reason["en"] and "{" not in reason["en"] for reason in data["reasons"])


def test_the_plain_reading_sees_the_difference() -> None:
    """It is no copy of the fold: where points differ by one, so does it."""
    assert ["A", "awaiting_reinspection"] == [plain([(0, "initial", points, None, False)]) for points in (13, 14)]
    with pytest.raises(AssertionError):
        assert plain([(0, "initial", 13, None, False)]) == entered([(0, "initial", 14, None, False)]).grade()
