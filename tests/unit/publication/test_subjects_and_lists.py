"""Register data and list membership: the same whatever the order and however often facts arrive."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import derived_bytes, open_record
from schemas.events import CATALOGUE
from schemas.topics import GRADES
from services.publication.domain.effects import CORRECTED, OBJECTION, RETRACTED
from services.publication.domain.lists import ENTERED, LEFT, ListRule, after, transitions
from services.publication.domain.rows import ChangeRow, Seen, change_row
from services.publication.domain.subjects import (
    CHANGED,
    CLOSED,
    INTERRUPTED,
    REGISTERED,
    STARTED,
    Registration,
    fold,
)
from tests.integration.publication_feed import START_MS, grade

SHOP = "uscc:91350100M000100Y43"
FACTS = [
    Registration(REGISTERED, date(2020, 1, 1), 0, {"name": "甲", "business_kind": "drug_retail", "regimes": ["liyujiang"]}),
    Registration(STARTED, date(2020, 2, 1), 1, {}),
    Registration(CHANGED, date(2021, 1, 1), 2, {"name": "乙", "address": "东路1号"}),
    Registration(INTERRUPTED, date(2021, 6, 1), 3, {}),
    Registration(STARTED, date(2021, 8, 1), 4, {}),
    Registration(CHANGED, date(2022, 1, 1), 5, {"address": "西路2号"}),
    Registration(CLOSED, date(2023, 1, 1), 6, {"reason": "deregistered"}),
]


@given(st.permutations(FACTS))
def test_the_register_does_not_depend_on_the_order_of_arrival(facts: list[Registration]) -> None:
    found = fold(SHOP, facts)
    assert (found.name, found.address, found.operation, found.closed_reason) == ("乙", "西路2号", "closed", "deregistered")
    assert (found.operating_since, found.registered_on, found.closed_on) == (date(2020, 2, 1), date(2020, 1, 1), date(2023, 1, 1))


def entered(type_name: str, offset: int, copy: int, *, about: int | None = None, **data: object) -> Registration:
    return Registration(type_name, date(2020, 1, 1), offset, dict(data), UUID(int=copy), UUID(int=about) if about else None)


WRONG = entered(REGISTERED, 0, 1, name="错名", regimes=["liyujiang"])
WORDS = {"type": REGISTERED, "data": {"name": "正名", "regimes": ["liyujiang"], "occurred_on": "2020-01-02"}}


@pytest.mark.parametrize(
    ("mending", "name"),
    [
        ([entered(CORRECTED, 1, 2, about=1, replacement=WORDS)], "正名"),
        ([entered(RETRACTED, 1, 2, about=1)], None),
        ([entered(OBJECTION, 1, 2, about=1, outcome="upheld")], None),
        ([entered(OBJECTION, 1, 2, about=1, outcome="rejected")], "错名"),
        ([entered(CORRECTED, 1, 2, about=1, replacement=WORDS), entered(RETRACTED, 2, 3, about=2)], "错名"),
        ([entered(RETRACTED, 1, 2, about=1), entered(RETRACTED, 2, 3, about=2)], "错名"),
        ([entered(RETRACTED, 1, 2, about=1), entered(CORRECTED, 2, 3, about=1, replacement=WORDS)], None),
        ([entered(RETRACTED, 1, 2, about=9)], "错名"),
    ],
)
def test_what_mends_a_registration_is_seen_in_the_register(mending: list[Registration], name: str | None) -> None:
    assert fold(SHOP, [WRONG, *mending]).name == fold(SHOP, [*mending, WRONG]).name == name


def test_a_change_entered_late_does_not_undo_a_later_one() -> None:
    late = Registration(CHANGED, date(2021, 3, 1), 99, {"name": "丙", "address": "南路3号"})
    found = fold(SHOP, [*FACTS, late])
    assert (found.name, found.address) == ("丙", "西路2号")


def test_registered_again_after_closing_is_open_again() -> None:
    found = fold(SHOP, [*FACTS, Registration(REGISTERED, date(2024, 1, 1), 7, {"name": "丁", "regimes": ["liyujiang"]})])
    assert (found.closed_on, found.operation, found.name) == (None, None, "丁")


RULES = [
    ListRule("exemplary", "liyujiang", frozenset("A"), "四(一)", "示范", "Exemplary"),
    ListRule("seriously_discredited", "liyujiang", frozenset("E"), "四(四)5", "严重失信", "Serious"),
    ListRule("other", "fhrs", frozenset("A"), "x", "另", "Other"),
]


def change(letter: str | None, at: int, *, regime: str = "liyujiang", **more: object) -> ChangeRow:
    one = grade(SHOP, letter, cause=f"00000000-0000-8000-8000-{at:012d}", regime=regime, status="graded" if letter else "closed", **more)
    row = change_row(Seen(GRADES, 3, at, START_MS, START_MS, open_record(derived_bytes(one))))
    assert row is not None
    return row


def moves(letters: list[str | None]) -> list[tuple[str, bool]]:
    held: frozenset[str] = frozenset()
    found = []
    for at, letter in enumerate(letters):
        made = transitions(change(letter, at), held, RULES, "Asia/Shanghai")
        held = after(held, made)
        found += [(one.list, one.entered) for one in made]
    return found


def test_entering_staying_and_leaving() -> None:
    assert moves(["B", "A", "A", "E", None]) == [
        ("exemplary", True),
        ("exemplary", False),
        ("seriously_discredited", True),
        ("seriously_discredited", False),
    ]


@given(st.lists(st.sampled_from(["A", "B", "C", "D", "E", None]), max_size=12))
def test_entries_and_exits_of_a_list_take_turns_and_end_with_the_grade(letters: list[str | None]) -> None:
    found = moves(letters)
    for name, grades in (("exemplary", "A"), ("seriously_discredited", "E")):
        turns = [entered for one, entered in found if one == name]
        assert all(one != other for one, other in pairwise([False, *turns]))
        holds = bool(letters) and letters[-1] is not None and letters[-1] in grades
        assert (turns[-1] if turns else False) == holds


def test_a_corrected_past_moves_nobody() -> None:
    past = grade(SHOP, "E", cause="00000000-0000-8000-8000-000000000001", corrected_to="2026-02-01")
    row = change_row(Seen(GRADES, 3, 1, START_MS, START_MS, open_record(derived_bytes(past | {"type": "mingjian.grade.corrected.v1"}))))
    assert row is not None and transitions(row, frozenset(), RULES, "Asia/Shanghai") == []


def test_a_list_that_no_rulebook_has_any_more_is_left() -> None:
    made = transitions(change("B", 1), frozenset({"gone"}), RULES, "Asia/Shanghai")
    assert [(one.list, one.entered) for one in made] == [("gone", False)]


def test_publications_are_of_the_contract_and_their_bytes_repeat() -> None:
    for letter, held, name in (("E", frozenset(), ENTERED), ("B", frozenset({"seriously_discredited"}), LEFT)):
        first, second = (transitions(change(letter, 1), held, RULES, "Asia/Shanghai")[0] for _ in range(2))
        event = open_record(first.value).event
        CATALOGUE[name].model.model_validate_json(orjson.dumps(event["data"]))
        assert first.value == second.value and first.id == event["id"] and event["type"] == name
