"""Who signed what the log holds: each forged, foreign or missing signature is named with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.keys import SigningKey
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit.adapters.folder import FolderStore
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.frame import Record
from services.audit.domain.signatures import check_registry, genesis_of
from services.audit.domain.verify import Verification
from services.audit.signatures import Job, check_all, read_file
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World

REGISTRAR = SigningKey.from_seed(b"registrar of the signature tests".ljust(32, b"."))
OFFICER = SigningKey.from_seed(b"officer of the signature tests".ljust(32, b"."))
STRANGER = SigningKey.from_seed(b"stranger of the signature tests".ljust(32, b"."))
GENESIS = {"registrar_key": REGISTRAR.public_object(), "log_vkey": VERIFIER.text}
HOLDER = "officer:a"


def event(number: int, kind: str, data: dict[str, Any], subject: str = HOLDER) -> dict[str, Any]:
    id = f"018f0000-0000-7000-8000-{number:012x}"
    return {"id": id, "source": "/o", "type": f"mingjian.{kind}.v1", "subject": subject, "time": "2026-01-01T00:00:00.000Z", "data": data}


def said(one: dict[str, Any], key: SigningKey, stamp: int | None) -> bytes:
    return orjson.dumps({"event": one, "signature": key.signature(one), "entry": {"registry_offset": stamp}})


def registry() -> list[bytes]:
    """Genesis; an officer's key, registered at 1 and revoked at 3."""
    return [
        said(event(1, "genesis", GENESIS, "stack:a"), REGISTRAR, -1),
        said(event(2, "key.registered", {"key": OFFICER.public_object()}), REGISTRAR, 0),
        said(event(3, "outage.declared", {}), REGISTRAR, 1),
        said(event(4, "key.revoked", {"key_id": OFFICER.key_id}), REGISTRAR, 2),
    ]


def good(number: int, stamp: int = 2) -> bytes:
    return said(event(100 + number, "inspection.recorded", {}, "uscc:1"), OFFICER, stamp)


def checked(folder: Path, control: list[bytes], facts: list[bytes], genesis: dict[str, Any] | None = None, cores: int = 1) -> tuple:
    """(number of good facts, places of faults) of a log of these records."""
    values = {(REGISTRY, 0): control, (FACTS, 3): facts, (FINDINGS, 0): [b"{}"]}
    kafka = {place: [Record(*place, at, 0, 1, None, (), value) for at, value in enumerate(some)] for place, some in values.items()}
    world = World(kafka=kafka, store=FolderStore(folder, "test"))
    world.run(world.writer())
    point, _ = open_checkpoint((folder / "checkpoint").read_bytes(), VERIFIER)
    check = Verification(point, lambda path: read_file(folder, path))
    assert list(check.tree()) and check.faults == []
    pinned = genesis or genesis_of(check.registry.get(0), VERIFIER.text)
    assert pinned is not None
    keys, faults = check_registry(check.registry, pinned)
    *_, found = check_all(Job(folder, point.size, keys, check.bundles), cores, worth=1, part=1)
    return found.checked, sorted(one.where.removeprefix("mingjian.") for one in faults + found.faults)


def test_a_log_of_signed_records_has_no_fault(tmp_path: Path) -> None:
    assert checked(tmp_path, registry(), [good(1), good(1), good(2, 1)]) == (3, [])


BAD = [
    ("a stranger's key", said(event(9, "inspection.recorded", {}, "uscc:1"), STRANGER, 2)),
    ("changed after it was signed", good(9).replace(b"uscc:1", b"uscc:2")),
    ("stamped before the key was registered", good(9, 0)),
    ("stamped after the key was revoked", good(9, 3)),
    ("without a stamp", said(event(9, "inspection.recorded", {}, "uscc:1"), OFFICER, None)),
    ("without a signature", orjson.dumps({"event": event(9, "inspection.recorded", {}), "entry": {"registry_offset": 2}})),
    ("no envelope", b"\xff"),
    ("too long for the log, and a stranger's", said(event(9, "inspection.recorded", {"note": "x" * 70_000}), STRANGER, 2)),
    ("a number that is no integer", good(9).replace(b'"data":{}', b'"data":{"a":1.5}')),
]


@pytest.mark.parametrize(("what", "value"), BAD, ids=[what for what, _ in BAD])
def test_each_bad_fact_is_named_by_its_place(what: str, value: bytes, tmp_path: Path) -> None:
    assert checked(tmp_path, registry(), [good(1), value, good(2)]) == (2, ["facts.v1 3:1"]), what


def test_a_fact_too_long_for_the_log_is_checked_by_what_stands_beside_it(tmp_path: Path) -> None:
    long = said(event(9, "inspection.recorded", {"note": "x" * 70_000}), OFFICER, 2)
    assert checked(tmp_path, registry(), [long]) == (1, [])
    digest = hashlib.sha256(long).hexdigest()
    assert not (tmp_path / "oversize" / digest[:2] / digest).exists(), "it is the frame that stands there, not the value"


def test_the_registry_is_held_against_the_pinned_genesis(tmp_path: Path) -> None:
    pinned = event(1, "genesis", GENESIS | {"registrar_key": STRANGER.public_object()}, "stack:a")
    _, faults = checked(tmp_path, registry(), [good(1)], pinned)
    assert faults == ["facts.v1 3:0", *(f"registry.v1 0:{offset}" for offset in range(4))]


def test_each_bad_record_of_the_registry_is_named_and_leads_to_no_key(tmp_path: Path) -> None:
    control = registry()
    control[1] = said(event(2, "key.registered", {"key": OFFICER.public_object()}), STRANGER, 0)
    assert checked(tmp_path / "a", control, [good(1)]) == (0, ["facts.v1 3:0", "registry.v1 0:1", "registry.v1 0:3"])
    again = [*registry(), said(event(2, "key.revoked", {"key_id": OFFICER.key_id}), REGISTRAR, 3), b"garbage"]
    assert checked(tmp_path / "b", again[:3] + again[4:], [good(1, 4)]) == (1, ["registry.v1 0:4"]), "a copy revokes nothing"


def test_a_genesis_of_another_log_pins_nothing() -> None:
    assert genesis_of(registry()[0], VERIFIER.text) == event(1, "genesis", GENESIS, "stack:a")
    assert genesis_of(registry()[0], "other") is None
    assert genesis_of(registry()[1], VERIFIER.text) is None
    assert genesis_of(None, VERIFIER.text) is None


def test_many_processes_find_what_one_finds(tmp_path: Path) -> None:
    facts = [good(number) for number in range(1_100)]
    facts[123] = facts[1_076] = BAD[0][1]
    one = checked(tmp_path / "one", registry(), facts)
    assert one == (1_098, ["facts.v1 3:1076", "facts.v1 3:123"])
    assert checked(tmp_path / "two", registry(), facts, cores=2) == one
