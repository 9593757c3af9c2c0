"""Whom a finding of a late entry is about: who entered it, and on whose behalf; pseudonyms alone, and no other id for it."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from schemas.envelope import check_data, lookup
from services.audit.domain.findings import TYPE, event_of, fact_from_json, fact_to_json
from services.audit.domain.late import as_told, fact_of
from services.audit.domain.people import acting
from tests.unit.audit.detector_suite import YEAR_2026, YEAR_2027, Scene

LATE = {"occurred_on": "2026-03-02"}
ONE, OTHER, THIRD = "officer:lin-one", "officer:zhao-two", "officer:third"


def found(*said: dict[str, Any], **entry: Any) -> list[dict[str, Any]]:
    """The findings of late inspections with these data, all that were raised, valid by the contract."""

    async def run() -> list[dict[str, Any]]:
        scene = Scene()
        scene.say("calendar.issued", YEAR_2026)
        for data in said:
            scene.say("inspection.recorded", LATE | data, **entry)
        await scene.fold()
        return [event_of(one.value) for one in await scene.store.everything()]

    events = asyncio.run(run())
    row = lookup(TYPE)
    assert row is not None
    for one in events:
        check_data(row, one["data"])
    return events


@pytest.mark.parametrize(
    ("data", "concerns"),
    [
        ({}, None),
        ({"entered_by": ONE}, [ONE]),
        ({"entered_by": ONE, "on_behalf_of": OTHER}, [ONE, OTHER]),
        ({"on_behalf_of": OTHER}, [OTHER]),
        ({"entered_by": ONE, "on_behalf_of": ONE}, [ONE]),
        # Who was there or looked it over did not enter it.
        ({"entered_by": ONE, "officers": [THIRD], "reviewed_by": OTHER}, [ONE]),
        # What went past intake may name anybody, and anything: a name is no pseudonym.
        ({"entered_by": "李某", "on_behalf_of": OTHER}, [OTHER]),
        ({"entered_by": "officer:李某"}, None),
        ({"entered_by": [ONE], "on_behalf_of": 7}, None),
        ({"entered_by": f"person:{'0' * 32}"}, None),
    ],
)
def test_it_names_who_entered_and_on_whose_behalf(data: dict[str, Any], concerns: list[str] | None) -> None:
    (event,) = found(data)
    assert event["data"].get("concerns") == concerns


def test_neither_the_finding_nor_its_matter_has_another_id_for_it() -> None:
    (named,), (plain,) = found({"entered_by": ONE}), found({})
    assert (named["id"], named["data"]["matter"]) == (plain["id"], plain["data"]["matter"])


def test_of_a_decision_it_is_who_entered_the_decision_not_its_service() -> None:
    async def run() -> list[dict[str, Any]]:
        scene = Scene()
        scene.say("calendar.issued", YEAR_2026)
        act = {"kind": "fine", "field": "drug", "amount_fen": 100}
        scene.say("penalty.decided", LATE | {"document_no": "P", "acts": [act], "entered_by": ONE}, number=8)
        served = {"document": "018f0000-0000-7000-8000-000000000008", "document_no": "P", "service": {"served_on": "2026-03-03"}}
        scene.say("document.served", {"occurred_on": "2026-03-03", "entered_by": OTHER} | served)
        await scene.fold()
        return await scene.data()

    found = asyncio.run(run())
    assert {one["event_type"]: one.get("concerns") for one in found} == {"mingjian.penalty.decided.v1": [ONE]} | {
        one["event_type"]: [OTHER] for one in found if one["event_type"] == "mingjian.document.served.v1"
    }


def test_worked_out_again_with_a_calendar_it_still_names_them_and_so_does_its_retraction() -> None:
    async def run() -> list[dict[str, Any]]:
        scene = Scene()
        scene.say("calendar.issued", YEAR_2026)
        data = {"occurred_on": "2026-12-29", "entered_by": ONE}
        scene.say("inspection.recorded", data, received_at="2027-01-06T00:00:00.000Z")
        scene.say("calendar.issued", YEAR_2027)
        await scene.fold()
        return [event_of(one.value)["data"] for one in await scene.store.everything()]

    told = asyncio.run(run())
    assert [("late_entry", [ONE]), ("late_entry_retracted", [ONE])] == [(one["kind"], one.get("concerns")) for one in told]


def test_a_fact_that_was_kept_before_they_were_named_is_still_read() -> None:
    event = {"id": "i", "type": "mingjian.inspection.recorded.v1", "source": "/o", "subject": "s", "time": "2026-03-20T08:00:00.000Z"}
    fact = fact_of(event | {"data": LATE | {"entered_by": ONE}}, {"received_at": "2026-03-20T08:00:00.000Z", "channel": "desk"})
    assert fact is not None and fact.concerns == (ONE,)
    kept = orjson.loads(orjson.dumps(fact_to_json(fact)))
    assert fact_from_json(kept) == fact
    del kept["concerns"]
    assert fact_from_json(kept).concerns == ()


def test_what_an_earlier_version_told_is_held_against_what_it_could_tell() -> None:
    (event,) = found({"entered_by": ONE})
    again = event["data"]
    assert again["rule_version"].endswith(", detector late 3")
    earlier = {name: value for name, value in again.items() if name != "concerns"}
    second = earlier | {"rule_version": again["rule_version"].replace("late 3", "late 2")}
    for told in (again, earlier, second):
        assert as_told(told, again) == told
    # Whom it names has to be whom the record names, and another rule is another rule.
    assert as_told(again | {"concerns": [OTHER]}, again) != again | {"concerns": [OTHER]}
    other = second | {"rule_version": "fhrs 2026.1, entry_working_days from 2005-01-01, detector late 2"}
    assert as_told(other, again) != other


def test_who_acted_in_an_entry() -> None:
    data = {"officers": [THIRD, "李某"], "entered_by": ONE, "on_behalf_of": OTHER, "reviewed_by": "officer:four-th"}
    assert acting(data) == {THIRD, ONE, OTHER, "officer:four-th"}
    assert acting({"officers": THIRD}) == acting({}) == frozenset()
