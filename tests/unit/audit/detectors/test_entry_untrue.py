"""A determination is told for what it says and no more; a later one, or none that stands, takes its place."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.entry_untrue import EntryUntrue
from services.audit.domain.detectors.model import Entry
from tests.unit.audit.detectors.bench import annulled, corrected, entry, ref, retracted, run, stays_the_same

VISIT = {"occurred_on": "2026-03-02", "kind": "routine", "mode": "on_site", "entered_by": "officer:test-officer", "regime": "liyujiang"}


def visit() -> Entry:
    return entry("inspection.recorded", VISIT, "2026-03-03 10:00")


def determined(result: str, at: str = "2026-06-01 10:00", origins: tuple[str, ...] = ("样例医院", "样例档案"), **more: Any) -> Entry:
    sources = [{"kind": "document", "description": "样例", "origin": one} for one in origins]
    people = {"decided_by": "officer:test-auditor", "involved": ["officer:test-officer"], "explanations_weighed": []}
    said = {"occurred_on": at[:10], "document_no": f"样例认定{at}", "entry": ref(visit()), "result": result, "took_place": True}
    truth = {"type": "mingjian.inspection.recorded.v1", "data": {**VISIT, "violations": ["YP-101"]}}
    words = {"truth": truth} if result in ("false", "inaccurate") and more.get("took_place", True) else {}
    return entry("truth.determined", {**said, **words, "sources": sources, **people, **more}, at)


def test_false_is_told_with_its_origins_and_the_entry() -> None:
    told = run(EntryUntrue(), [visit(), determined("false")]).only
    assert visit().id == told.entry.id and visit().source == told.office  # type: ignore[union-attr]
    assert ("result", "false", None) in told.values and ("origins", "2", "2") in told.values
    assert "不真实" in told.zh and "2026-06-01 (Mon)" in told.en and ("officer:test-officer",) == told.concerns


def test_inaccurate_is_never_called_false() -> None:
    told = run(EntryUntrue(), [visit(), determined("inaccurate", origins=("样例档案",))]).only
    assert ("result", "inaccurate", None) in told.values and {"inaccurate"} == told.supported
    assert "不真实" not in told.zh and "false" not in told.en


def test_what_never_took_place_is_said() -> None:
    told = run(EntryUntrue(), [visit(), determined("false", took_place=False)]).only
    assert "并未发生" in told.zh and "did not take place" in told.en


def test_false_on_one_origin_says_no_more_than_inaccurate() -> None:
    """Intake refuses such a one; it may come past it."""
    one = determined("inaccurate", origins=("样例档案", "样例医院"))
    past = type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"data": {**one.data, "result": "false"}})
    weak = type(one)(
        **{name: getattr(past, name) for name in past.__slots__} | {"data": {**past.data, "sources": past.data["sources"][:1]}}
    )
    assert ("result", "false", None) in run(EntryUntrue(), [visit(), past]).only.values
    assert ("result", "inaccurate", None) in run(EntryUntrue(), [visit(), weak]).only.values


@pytest.mark.parametrize("result", ["true", "undetermined"])
def test_true_or_undetermined_is_no_matter(result: str) -> None:
    assert [] == run(EntryUntrue(), [visit(), determined(result)]).signs


@pytest.mark.parametrize("result", ["true", "undetermined"])
def test_a_later_determination_takes_the_earlier_ones_place(result: str) -> None:
    told = run(EntryUntrue(), [visit(), determined("false"), determined(result, "2026-07-01 10:00")])
    assert [False, True] == [one.retracted for one in told.signs]
    told = run(EntryUntrue(), [visit(), determined("false"), determined("inaccurate", "2026-07-01 10:00")])
    assert ("result", "inaccurate", None) in told.only.values and 2 == len(told.signs)


ENDS = {
    "taken back": retracted(determined("false"), "2026-07-01 10:00", ground="other"),
    "annulled": annulled(determined("false"), "2026-07-01 10:00"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_determination_that_stands_no_more_ends_the_matter(name: str) -> None:
    told = run(EntryUntrue(), [visit(), determined("false"), ENDS[name]])
    assert [False, True] == [one.retracted for one in told.signs]


def test_the_earlier_one_stands_again_when_the_later_is_taken_back() -> None:
    later = determined("true", "2026-07-01 10:00")
    told = run(EntryUntrue(), [visit(), determined("false"), later, retracted(later, "2026-08-01 10:00", ground="other")])
    assert ("result", "false", None) in told.only.values


def test_that_the_office_put_it_right_before_is_said_and_leaves_the_matter() -> None:
    mended = corrected(visit(), {**VISIT, "violations": ["YP-101"]}, "2026-04-01 10:00")
    assert {"put_right", "inaccurate"} == run(EntryUntrue(), [visit(), mended, determined("inaccurate")]).only.supported
    afterwards = corrected(visit(), {**VISIT, "violations": ["YP-101"]}, "2026-06-02 10:00")
    assert set() == run(EntryUntrue(), [visit(), determined("false"), afterwards]).only.supported


def test_a_decider_who_had_a_part_in_the_entry_is_said() -> None:
    own = determined("false", decided_by="officer:test-officer", involved=[])
    assert {"decider_involved"} == run(EntryUntrue(), [visit(), own]).only.supported


def test_a_determination_known_before_its_entry_is_told_with_it_when_it_comes() -> None:
    told = run(EntryUntrue(), [determined("false", "2026-03-01 10:00"), visit()])
    assert told.signs[0].entry is None and visit().id == told.only.entry.id  # type: ignore[union-attr]
    assert told.signs[0].matter == told.only.matter


test_copies_and_partitions_change_nothing = stays_the_same(
    EntryUntrue, [visit(), determined("false"), determined("inaccurate", "2026-07-01 10:00"), ENDS["annulled"]]
)
