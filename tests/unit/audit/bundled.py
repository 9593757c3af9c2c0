"""A small log with all that a bundle is about: genesis, calendar, rulebook, signed facts of two shops, grades as rating tells them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.envelope import derived_bytes, derived_event, envelope_bytes
from schemas.keys import SigningKey
from schemas.rulebook.editions import files_by_digest
from schemas.topics import FACTS, FINDINGS, GRADES, PARTITIONS, QUARANTINE, REGISTRY
from services.audit.cli_export import readme
from services.audit.domain.frame import Record
from services.audit.domain.manifest import MANIFEST, SUMS, Named, parse_manifest, sums
from services.audit.domain.note import COSIGNATURE, VerifierKey, cosignature_line, parse_note, with_signatures
from services.audit.domain.policy import parse_policy
from services.audit.exporting import Exported, ReadFile, Wanted, export
from services.rating.domain.fold import attempts, merged
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import entry_of
from services.rating.gathering import Gathered
from tests.cases.ledger import RULEBOOKS, Ledger, book, shop
from tests.unit.audit.fakes import PRIVATE, VERIFIER
from tests.unit.audit.test_appender import World
from tests.unit.rating.streams import Sent, stream
from tests.unit.rating.test_digests import with_an_end

REGISTRAR = SigningKey.from_seed(b"registrar of the bundle's tests".ljust(32, b"."))
WITNESS = VerifierKey("unit.test/witness", COSIGNATURE, PRIVATE.public_key().public_bytes_raw())
POLICY = f"witness one {WITNESS.text}\nquorum one\n".encode()
REGIME = "liyujiang"
YEAR = {"occurred_on": "2026-01-01", "country": "CN", "year": 2026, "days_off": [], "make_up_days": [], "document": "d"}
EDITIONS = files_by_digest(RULEBOOKS)


def genesis() -> dict[str, Any]:
    """The event."""
    data = {
        "occurred_on": "2026-01-01",
        "registrar_key": REGISTRAR.public_object(),
        "receipt_key": REGISTRAR.public_object(),
        "log_vkey": VERIFIER.text,
        "clock_mode": "simulated",
        "log_origin": VERIFIER.name,
        "time_zone": "Asia/Shanghai",
    }
    return event(0, "genesis", "stack:test", data)


def event(number: int, kind: str, subject: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the registrar's office."""
    id = f"018f0000-0000-7000-8000-{number:012x}"
    made = derived_event(id=id, service="", type=f"mingjian.{kind}.v1", subject=subject, time="2026-01-01T00:00:00.000Z", data=dict(data))
    return made | {"source": "/departments/drug/offices/liyujiang"}


def signed(event: Mapping[str, Any], entry: Mapping[str, Any] | None = None) -> bytes:
    """As intake would have written it."""
    stamp = {"received_at": "2026-01-01T00:00:00.000Z", "channel": "desk", "batch": None, "registry_offset": 0} | dict(entry or {})
    return envelope_bytes(dict(event), REGISTRAR.signature(event), stamp)


def partition_of(subject: str) -> int:
    """Where a subject's records stand, of two partitions."""
    return int(subject[14:20], 36) % 2


def lives() -> list[Ledger]:
    """A shop with a good year, and one that is fined in the year after."""
    good, fined = shop(approving=True), shop(approving=True)
    for one in (good, fined):
        one.inspected("2024-04-01")
        one.scored(2024, "98")
        one.evaluated(2024)
        one.approved("A", "2025-02-10")
    fined.fined("2025-06-10")
    fined.approved("D", "2025-06-20")
    return [good, fined]


class BundleWorld(World):
    """The log in ``store``; each shop has a partition of its own."""

    def __init__(self, every: Sequence[Sent] = (), *, regime: str = REGIME, **more: Any) -> None:
        super().__init__(kafka={}, **more)
        self.sent: dict[int, list[Sent]] = {0: [], 1: []}
        self.book = book(regime)
        self.add(REGISTRY, 0, b"stack:test", signed(genesis(), {"registry_offset": -1}))
        self._broadcast(b"stack:test", signed(event(1, "calendar.issued", "stack:test", YEAR)), (), 0)
        for one in every or with_an_end(stream(lives())):
            value, headers = signed(one.event), tuple(one.headers)
            if one.subject is None:
                self._broadcast(one.event["subject"].encode(), value, headers, one.fact.stamp)
                for some in self.sent.values():
                    some.append(one)
            else:
                self.sent[partition_of(one.subject)].append(one)
                self.add(FACTS, partition_of(one.subject), one.key, value, headers, one.fact.stamp)
        for told in self.told():
            self.add(GRADES, partition_of(told["subject"]), told["subject"].encode(), derived_bytes(told))
        self.add(FINDINGS, 0, b"operation", b"{}")
        self.add(QUARANTINE, 3, None, b"x" * 70_000)

    def _broadcast(self, key: bytes, value: bytes, headers: Any, stamp: int) -> None:
        self.add(REGISTRY, 0, key, value, headers, stamp)
        for partition in range(PARTITIONS):
            self.add(FACTS, partition, b"control", value, headers, stamp)

    def add(self, topic: str, partition: int, key: bytes | None, value: bytes, headers: Any = (), stamp: int = 1_800_000_000_000) -> None:
        """One more record of Kafka."""
        records = self.kafka.setdefault((topic, partition), [])
        records.append(Record(topic, partition, len(records), stamp, 0, key, headers, value))

    def told(self) -> list[dict[str, Any]]:
        """What live rating tells of these facts: of each subject, then of who is rated by its parts."""
        events, wholes = [], dict[str, Chronicle]()
        for partition in self.sent:
            found = Gathered(partition)
            found.take((one.offset, one.timestamp, one.key, one.value, one.headers) for one in self.kafka[FACTS, partition])
            for subject, facts in sorted(found.each(every=True)):
                steps = merged(facts, found.controls)
                for told, _ in attempts(subject, partition, steps, found.controls, {self.book.rulebook.regime: self.book}):
                    for one in told:
                        if one.event["type"] == PART_GRADED:
                            wholes.setdefault(one.event["subject"], Chronicle(one.event["subject"], self.book)).add(entry_of(one.event))
                        else:
                            events.append((partition, one.step.offset, one.event))
        own = [one for _, _, one in sorted(events, key=lambda one: one[:2])]
        return own + [one for _, chronicle in sorted(wholes.items()) for _, one in chronicle.settle()]

    def publish(self) -> None:
        """All of Kafka becomes leaves, and the witness cosigns."""
        self.run(self.writer(), limit=40)
        note = self.store.read("checkpoint") or b""
        line = cosignature_line(parse_note(note).text, WITNESS, PRIVATE.sign, 1_800_000_000)
        self.store.write([("checkpoint", with_signatures(note, [line]))])


def wanted(**more: Any) -> Wanted:
    """What goes into a bundle of this log."""
    given = Wanted(VERIFIER, genesis(), parse_policy(POLICY.decode()), POLICY, EDITIONS, "0.0", readme)
    return replace(given, **more)


def made(target: Path, read: ReadFile, **more: Any) -> Exported:
    """Export it."""
    choose = lambda: read("checkpoint") or b""  # noqa: E731
    return export(read, wanted(**more), target, choose=choose, progress=lambda done, total: None)


def remade(folder: Path) -> None:
    """Write manifest and sums again for the files as they now are, as a forger would."""
    manifest = parse_manifest((folder / MANIFEST).read_bytes())
    paths = sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
    data = {path: (folder / path).read_bytes() for path in paths if path not in (MANIFEST, SUMS)}
    manifest = replace(manifest, files=tuple(Named(path, len(one), hashlib.sha256(one).hexdigest()) for path, one in data.items()))
    (folder / MANIFEST).write_bytes(manifest.data)
    (folder / SUMS).write_bytes(sums(manifest, hashlib.sha256(manifest.data).hexdigest()))
