"""What parts told, as rows and as a page shows them."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from schemas.topics import PARTS
from services.publication.domain.parts import Member, members, part_row, shares
from services.publication.domain.rows import Seen
from tests import toolkit

CHAIN, SHOP = "uscc:91990000YL00000392", "uscc:91990000YL0000012A"


def seen(**change: object) -> Seen:
    event = {**toolkit.golden("part.graded")}
    event |= {name: value for name, value in change.items() if name != "data"}
    event["data"] = {**event["data"], **change.get("data", {})}  # type: ignore[dict-item]
    return Seen(PARTS, 3, 9, 1, 1, open_record(derived_bytes(event)))


def test_a_word_of_a_part_is_a_row_with_the_place_and_instant_of_its_cause() -> None:
    row = part_row(seen())
    assert row is not None
    assert (CHAIN, SHOP, "shenzhen-pharmacy", 4105) == (row.parent, row.part, row.regime, row.cause_offset)
    assert [("B", "2026-01-14"), ("A", None)] == [(one["grade"], one["last"]) for one in row.stretches]
    assert all(set(one) == {"first", "last", "grade", "status"} for one in row.stretches)


def test_records_of_other_types_are_left_alone_and_broken_ones_refused() -> None:
    assert part_row(seen(type="mingjian.history.handed_over.v1")) is None
    with pytest.raises(NotAnEnvelope):
        part_row(seen(data={"stretches": [{"first": "yesterday", "status": "graded"}]}))
    with pytest.raises(NotAnEnvelope):
        part_row(seen(data={"cause": {}}))


@pytest.mark.parametrize(
    ("day", "grade"), [("2025-01-31", None), ("2025-02-01", "B"), ("2026-01-14", "B"), ("2026-01-15", "A"), ("2030-01-01", "A")]
)
def test_a_member_of_a_day_has_the_grade_of_the_day(day: str, grade: str | None) -> None:
    row = part_row(seen())
    assert row is not None
    rows = [{"part": row.part, "name": None, "regime": row.regime, "stretches": row.stretches}]
    assert ([grade] if grade else []) == [one.grade for one in members(rows, date.fromisoformat(day), subject="part")]


def test_shares_are_of_those_that_have_a_grade_and_never_rounded_up() -> None:
    found = [Member(str(number), None, "r", grade, "graded", date(2026, 1, 1)) for number, grade in enumerate(["A", "A", "B", None])]
    assert [("A", 2, "66.66"), ("B", 1, "33.33"), ("C", 0, "0")] == shares(found, ["A", "B", "C"])
    assert [("A", 3, "100")] == shares(found[:1] * 3, ["A"])
    assert [("A", 1, "10"), ("B", 9, "90")] == shares([found[0], *[found[2]] * 9], ["A", "B"])
    assert [("A", 0, "0")] == shares([], ["A"])
