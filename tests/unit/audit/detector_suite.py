"""What the detectors do, whatever keeps their state. Run on the fake in ``tests/unit``, on PostgreSQL in ``tests/integration``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest
from pydantic import ValidationError

from schemas.envelope import Opened
from schemas.events import CATALOGUE
from schemas.ids import derived_id
from schemas.keys import SigningKey
from schemas.rulebook import load_all
from schemas.times import instant, milliseconds
from schemas.topics import FACTS, REGISTRY
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import YearTable
from services.audit.entries import OtherRulebook
from services.audit.handlers import Detectors
from services.audit.ports import Finding
from tests.unit.audit.fake_work import MemoryStore

RULES = [rule for book in load_all(Path(__file__).resolve().parents[3] / "rulebooks").values() if (rule := EntryRule.of(book))]
OFFICE = "/departments/drug/offices/liyujiang"
SUBJECT = "uscc:91350100M000100Y43"
STACK = "stack:test"
KEY = SigningKey.from_seed(b"registrar of the unit tests".ljust(32, b"."))
GENESIS = {"type": "mingjian.genesis.v1", "source": OFFICE, "data": {"registrar_key": KEY.public_object()}}
YEAR_2026 = {"country": "CN", "year": 2026, "days_off": ["2026-03-03"], "make_up_days": [], "occurred_on": "2025-12-31", "document": "d"}
YEAR_2027 = {
    "country": "CN",
    "year": 2027,
    "days_off": ["2027-01-01", "2027-01-04"],
    "make_up_days": [],
    "occurred_on": "2026-12-31",
    "document": "d",
}


class Store(Protocol):
    """What the suite needs of a store beside the port."""

    positions: Any
    clocks: Any

    async def calendars(self) -> list[tuple[int, str, YearTable]]: ...
    def work(self) -> Any: ...
    async def standing(self) -> list[Finding]: ...
    async def everything(self) -> list[Finding]: ...


class Scene:
    """A partition of facts, said record by record, and detectors over a store. ``active``: the rulebook was activated at once."""

    def __init__(self, store: Any = None, partition: int = 3, *, active: bool = True) -> None:
        self.store: Any = store or MemoryStore()
        self.partition = partition
        self.records: list[Record] = []
        self.registry = Registry(GENESIS)
        self.declare("mingjian.genesis.v1", STACK, GENESIS["data"])
        if active:
            self.registry.activations.append((0, "liyujiang", RULES[0].digest))
        self.declare("mingjian.go_live.declared.v1", "regime:liyujiang", {"regime": "liyujiang", "occurred_on": "2026-01-01"})
        self.asked: list[int] = []
        self.detectors = self.fresh()

    def declare(self, kind: str, subject: str, data: dict[str, Any], *, number: int | None = None, key: SigningKey = KEY) -> None:
        """A record of the registry, the next one."""
        offset = self.registry.next_offset
        id = f"018f0000-0000-7000-8000-{0xE000 + offset if number is None else number:012x}"
        event = {"id": id, "source": OFFICE, "type": kind, "subject": subject, "time": "2026-01-01T00:00:00.000Z", "data": data}
        self.registry.apply(offset, Opened(event, key.signature(event), {"registry_offset": offset - 1}))

    async def up_to(self, offset: int) -> Registry:
        self.asked.append(offset)
        return self.registry

    def fresh(self) -> Detectors:
        return Detectors(RULES, self.up_to, STACK)

    async def restart(self) -> None:
        """What a new process knows: the store's, nothing else."""
        self.detectors = self.fresh()
        for partition, event_id, table in await self.store.calendars():
            self.detectors.remember_calendar(partition, event_id, table)
        self.detectors.remember_clocks(self.store.clocks)

    def say(
        self,
        kind: str,
        data: dict[str, Any],
        *,
        number: int | None = None,
        subject: str = SUBJECT,
        known: str | None = None,
        key: SigningKey = KEY,
        office: str = OFFICE,
        **entry: Any,
    ) -> Record:
        """A fact. ``known``: the broker's own time of the record; without it the record has intake's (a simulated stack)."""
        number = len(self.records) + 1 if number is None else number
        stamp = {"received_at": "2026-03-20T08:00:00.000Z", "channel": "desk", "registry_offset": 1} | entry
        event = {
            "id": f"018f0000-0000-7000-8000-{number:012x}",
            "source": office,
            "type": f"mingjian.{kind}.v1",
            "subject": subject,
            "time": stamp["received_at"],
            "data": data,
        }
        return self.raw(orjson.dumps({"event": event, "entry": stamp, "signature": key.signature(event)}), known)

    def raw(self, value: bytes | None, known: str | None = None) -> Record:
        headers = (("traceparent", b"00-11111111111111111111111111111111-2222222222222222-01"),)
        number = len(self.records)
        stamp = (1_780_000_000_000 + number, 0) if known is None else (milliseconds(known), 1)
        self.records.append(Record(FACTS, self.partition, number, *stamp, b"k", headers, value))
        return self.records[-1]

    async def fold(self, records: Sequence[Record] | None = None) -> int:
        chosen = self.records if records is None else records
        async with self.store.work() as work:
            return await self.detectors.handle({(FACTS, self.partition): chosen}, work)

    async def data(self) -> list[dict[str, Any]]:
        return [orjson.loads(one.value)["event"]["data"] for one in await self.store.standing()]


async def late_facts_become_valid_findings(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    scene.say("enterprise.registered", {"occurred_on": None, "regimes": ["liyujiang"]})
    late = scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})
    scene.say("inspection.recorded", {"occurred_on": "2026-03-19"})
    assert await scene.fold() == 1
    (finding,) = await scene.store.standing()
    event = orjson.loads(finding.value)["event"]
    CATALOGUE["mingjian.finding.raised.v1"].model.model_validate_json(orjson.dumps(event["data"]))
    assert event["data"]["late"] == {
        "day_zero": "2026-03-02",
        "deadline": "2026-03-10",
        "entered_on": "2026-03-20",
        "working_days_late": 8,
        "calendar_days_late": 10,
        "signed_in_time": False,
        "outage": False,
        "provisional": False,
    }
    place = {"topic": FACTS, "partition": 3, "offset": late.offset, "id": "018f0000-0000-7000-8000-000000000003"}
    assert event["data"]["cause"] == event["data"]["event"] == place
    assert event["id"] == finding.id == derived_id(cause=place["id"], kind="late_entry", subject=f"office:{OFFICE}", regime="liyujiang")
    assert (finding.subject, finding.office, finding.key, finding.regime) == (SUBJECT, OFFICE, OFFICE.encode(), "liyujiang")
    matter = derived_id(cause=place["id"], kind="late_entry", subject=f"office:{OFFICE}", regime="liyujiang")
    assert (finding.matter, finding.retracted) == (matter, False)
    told = [event["data"][name] for name in ("matter", "subject_of", "regime")]
    assert told == [matter, SUBJECT, "liyujiang"]
    [shown] = event["data"]["evidence"]
    record = {"known_from": instant(late.timestamp), "source": OFFICE, "type": "mingjian.inspection.recorded.v1", "role": "entry"}
    assert shown == place | record | {"sha256": hashlib.sha256(late.value or b"").hexdigest()}
    assert finding.traceparent == "00-11111111111111111111111111111111-2222222222222222-01"
    assert scene.store.positions[FACTS, 3] == 4


async def a_repeated_batch_changes_nothing(store: Any) -> None:
    """A crash after the effect and before the position can't be; but copies of records can, and a replay from 0 must not double."""
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026, number=77)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, number=5)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, number=5)
    scene.say("calendar.issued", YEAR_2026, number=77)
    assert await scene.fold(scene.records[:2]) == 1
    before = await scene.store.everything()
    await scene.restart()
    assert await scene.fold(scene.records[2:]) == 0
    assert await scene.store.everything() == before


async def batches_and_restarts_do_not_change_findings(store: Any) -> None:
    whole = Scene()
    for scene in (whole, one_by_one := Scene(store)):
        scene.say("calendar.issued", YEAR_2026)
        for number in range(6):
            scene.say("inspection.recorded", {"occurred_on": f"2026-03-{2 + number:02d}"})
        scene.say("calendar.issued", YEAR_2027)
        scene.say("inspection.recorded", {"occurred_on": "2026-12-29"}, received_at="2027-01-08T00:00:00.000Z")
    await whole.fold()
    for record in one_by_one.records:
        await one_by_one.restart()
        await one_by_one.fold([record])
    assert [one.value for one in await one_by_one.store.everything()] == [one.value for one in await whole.store.everything()]


async def a_provisional_verdict_is_settled_by_its_calendar(store: Any) -> None:
    """Without 2027 the deadline of 29 December 2026 is 5 January; with 1 and 4 January off it is the 7th."""
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    for day in ("04", "06", "08"):
        scene.say("inspection.recorded", {"occurred_on": "2026-12-29"}, received_at=f"2027-01-{day}T04:00:00.000Z")
    await scene.fold()
    assert [(one["late"]["entered_on"], one["late"]["provisional"]) for one in await scene.data()] == [
        ("2027-01-06", True),
        ("2027-01-08", True),
    ]
    await scene.restart()
    await scene.fold([scene.say("calendar.issued", {**YEAR_2026, "year": 2024, "days_off": []})])
    assert len(await scene.store.everything()) == 2, "another year's calendar changes nothing"
    issued = scene.say("calendar.issued", YEAR_2027)
    await scene.fold([issued])
    standing = await scene.data()
    assert [(one["kind"], one.get("late", {}).get("deadline")) for one in standing] == [
        ("late_entry_retracted", None),
        ("late_entry", "2027-01-07"),
    ]
    assert {one["cause"]["offset"] for one in standing} == {issued.offset}
    assert [one.get("retracted") for one in standing] == [True, None]
    assert [one["evidence"][0]["offset"] for one in standing] == [one["event"]["offset"] for one in standing]
    assert len({one["matter"] for one in standing}) == 2
    for one in await scene.store.everything():
        CATALOGUE["mingjian.finding.raised.v1"].model.model_validate_json(orjson.dumps(orjson.loads(one.value)["event"]["data"]))
    async with scene.store.work() as work:
        assert await work.open_verdicts(3) == []
    await scene.fold([scene.say("calendar.issued", YEAR_2027)])
    assert len(await scene.store.everything()) == 4


async def a_reissued_calendar_of_a_settled_year_changes_no_settled_verdict(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})
    scene.say("calendar.issued", {**YEAR_2026, "days_off": [f"2026-03-{day:02d}" for day in range(3, 21) if day % 7 not in (0, 1)]})
    await scene.fold()
    assert len(await scene.store.everything()) == 1


async def authority_is_judged_at_the_registry_offset_of_the_fact(store: Any) -> None:
    scene = Scene(store)
    scene.declare("mingjian.outage.declared.v1", "stack:x", {"started": "2026-03-03T00:00:00.000Z", "ended": "2026-03-04T00:00:00.000Z"})
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=0)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=1)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=2)
    await scene.fold()
    assert [one["late"]["outage"] for one in await scene.data()] == [False, True], "before go-live was known nothing is late"
    assert scene.asked[0] == 2


async def the_subjects_regime_decides(store: Any) -> None:
    scene = Scene(store)
    other, unknown = "fhrs:12", "uscc:91440300M000200X17"
    scene.say("enterprise.registered", {"regimes": ["elsewhere"]})
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02", "regime": "liyujiang"})
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02", "regime": "elsewhere"}, subject=unknown)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, subject=other)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, subject=unknown)
    await scene.fold()
    assert sorted(one["event"]["offset"] for one in await scene.data()) == [2, 5]
    await scene.restart()
    await scene.fold([scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})])
    assert len(await scene.data()) == 2, "the regimes are remembered over a restart"


async def what_no_detector_can_read_is_named_and_stops_nothing(store: Any) -> None:
    scene = Scene(store)
    scene.raw(b"\xff\xfe")
    scene.raw(None)
    scene.raw(b'{"event":{}}')
    read = scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}).value or b""
    for name in (b'"id":"018f', b'"source":"/dep', b'"subject":"uscc:', b'"type":"mingjian.'):
        scene.raw(read.replace(name, name + b"\\u0000", 1))
    scene.raw(read.replace(b'"entry":{', b'"entry":"x","was":{'))
    unreadable = [
        scene.say("inspection.recorded", {"occurred_on": "2026-13-45"}),
        scene.say("penalty.decided", {"occurred_on": "2026-03-02", "service": "yes"}),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02", "ended_at": "2026-03-02T00:00:00"}),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, received_at="yesterday"),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, received_at="9999-12-31T23:00:00.000Z"),
        scene.say("inspection.recorded", {"occurred_on": "9999-12-31"}),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, channel="\0"),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=None),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=-1),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=2),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=2**63),
        scene.raw(read.replace(b'"entry":', b'"exit":').replace(b'-000000000004"', b'-0000000000ff"')),
        scene.say("enterprise.registered", {"regimes": "liyujiang"}),
        scene.say("enterprise.registered", {"regimes": ["\0"]}),
        scene.say("calendar.issued", {"country": "CN", "year": 2026, "days_off": ["x"], "make_up_days": []}),
        scene.say("calendar.issued", {"country": "CN", "year": 10**12, "days_off": [], "make_up_days": []}),
        scene.say("calendar.issued", {"country": "CN", "year": 2026, "days_off": [], "make_up_days": "2026"}),
    ]
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})
    await scene.fold()
    found = await scene.data()
    assert [one["cause"]["offset"] for one in found if one["kind"] == "unreadable_fact"] == [one.offset for one in unreadable]
    assert [one["kind"] for one in found if one["about"] == "entry"] == ["late_entry", "late_entry"]
    are_valid(found)


def are_valid(found: Sequence[dict[str, Any]]) -> None:
    """Fits the contract's model, every one."""
    try:
        for one in found:
            CATALOGUE["mingjian.finding.raised.v1"].model.model_validate_json(orjson.dumps(one))
    except ValidationError as error:
        pytest.fail(str(error))


async def a_borrowed_id_silences_nobody(store: Any) -> None:
    """Ids are unique per source: another office that uses the same id gets a finding of its own."""
    scene = Scene(store)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, number=9)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, number=9, office="/departments/drug/offices/other")
    await scene.fold()
    assert sorted(one["office"] for one in await scene.data()) == [OFFICE, "/departments/drug/offices/other"]


async def of_an_ids_copies_the_first_counts_and_a_changed_one_is_named(store: Any) -> None:
    scene = Scene(store)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-19"}, number=9)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-19"}, number=9)
    changed = scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, number=9)
    await scene.fold(scene.records[:1])
    await scene.restart()
    await scene.fold(scene.records[1:])
    (found,) = await scene.data()
    assert (found["kind"], found["about"], found["cause"]["offset"]) == ("changed_copy", "operation", changed.offset)
    assert found["cause"]["id"] == "018f0000-0000-7000-8000-000000000009"
    are_valid([found])


async def an_evaluation_that_nobody_announced_is_named(store: Any) -> None:
    scene = Scene(store)
    told = {"regime": "liyujiang", "period": {"first": "2026-01-01", "last": "2026-12-31"}, "evaluation_date": "2027-01-15"}
    scene.declare("mingjian.evaluation.announced.v1", "regime:liyujiang", told)

    async def close(data: dict[str, Any], offset: int = 5) -> None:
        record = scene.say("evaluation.closed", data)
        async with scene.store.work() as work:
            await scene.detectors.handle({(REGISTRY, 0): [replace(record, topic=REGISTRY, partition=0, offset=offset)]}, work)

    await close(told)
    assert await scene.data() == []
    await close(told | {"evaluation_date": "2027-01-16"}, 6)
    await close(told | {"period": None}, 7)
    found = await scene.data()
    assert [(one["kind"], one["cause"]["offset"]) for one in found] == [("evaluation_unannounced", 6), ("unreadable_fact", 7)]
    assert (found[0]["clause"], found[0]["readings"]) == ("五(四) ¶4", ["R10"])
    are_valid(found)


async def a_regime_is_judged_from_the_activation_of_its_rulebook_on(store: Any) -> None:
    scene = Scene(store, active=False)
    scene.declare("mingjian.rulebook.activated.v1", "regime:liyujiang", {"regime": "liyujiang", "sha256": RULES[0].digest})
    for stamp in (1, 2):
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, registry_offset=stamp)
    await scene.fold()
    assert [one["event"]["offset"] for one in await scene.data()] == [1]


async def while_another_rulebook_is_the_activated_one_nothing_is_judged_and_nothing_lost(store: Any) -> None:
    scene = Scene(store)
    late = scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, known="2026-03-20T08:00:00.000Z")
    scene.say("inspection.recorded", {"occurred_on": "2026-03-19"}, known="2026-03-20T08:00:00.000Z")
    ours = {"regime": "liyujiang", "sha256": RULES[0].digest}
    scene.declare("mingjian.rulebook.activated.v1", "regime:liyujiang", ours | {"sha256": "0" * 64})
    for _ in range(2):
        with pytest.raises(OtherRulebook, match="liyujiang"):
            await scene.fold()
    assert await scene.store.everything() == [] and scene.store.positions == {}
    scene.declare("mingjian.rulebook.activated.v1", "regime:liyujiang", ours)
    await scene.fold()
    assert [(one["kind"], one["cause"]["offset"]) for one in await scene.data()] == [("late_entry", late.offset)]


SUITE = [
    a_regime_is_judged_from_the_activation_of_its_rulebook_on,
    while_another_rulebook_is_the_activated_one_nothing_is_judged_and_nothing_lost,
    of_an_ids_copies_the_first_counts_and_a_changed_one_is_named,
    an_evaluation_that_nobody_announced_is_named,
    late_facts_become_valid_findings,
    a_repeated_batch_changes_nothing,
    batches_and_restarts_do_not_change_findings,
    a_provisional_verdict_is_settled_by_its_calendar,
    a_reissued_calendar_of_a_settled_year_changes_no_settled_verdict,
    authority_is_judged_at_the_registry_offset_of_the_fact,
    the_subjects_regime_decides,
    what_no_detector_can_read_is_named_and_stops_nothing,
    a_borrowed_id_silences_nobody,
]
