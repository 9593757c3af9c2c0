"""What differs, as findings: of the contract, bounded, with an id that is the same every night; and control events without all copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from schemas.envelope import check_data, derived_bytes, lookup
from schemas.topics import DUTIES, FACTS, GRADES, PARTITIONS, PARTS, REGISTRY
from services.audit import nightly
from services.audit.domain.broadcasts import Broadcasts, Original
from services.audit.domain.differences import WORDS, Difference, Stood
from services.audit.domain.frame import Record
from services.audit.domain.regrading_findings import copy_finding, difference_finding, more_finding, where_of, words_of
from services.audit.domain.replay import Expected

SUBJECT = "uscc:91350100M000100Y43"
ID = "018f0000-0000-5000-8000-00000000000a"
CAUSE = "018f0000-0000-7000-8000-00000000000b"
AT = 1_780_000_000_000


def event(**data: Any) -> dict[str, Any]:
    about = {"specversion": "1.0", "id": ID, "source": "/services/rating", "type": "mingjian.grade.determined.v1", "subject": SUBJECT}
    said = {"regime": "liyujiang", "grade": "C", "status": "graded", "in_force_from": "2026-03-01", **data}
    return about | {"time": "2026-03-01T00:00:00.000Z", "datacontenttype": "application/json", "data": said}


def should(topic: str = GRADES) -> Expected:
    return Expected(topic, ID, SUBJECT, "liyujiang", (3, 7), CAUSE, SUBJECT, AT, derived_bytes(event()), event())


def stands(topic: str = GRADES, **data: Any) -> Stood:
    return Stood(topic, 3, 9, AT, SUBJECT.encode(), derived_bytes(event(**data)), event(**data))


def every(topic: str) -> list[Difference]:
    found = [
        Difference("differs", topic, stands(topic, grade="A"), should(topic)),
        Difference("invented", topic, stands(topic), None),
        Difference("missing", topic, None, should(topic)),
    ]
    return found if topic == PARTS else [*found, Difference("out_of_order", topic, stands(topic), should(topic), 4)]


ORIGINAL = Original(12, CAUSE, "mingjian.calendar.issued.v1", AT, b"v")
DIFFERENCES = [one for topic in WORDS for one in every(topic)]
REGRADED = [
    *(difference_finding(one, "stack:test") for one in DIFFERENCES),
    copy_finding(ORIGINAL, [2, 5], "stack:test"),
    more_finding((12, "2026-03-01"), CAUSE, AT, 4_000, "stack:test"),
]


@pytest.mark.parametrize("raised", REGRADED, ids=lambda one: one.kind)
def test_each_is_a_finding_of_the_contract(raised: Any) -> None:
    told = orjson.loads(raised.value)["event"]
    kind = lookup(told["type"])
    assert kind is not None
    check_data(kind, told["data"])
    assert told["id"] == raised.id and told["subject"] == "stack:test"


def test_ids_tell_differences_apart_and_are_the_same_every_night() -> None:
    again = [difference_finding(one, "stack:test") for one in DIFFERENCES]
    assert [one.value for one in again] == [one.value for one in REGRADED[: len(again)]]
    assert len({one.id for one in REGRADED}) == len(REGRADED)
    # One control leads to many events: each that is missing has a finding of its own.
    another = replace(should(), id="018f0000-0000-5000-8000-00000000000c")
    assert difference_finding(Difference("missing", GRADES, None, another), "stack:test").id not in {one.id for one in REGRADED}


def test_sentences_name_the_event_whose_it_is_what_stands_what_should_and_since_when() -> None:
    data = orjson.loads(difference_finding(every(GRADES)[0], "stack:test").value)["event"]["data"]
    for words in (ID, SUBJECT, "liyujiang", "grade A", "grade C", "data.grade", "2026-05-28T", f"{GRADES}/3/9"):
        assert words in data["detail_en"]
    for words in (ID, SUBJECT, "等级A", "等级C", "2026-05-28T"):
        assert words in data["detail_zh"]
    missing = every(DUTIES)[2]
    assert f"{FACTS}/3/7" in words_of(missing) and where_of(missing) == f"{FACTS} 3:7"


def test_whatever_somebody_wrote_the_finding_is_one_of_the_contract() -> None:
    odd = event(grade="\x00\u202eZ" * 5_000, regime="r" * 9_000, in_force_from=[1, {"a": None}]) | {"id": "no id", "subject": "\n"}
    for one in (replace(stands(), event=odd, value=b"x"), replace(stands(), event=None, value=b"\xff")):
        for found in (Difference("invented", GRADES, one, None), Difference("differs", GRADES, one, should())):
            told = orjson.loads(difference_finding(found, "stack:test").value)["event"]
            check_data(lookup(told["type"]), told["data"])  # type: ignore[arg-type]


class Town:
    """A registry, and what partitions have of it."""

    def __init__(self) -> None:
        self.found, self.offset = Broadcasts(), 0
        self.copies: dict[int, dict[tuple[str, str], bytes]] = {number: {} for number in range(PARTITIONS)}

    def say(self, kind: str, lacking: tuple[int, ...] = (), **data: Any) -> None:
        told = event() | {"id": f"018f0000-0000-7000-8000-{self.offset:012x}", "type": f"mingjian.{kind}.v1", "data": data}
        value = derived_bytes(told)
        self.found.registry([Record(REGISTRY, 0, self.offset, AT, 0, b"k", (), value)])
        self.offset += 1
        for number, mine in self.copies.items():
            copy = Record(FACTS, number, 0, AT, 0, b"control", (), value)
            if number not in lacking and (name := Broadcasts.copy_of(copy)):
                mine[name] = value

    def missing(self) -> list[tuple[str, list[int]]]:
        for number, mine in self.copies.items():
            self.found.partition(number, mine)
        return [(one.type, lacking) for one, lacking in self.found.missing()]


def test_a_copy_is_missing_once_a_further_day_has_closed() -> None:
    town = Town()
    town.say("officer.enrolled")
    town.say("calendar.issued", lacking=(2, 5))
    town.say("day.closed", through="2026-03-01")
    assert town.missing() == []
    town.say("day.closed", lacking=(7,), through="2026-03-02")
    assert town.missing() == [("mingjian.calendar.issued.v1", [2, 5])]
    town.say("day.closed", through="2026-03-03")
    assert town.missing() == [("mingjian.calendar.issued.v1", [2, 5]), ("mingjian.day.closed.v1", [7])]


def test_a_copy_with_other_bytes_is_none() -> None:
    town = Town()
    town.say("rulebook.activated", version="1")
    for day in ("2026-03-01", "2026-03-02"):
        town.say("day.closed", through=day)
    name = next(iter(town.copies[4]))
    town.copies[4][name] = b"other"
    assert town.missing() == [("mingjian.rulebook.activated.v1", [4])]


@pytest.mark.anyio
async def test_a_run_lists_so_many_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    there: set[str] = set()

    async def known(dsn: str, ids: list[str]) -> set[str]:
        return there & set(ids)

    monkeypatch.setattr(nightly.run_store, "known", known)
    many = [Difference("invented", GRADES, replace(stands(), offset=offset), None) for offset in range(250)]
    sizes = []
    for _ in range(4):
        listed = await nightly._listed("dsn", "stack:test", (12, "2026-03-01"), many, Broadcasts())
        sizes.append((len(listed), listed[-1].kind if listed else None))
        there |= {one.id for one in listed}
    assert sizes == [(101, "grade_differences_more"), (101, "grade_differences_more"), (50, "grade_invented"), (0, None)]
