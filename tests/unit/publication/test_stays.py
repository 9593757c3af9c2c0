"""Stays of acts (R18): which days they suspend, by which entries, and that no order of arrival changes it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import NotAnEnvelope, Opened
from schemas.events import CATALOGUE
from schemas.events.base import DocumentAct
from schemas.topics import FACTS
from services.publication.domain.rows import LIFTED, ORDERED, Seen, copy_of, fact_row
from services.publication.domain.stays import (
    Paper,
    Resting,
    Stay,
    named_acts,
    on,
    stayed,
    stretches,
    suspensions,
)
from services.rating.domain.acts import DOCUMENTS

SHOP = "uscc:91350100M000100Y43"
OFFICE, COURT = "/departments/drug/offices/workstation", "/departments/court/offices/first"
CHINA, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")
ACT = "penalty.decided"


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def known(text: str, hour: int = 12, zone: ZoneInfo = CHINA) -> int:
    """Epoch ms of an hour of a day in 2026."""
    return int(datetime.fromisoformat(f"2026-{text}T{hour:02d}:00").replace(tzinfo=zone).timestamp() * 1000)


def paper(number: int, kind: str, data: dict[str, Any], *, source: str = OFFICE, on: str = "03-01", **more: Any) -> Paper:
    """The fact at an offset, whose id follows from it."""
    id = str(uuid.UUID(int=number))
    copy = copy_of({"source": source, "id": id})
    lifts = copy_of({"source": source, "id": data["stay"]}) if kind == "stay.lifted" else None
    made = Paper(3, number, id, copy, f"mingjian.{kind}.v1", day("03-01"), known(on), data, lifts)
    return replace(made, **more)


def ref(number: int, source: str = OFFICE) -> dict[str, str]:
    return {"source": source, "id": str(uuid.UUID(int=number))}


def penalty(number: int, document: str = "罚1", **more: Any) -> Paper:
    return paper(number, ACT, {"document_no": document}, **more)


def order(number: int, act: int, first: str, until: str | None = None, *, on: str = "03-01", source: str = OFFICE) -> Paper:
    data = {"act": ref(act), "from_day": f"2026-{first}"} | ({"until": f"2026-{until}"} if until else {})
    return paper(number, "stay.ordered", data, on=on, source=source)


def lifting(number: int, stay: int, first: str, *, source: str = OFFICE) -> Paper:
    return paper(number, "stay.lifted", {"stay": str(uuid.UUID(int=stay)), "from_day": f"2026-{first}"}, source=source)


def suspended(papers: list[Paper], act: int = 1, zone: ZoneInfo = CHINA) -> list[tuple[date, date | None, date, int]]:
    """First and last day, beginning, and the offset of the stay, of all that suspends a grade that rests on an act."""
    stays = [one.stay for one in stayed(SHOP, papers) if one.offset == act]
    return [(one.first, one.last, one.since, one.stay.offset) for one in stretches(stays, zone)]


def days(papers: list[Paper], *texts: str, act: int = 1) -> list[bool]:
    laid = stretches([one.stay for one in stayed(SHOP, papers) if one.offset == act], CHINA)
    return [on(laid, day(text)) is not None for text in texts]


def test_it_is_suspended_from_the_first_day_to_the_last_and_not_beside_them() -> None:
    papers = [penalty(1), order(2, 1, "03-10", "03-20")]
    assert days(papers, "03-09", "03-10", "03-20", "03-21") == [False, True, True, False]


def test_a_stay_that_is_open_ends_with_the_day_before_its_lifting() -> None:
    papers = [penalty(1), order(2, 1, "03-10")]
    assert days(papers, "03-09", "03-10", "12-31") == [False, True, True]
    assert days([*papers, lifting(3, 2, "04-01")], "03-09", "03-10", "03-31", "04-01") == [False, True, True, False]


def test_it_begins_with_the_day_on_which_the_stay_became_known_if_that_is_later() -> None:
    papers = [penalty(1), order(2, 1, "03-10", "03-20", on="03-15")]
    assert days(papers, "03-10", "03-14", "03-15", "03-20", "03-21") == [False, False, True, True, False]
    assert suspended(papers) == [(day("03-15"), day("03-20"), day("03-15"), 2)]


def test_known_on_its_last_day_it_suspends_that_day_and_known_after_it_none() -> None:
    assert suspended([penalty(1), order(2, 1, "03-10", "03-20", on="03-20")]) == [(day("03-20"), day("03-20"), day("03-20"), 2)]
    assert suspended([penalty(1), order(2, 1, "03-10", "03-20", on="03-21")]) == []


def test_the_day_on_which_it_became_known_is_that_of_the_regime_s_time_zone() -> None:
    late = replace(order(2, 1, "03-10", "03-20"), known_ms=known("03-15", 1))  # 03-14 17:00 in London
    assert suspended([penalty(1), late])[0][0] == day("03-15")
    assert suspended([penalty(1), late], zone=LONDON)[0][0] == day("03-14")


def test_of_several_liftings_the_earliest_counts_and_one_before_the_first_day_leaves_nothing() -> None:
    papers = [penalty(1), order(2, 1, "03-10", "03-20")]
    assert suspended([*papers, lifting(3, 2, "03-18"), lifting(4, 2, "03-15")])[0][1] == day("03-14")
    assert suspended([*papers, lifting(3, 2, "03-25")])[0][1] == day("03-20"), "the stay's own last day comes first"
    assert suspended([*papers, lifting(3, 2, "03-11")])[0][:2] == (day("03-10"), day("03-10"))
    assert suspended([*papers, lifting(3, 2, "03-10")]) == []


def test_a_lifting_lifts_the_stay_of_its_own_office_only() -> None:
    """Ids are unique within an office."""
    papers = [penalty(1), order(2, 1, "03-10", source=COURT)]
    assert suspended([*papers, lifting(3, 2, "03-15")])[0][1] is None
    assert suspended([*papers, lifting(3, 2, "03-15", source=COURT)])[0][1] == day("03-14")
    of_before = replace(lifting(3, 2, "03-15"), lifts=None)
    assert suspended([*papers, of_before])[0][1] == day("03-14"), "a row that does not say whose stay it lifts is taken by the id"


def test_two_stays_are_one_unbroken_suspension_and_the_longer_one_is_named() -> None:
    papers = [penalty(1), order(2, 1, "03-10", "03-20"), order(3, 1, "03-15", "03-31")]
    assert suspended(papers) == [(day("03-10"), day("03-14"), day("03-10"), 2), (day("03-15"), day("03-31"), day("03-10"), 3)]
    apart = [penalty(1), order(2, 1, "03-10", "03-12"), order(3, 1, "03-14")]
    assert suspended(apart) == [(day("03-10"), day("03-12"), day("03-10"), 2), (day("03-14"), None, day("03-14"), 3)]
    within = [penalty(1), order(2, 1, "03-10"), order(3, 1, "03-15", "03-16")]
    assert suspended(within) == [(day("03-10"), None, day("03-10"), 2)]
    touching = [penalty(1), order(2, 1, "03-10", "03-12"), order(3, 1, "03-13", "03-13")]
    assert suspended(touching) == [(day("03-10"), day("03-12"), day("03-10"), 2), (day("03-13"), day("03-13"), day("03-10"), 3)]


def test_other_entries_of_the_same_decision_are_the_act_too() -> None:
    again = penalty(5)
    elsewhere, other_number, other_kind = penalty(6, source=COURT), penalty(7, "罚2"), paper(8, "warning.issued", {"document_no": "罚1"})
    found = stayed(SHOP, [penalty(1), again, elsewhere, other_number, other_kind, order(2, 1, "03-10")])
    assert [one.offset for one in found] == [1, 5]


def test_a_decision_of_another_department_is_known_by_its_authority_whoever_entered_it() -> None:
    def fined(number: int, authority: str, source: str = OFFICE) -> Paper:
        return paper(number, "other_department.penalised", {"document_no": "价1", "authority": authority}, source=source)

    papers = [fined(1, "物价局"), fined(5, "物价局", COURT), fined(6, "药监局"), order(2, 1, "03-10")]
    assert [one.offset for one in stayed(SHOP, papers)] == [1, 5]


def test_what_has_no_document_is_an_act_by_itself() -> None:
    seen = [paper(number, "inspection.recorded", {"document_no": "检1"}) for number in (1, 5)]
    assert [one.offset for one in stayed(SHOP, [*seen, order(2, 1, "03-10")])] == [1]


def test_every_document_that_rating_knows_by_its_number_is_one_here() -> None:
    assert all(issubclass(CATALOGUE[f"mingjian.{name}.v1"].model, DocumentAct) for name in DOCUMENTS)


def test_a_stay_of_an_act_that_is_not_here_suspends_nothing() -> None:
    papers = [order(2, 1, "03-10")]
    assert stayed(SHOP, papers) == [] and named_acts(papers) == {penalty(1).copy}


RETRACTED = "entry.retracted"


def mending(number: int, kind: str, about: int, **data: Any) -> Paper:
    return paper(number, kind, ({"act": ref(about)} if kind.startswith("act.") else {"entry": ref(about)}) | data)


def test_a_stay_that_was_taken_back_or_annulled_suspends_nothing_until_that_is_taken_back() -> None:
    papers = [penalty(1), order(2, 1, "03-10")]
    assert suspended([*papers, mending(3, RETRACTED, 2)]) == []
    assert suspended([*papers, mending(3, "act.annulled", 2)]) == []
    assert suspended([*papers, mending(3, "objection.decided", 2, outcome="upheld")]) == []
    assert len(suspended([*papers, mending(3, "objection.decided", 2, outcome="rejected")])) == 1
    assert len(suspended([*papers, mending(3, RETRACTED, 2), mending(4, RETRACTED, 3)])) == 1


def test_a_lifting_that_was_taken_back_lifts_nothing() -> None:
    papers = [penalty(1), order(2, 1, "03-10"), lifting(3, 2, "03-15"), mending(4, RETRACTED, 3)]
    assert suspended(papers) == [(day("03-10"), None, day("03-10"), 2)]


def test_a_stay_counts_by_its_last_words() -> None:
    words = {"type": ORDERED, "data": {"act": ref(5), "from_day": "2026-03-12", "until": "2026-03-14"}}
    papers = [penalty(1), penalty(5, "罚2"), order(2, 1, "03-10"), mending(3, "entry.corrected", 2, replacement=words)]
    assert suspended(papers) == [] and suspended(papers, act=5) == [(day("03-12"), day("03-14"), day("03-12"), 2)]
    assert penalty(5).copy in named_acts(papers), "so that the act of the new words is looked up"


def test_a_change_of_a_stay_waits_for_its_service() -> None:
    words = {"type": ORDERED, "data": {"act": ref(1), "from_day": "2026-03-12"}}
    papers = [penalty(1), order(2, 1, "03-10")]
    assert suspended([*papers, mending(3, "act.changed", 2, replacement=words)])[0][0] == day("03-10")
    assert suspended([*papers, mending(3, "act.changed", 2, replacement=words, service={"served_on": "2026-03-02"})])[0][0] == day("03-12")


def test_a_lifting_that_was_worded_otherwise_lifts_by_its_new_words() -> None:
    words = {"type": LIFTED, "data": {"stay": str(uuid.UUID(int=5)), "from_day": "2026-03-15"}}
    papers = [penalty(1), order(2, 1, "03-10"), order(5, 1, "03-10"), lifting(3, 2, "03-12")]
    found = stayed(SHOP, [*papers, mending(4, "entry.corrected", 3, replacement=words)])
    assert [(one.stay.offset, one.stay.last) for one in found] == [(2, None), (5, day("03-14"))]


def test_instants_are_the_first_of_a_day_in_the_zone_and_of_the_day_after_the_last() -> None:
    stay = Stay(SHOP, 3, 2, "x", None, day("03-28"), day("03-29"), 0)
    change = Resting(7, SHOP, "r", (stay,))
    (one,) = suspensions(change, LONDON)  # summer time begins on 29 March
    assert datetime.fromtimestamp(one.from_ms / 1000, UTC) == datetime(2026, 3, 28, tzinfo=UTC)
    assert datetime.fromtimestamp(one.to_ms / 1000, UTC) == datetime(2026, 3, 29, 23, tzinfo=UTC)  # type: ignore[operator]
    assert (one.number, one.since, one.until) == (7, day("03-28"), day("03-29"))
    (open_,) = suspensions(replace(change, stays=(replace(stay, last=None),)), CHINA)
    assert open_.to_ms is None and open_.until is None and open_.from_ms == known("03-28", 0)


BASE = date(2026, 3, 1)
SPANS = st.tuples(st.integers(0, 20), st.none() | st.integers(0, 12), st.integers(0, 25))


@given(st.lists(SPANS, max_size=5))
def test_each_day_is_suspended_by_some_stay_or_by_none_and_once(found: list[tuple[int, int | None, int]]) -> None:
    stays = []
    for at, (first, length, knew) in enumerate(found):
        from_day = BASE + timedelta(days=first)
        last = from_day + timedelta(days=length) if length is not None else None
        knows = int(datetime.combine(BASE + timedelta(days=knew), datetime.min.time(), CHINA).timestamp() * 1000)
        stays.append(Stay(SHOP, 0, at, str(at), None, from_day, last, knows))
    laid = stretches(stays, CHINA)
    before = False
    for step in range(45):
        today = BASE + timedelta(days=step)
        running = [
            one
            for one in stays
            if max(one.from_day, datetime.fromtimestamp(one.known_ms / 1000, CHINA).date()) <= today <= (one.last or date.max)
        ]
        held = [one for one in laid if one.first <= today <= (one.last or date.max)]
        assert len(held) == bool(running)
        if held:
            assert held[0].stay in running and (held[0].stay.last or date.max) == max(one.last or date.max for one in running)
            assert (held[0].since == today) == (not before)
        before = bool(held)


LIFE = [
    penalty(1),
    penalty(5),
    order(2, 1, "03-10", "03-30", on="03-12"),
    order(6, 5, "03-20"),
    lifting(7, 6, "04-10"),
    mending(8, RETRACTED, 7),
    mending(9, RETRACTED, 2),
    mending(10, RETRACTED, 9),
    lifting(11, 2, "03-25"),
]


@given(st.permutations(LIFE))
def test_the_order_in_which_facts_are_given_makes_no_difference(papers: list[Paper]) -> None:
    assert stayed(SHOP, papers) == stayed(SHOP, LIFE)
    assert suspended(papers) == suspended(LIFE) == [(day("03-12"), day("03-19"), day("03-12"), 2), (day("03-20"), None, day("03-12"), 6)]


@pytest.mark.parametrize(
    "wrong",
    [{"from_day": "someday"}, {"from_day": None}, {"until": "2026-02-30"}, {"act": None}, {"act": {"source": OFFICE}}],
)
def test_a_stay_that_can_not_be_read_goes_into_quarantine(wrong: dict[str, Any]) -> None:
    data = {"occurred_on": "2026-03-01", "document_no": "停1", "authority": "法院", "act": ref(1), "from_day": "2026-03-10"}

    def row(said: dict[str, Any]) -> Any:
        event = {"id": str(uuid.UUID(int=2)), "source": OFFICE, "type": ORDERED, "subject": SHOP, "data": said}
        return fact_row(Seen(FACTS, 0, 0, 0, 0, Opened(event, {}, {"received_at": "2026-03-01T00:00:00.000Z"})))

    assert row(data).data["act"] == ref(1)
    with pytest.raises(NotAnEnvelope):
        row(data | wrong)
