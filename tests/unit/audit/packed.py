"""A small log with a late fine that moved a grade: registry, two shops' facts, what audit found, what it did, and two refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from schemas.canonical import event_hash
from schemas.envelope import envelope_bytes
from schemas.receipts import Receipt, Refusal, sign_receipt, sign_refusal
from schemas.rulebook import load_all_editions
from schemas.times import instant
from schemas.topics import CONTROL_KEY, FACTS, FINDINGS, PARTITIONS, PARTS, REFUSALS, REGISTRY
from services.audit.assessing import Effects, events_of, read_partition, words_in
from services.audit.domain.detectors.all import every
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.matters import standing_matters
from services.audit.domain.note import cosignature_line, parse_note, with_signatures
from services.audit.domain.registry import Registry
from services.audit.domain.replay import books_of
from services.audit.domain.scanning import Scan
from services.audit.evidence.writing import Pack, make
from services.audit.handlers import Detectors
from services.audit.reading import opened
from tests.cases.ledger import RULEBOOKS, Ledger, shop
from tests.unit.audit.bundled import EDITIONS, POLICY, REGIME, REGISTRAR, WITNESS, event, genesis
from tests.unit.audit.fake_work import MemoryStore
from tests.unit.audit.fakes import PRIVATE, VERIFIER
from tests.unit.audit.heard import keys, steps
from tests.unit.audit.test_appender import World
from tests.unit.rating.streams import stream
from tests.unit.rating.test_digests import with_an_end

SIGN = "two_final_scores"
Hearings = Callable[..., Iterable[dict[str, Any]]]
OFFICE = "/departments/drug/offices/liyujiang"
PARTITION = 1


def shops() -> list[Ledger]:
    """One that was fined on 10 June 2025, entered on the 30th; and one with a good year."""
    late, good = shop(approving=True), shop(approving=True)
    for one in (late, good):
        one.inspected("2024-04-01")
        one.scored(2024, "98")
        one.evaluated(2024)
        one.approved("A", "2025-02-10")
    late.fined("2025-06-10", known="2025-06-30")
    late.approved("D", "2025-07-02")
    late.inspected("2025-08-01")
    good.scored(2024, "97", on="2025-03-01")
    return [late, good]


class PackWorld(World):
    """The log in ``store``. All shops stand in partition 1, what is broadcast in all, findings in partition 0. ``told``: what becomes of a
    finding's bytes before they are on record; ``hearing``: by the matters of the late entries, in the order of these, the steps up to the
    close of a day, by which effects are worked out; ``since``: those after it."""

    signs: tuple[str, ...] = (SIGN,)
    named = "uscc:91350100M{:06d}00X"

    def __init__(
        self,
        told: Callable[[bytes], bytes] = lambda value: value,
        hearing: Hearings = lambda *matters: (),
        since: Hearings = lambda *matters: (),
        lives: Callable[[], list[Ledger]] = shops,
        **more: Any,
    ) -> None:
        super().__init__(kafka={}, **more)
        self.told = told
        self.receipts: list[dict[str, Any]] = []
        self._register(genesis() | {"data": genesis()["data"] | {"sample": True}}, 1_100_000_000_000)
        self._register(event(2, "go_live.declared", f"regime:{REGIME}", {"occurred_on": "2024-01-01", "regime": REGIME}), 1_100_000_000_001)
        for number, year in enumerate((2024, 2025, 2026), 3):
            data = {"occurred_on": f"{year}-01-01", "country": "CN", "year": year, "days_off": [], "make_up_days": [], "document": "d"}
            self._broadcast(event(number, "calendar.issued", "stack:test", data), 1_100_000_000_001 + number)
        for one in with_an_end(stream(lives(), named=self.named)):
            if one.subject is None:
                self._broadcast(one.event, one.fact.stamp)
            else:
                self._fact(one.event, one.fact.stamp)
        self.more()
        self._refusals()
        self._findings()
        events = events_of(self.findings())
        matters = [one["data"]["matter"] for one in events if one["data"]["kind"] == "late_entry"]
        if heard := [*hearing(*matters)]:
            self._written(keys(len(self.kafka[REGISTRY, 0])))
            self._written(steps(len(self.kafka[REGISTRY, 0]), *heard))
            closed = event(0xC105, "day.closed", "stack:test", {"through": "2027-04-30", "time_zone": "Asia/Shanghai"})
            self._broadcast(closed, 1_809_000_000_000)
        self._assess()
        self._written(steps(len(self.kafka[REGISTRY, 0]), *since(*matters)))
        self.publish()

    def more(self) -> None:
        """Records that no ledger has."""

    def _written(self, said: Iterable[tuple[bytes, bytes]]) -> None:
        for number, (key, value) in enumerate(said):
            self.add(REGISTRY, 0, key, value, 1_808_000_000_000 + number)

    def _stamp(self) -> int:
        return len(self.kafka[REGISTRY, 0]) - 1

    def _register(self, said: Mapping[str, Any], stamp: int) -> None:
        self.add(REGISTRY, 0, said["subject"].encode(), _envelope(said, stamp, len(self.kafka.get((REGISTRY, 0), [])) - 1), stamp)

    def _broadcast(self, said: Mapping[str, Any], stamp: int) -> None:
        value = _envelope(said, stamp, self._stamp())
        self.add(REGISTRY, 0, said["subject"].encode(), value, stamp)
        for partition in range(PARTITIONS):
            self.add(FACTS, partition, CONTROL_KEY, value, stamp)

    def _fact(self, said: Mapping[str, Any], stamp: int) -> None:
        self.add(FACTS, PARTITION, said["subject"].encode(), _envelope(said, stamp, self._stamp()), stamp)
        offset = len(self.kafka[FACTS, PARTITION]) - 1
        place = {"topic": FACTS, "partition": PARTITION, "offset": offset, "received_at": instant(stamp), "known_from": instant(stamp)}
        receipt = Receipt(source=said["source"], id=said["id"], event_hash=event_hash(dict(said)), **place)
        self.receipts.append(sign_receipt(receipt, REGISTRAR))

    def _refusals(self) -> None:
        for number, office in enumerate((self.late_entry().event["source"], "/departments/drug/offices/other")):
            said = Refusal(
                source=office,
                id=f"018f0000-0000-7000-8000-00000000f00{number}",
                event_hash="0" * 64,
                key_id=REGISTRAR.key_id,
                received_at="2025-06-12T01:00:00.000Z",
                reason="schema",
                detail_en="a field is missing",
                detail_zh="缺少字段",
            )
            self.add(REFUSALS, 2, office.encode(), orjson.dumps(sign_refusal(said, REGISTRAR)), 1_750_000_000_000)

    def late_entry(self) -> Any:
        """The entry in question: the fine that came late."""
        return next(
            one for record in self.kafka[FACTS, PARTITION] if (one := opened(record)) and one.event["type"].startswith("mingjian.penalty")
        )

    def _folded(self) -> Registry:
        registry = Registry(genesis())
        for record in self.kafka[REGISTRY, 0]:
            registry.apply(record.offset, opened(record))
        return registry

    def _findings(self) -> None:
        editions = load_all_editions(RULEBOOKS)
        rules = [rule for books in editions.values() for one in books if (rule := EntryRule.of(one))]
        said, registry = genesis(), self._folded()

        async def found() -> list[bytes]:
            store = MemoryStore()

            async def up_to(offset: int) -> Registry:
                return registry

            async with store.work() as work:
                batch = {(FACTS, PARTITION): self.kafka[FACTS, PARTITION]}
                await Detectors(rules, up_to, said["subject"]).handle(batch, work)
            return [one.value for one in await store.everything()]

        # The made-up registrar has no role that may enter, which another detector would find of every fact.
        signs = Scan(said, [one for one in every(editions) if one.declared.kind in self.signs])
        signs.read_registry(self.kafka[REGISTRY, 0])
        for number in range(PARTITIONS):
            signs.take(number, self.kafka[FACTS, number])
        for value in [*asyncio.run(found()), *(one.value for one in signs.found())]:
            self.add(FINDINGS, 0, OFFICE.encode(), self.told(value), 1_760_000_000_000)

    def _assess(self) -> None:
        matters = standing_matters(events_of(self.kafka[FINDINGS, 0]))
        facts, entries = read_partition(self, PARTITION, [one.entry.offset for one in matters])
        effects = Effects(books_of(load_all_editions(RULEBOOKS)), self._folded(), "mingjian test", lambda: words_in(self.parts()))
        for given in effects.of_partition(PARTITION, facts, entries, matters):
            self.add(FINDINGS, 0, OFFICE.encode(), self.told(given.answer.value), 1_760_000_000_001)

    def findings(self) -> list[Record]:
        """As ``assessing.Source``."""
        return self.kafka[FINDINGS, 0]

    def registry(self) -> list[Record]:
        """As ``assessing.Source``."""
        return self.kafka[REGISTRY, 0]

    def parts(self) -> list[Record]:
        """As ``assessing.Source``."""
        return [one for number in range(PARTITIONS) for one in self.kafka.get((PARTS, number), [])]

    def facts(self, partition: int) -> Any:
        """As ``assessing.Source``."""
        yield self.kafka[FACTS, partition]

    def add(self, topic: str, partition: int, key: bytes, value: bytes, stamp: int) -> None:
        """One more record of Kafka."""
        records = self.kafka.setdefault((topic, partition), [])
        records.append(Record(topic, partition, len(records), stamp, 0, key, (), value))

    def publish(self) -> None:
        """All of Kafka becomes leaves, and the witness cosigns."""
        self.run(self.writer(), limit=40)
        note = self.store.read("checkpoint") or b""
        line = cosignature_line(parse_note(note).text, WITNESS, PRIVATE.sign, 1_800_000_000)
        self.store.write([("checkpoint", with_signatures(note, [line]))])

    @property
    def sign(self) -> str:
        """The id of the finding about two final scores of the other shop."""
        return next(one["id"] for one in events_of(self.findings()) if one["data"]["kind"] == SIGN)

    @property
    def late(self) -> str:
        """The id of the finding about it."""
        entry = self.late_entry().event["id"]
        return next(one["id"] for one in events_of(self.findings()) if one["data"].get("event", {}).get("id") == entry)


def _envelope(said: Mapping[str, Any], stamp: int, registry: int) -> bytes:
    entry = {"received_at": instant(stamp), "channel": "desk", "batch": None, "registry_offset": registry}
    return envelope_bytes(dict(said), REGISTRAR.signature(dict(said)), entry)


def packed(world: PackWorld, finding: str | None = None, **more: Any) -> Pack:
    """The pack of a finding of the world."""
    given = {"log": VERIFIER, "editions": EDITIONS, "policy": POLICY} | more
    return make(world.store.read, finding or world.late, **given)
