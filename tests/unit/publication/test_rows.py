"""From records to rows: what isn't for the public gives none, what can't be is named."""

from __future__ import annotations

import pytest

from schemas.canonical import event_hash
from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from schemas.times import instant
from schemas.topics import FACTS, GRADES
from services.publication.domain.rows import Seen, change_row, fact_row
from tests.integration.publication_feed import START_MS, event, grade, value

SHOP = "uscc:91350100M000100Y43"
FIRST = "00000000-0000-8000-8000-000000000001"
INSPECTION = {"occurred_on": "2026-01-15", "kind": "routine", "mode": "on_site", "officers": ["officer:one"]}


def seen(content: bytes, *, topic: str = FACTS, offset: int = 7) -> Seen:
    return Seen(topic, 3, offset, START_MS, START_MS, open_record(content))


def test_a_fact_keeps_its_four_times_its_place_and_its_hash() -> None:
    one = event(SHOP, "warning.issued", {"occurred_on": "2026-01-10", "service": {"served_on": "2026-01-12", "method": "post"}})
    row = fact_row(seen(value(one, ms=START_MS)))
    assert row is not None
    assert (str(row.occurred_on), str(row.served_on), row.received_at) == ("2026-01-10", "2026-01-12", instant(START_MS))
    assert (row.partition, row.offset, row.known_ms, row.event_hash) == (3, 7, START_MS, event_hash(one))


def test_copies_of_one_event_share_their_mark_and_another_source_does_not() -> None:
    one = event(SHOP, "inspection.recorded", INSPECTION, id=FIRST)
    other = event(SHOP, "inspection.recorded", INSPECTION, id=FIRST, source="/departments/other/offices/one")
    rows = [fact_row(seen(value(each, ms=START_MS), offset=at)) for at, each in enumerate((one, one, other))]
    marks = [row.copy for row in rows if row is not None]
    assert marks[0] == marks[1] != marks[2]


@pytest.mark.parametrize(
    "subject", ["regime:liyujiang", "stack:test", "officer:one", "person:" + "0" * 32, "office:/departments/a/offices/b"]
)
def test_only_enterprises_have_a_timeline(subject: str) -> None:
    assert fact_row(seen(value(event(subject, "inspection.recorded", INSPECTION), ms=START_MS))) is None


def test_a_type_nobody_knows_stands_on_the_timeline_without_its_data() -> None:
    row = fact_row(seen(value(event(SHOP, "made.up", {"secret": "x", "occurred_on": "2026-01-15"}), ms=START_MS)))
    assert row is not None and row.data == {} and row.occurred_on is None and str(row.shown_on) == "2026-01-01"


@pytest.mark.parametrize("data", [{"occurred_on": "2026-02-30"}, {"occurred_on": "0001-01-01"}, {"occurred_on": 5}])
def test_a_day_that_is_none_belongs_into_quarantine(data: dict) -> None:
    with pytest.raises(NotAnEnvelope):
        fact_row(seen(value(event(SHOP, "inspection.recorded", data), ms=START_MS)))


REF = {"source": "/departments/a/offices/b", "id": FIRST}


def test_what_shall_stand_instead_is_as_public_as_its_type() -> None:
    words = {"type": "mingjian.inspection.recorded.v1", "data": INSPECTION}
    row = fact_row(
        seen(value(event(SHOP, "entry.corrected", {"occurred_on": "2026-01-16", "entry": REF, "replacement": words}), ms=START_MS))
    )
    assert row is not None
    assert row.data["replacement"] == {"type": words["type"], "data": {name: INSPECTION[name] for name in ("occurred_on", "kind", "mode")}}


@pytest.mark.parametrize(
    "data",
    [
        {"entry": {"source": 5, "id": FIRST}},
        {"entry": {"id": FIRST}},
        {"entry": REF, "replacement": {"type": "mingjian.inspection.recorded.v1", "data": {"occurred_on": "2026-02-30"}}},
    ],
)
def test_what_mends_nothing_that_can_be_read_belongs_into_quarantine(data: dict) -> None:
    with pytest.raises(NotAnEnvelope):
        fact_row(seen(value(event(SHOP, "entry.corrected", {"occurred_on": "2026-01-16", **data}), ms=START_MS)))


def test_a_proposed_grade_is_not_for_the_public() -> None:
    proposed = grade(SHOP, "E", cause=FIRST) | {"type": "mingjian.grade.proposed.v1"}
    assert change_row(seen(derived_bytes(proposed), topic=GRADES)) is None


def test_a_correction_of_the_past_is_no_current_grade() -> None:
    past = grade(SHOP, "B", cause=FIRST, corrected_to="2026-02-01") | {"type": "mingjian.grade.corrected.v1"}
    still = grade(SHOP, "B", cause=FIRST, corrected_to=None) | {"type": "mingjian.grade.corrected.v1"}
    rows = [change_row(seen(derived_bytes(one), topic=GRADES)) for one in (past, still)]
    assert [row.in_effect for row in rows if row is not None] == [False, True]


@pytest.mark.parametrize("broken", [{"regime": None}, {"status": ""}, {"grade": 5}, {"in_force_from": "yesterday"}])
def test_a_grade_that_can_t_be_belongs_into_quarantine(broken: dict) -> None:
    one = grade(SHOP, "B", cause=FIRST)
    with pytest.raises(NotAnEnvelope):
        change_row(seen(derived_bytes(one | {"data": one["data"] | broken}), topic=GRADES))
