"""What the leaves say: control copies, receipts, clocks, doubles. The other kinds are in ``tests/faults/test_tampering.py``."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest

from schemas.canonical import canonical_bytes
from schemas.keys import SigningKey
from schemas.receipts import Receipt, Refusal, sign_receipt, sign_refusal
from schemas.times import instant
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REFUSALS, REGISTRY
from services.audit.domain.contents import Opening, Watcher
from services.audit.domain.copies import ON_ITS_WAY_MS, Copies
from services.audit.domain.frame import Record
from services.audit.domain.handed_out import HandedOuts, NoReceipts, read_handed_out
from services.audit.domain.told_times import Times

INTAKE = SigningKey.from_seed(b"receipts of the unit tests".ljust(32, b"."))
GENESIS: dict[str, Any] = {"data": {"receipt_key": INTAKE.public_object()}}
START = 1_750_000_000_000


def value(number: int, kind: str = "inspection.recorded", received: int = START, **data: Any) -> bytes:
    id = f"018f0000-0000-7000-8000-{number:012x}"
    event = {"id": id, "source": "/o", "type": f"mingjian.{kind}.v1", "subject": "uscc:1", "time": "2026-01-01T00:00:00.000Z", "data": data}
    return orjson.dumps({"event": event, "entry": {"received_at": instant(received), "registry_offset": 0}}, option=orjson.OPT_SORT_KEYS)


class Seen:
    """Faults and notices of a log of these records, as (code, place)."""

    def __init__(self, records: list[Record], *makers: Any, clock: str | None = None) -> None:
        self.faults: list[tuple[str, str]] = []
        self.notices: list[tuple[str, str]] = []
        fault, notice = (lambda to: lambda code, where, what: to.append((code, where)))(self.faults), self._notice
        watchers: list[Watcher] = [make(fault, notice) for make in makers]
        opening = Opening(fault, notice, clock)
        for index, record in enumerate(records):
            leaf = opening.leaf(index, record)
            for one in watchers:
                one.see(leaf)
        for one in watchers:
            one.end()

    def _notice(self, code: str, where: str, what: str) -> None:
        self.notices.append((code, where))


def at(topic: str, partition: int, offset: int, said: bytes, *, key: bytes = b"k", time: int = START, kind: int = 1) -> Record:
    return Record(topic, partition, offset, time, kind, key, (), said)


def broadcast(*, without: tuple[int, ...] = (), edited: tuple[int, ...] = (), later: int = 2 * ON_ITS_WAY_MS) -> list[Record]:
    closed, other = value(1, "day.closed", through="2026-01-01"), value(1, "day.closed", through="2026-01-02")
    copies = [at(FACTS, n, 0, other if n in edited else closed, key=CONTROL_KEY) for n in range(PARTITIONS) if n not in without]
    return [at(REGISTRY, 0, 0, closed), *copies, at(REGISTRY, 0, 1, value(2), time=START + later)]


def test_copies_are_whole_the_same_and_of_an_original() -> None:
    assert Seen(broadcast(), Copies).faults == []
    assert Seen(broadcast(without=(3, 5)), Copies).faults == [("copy-missing", f"{FACTS} 3, 5")]
    assert Seen(broadcast(edited=(7,)), Copies).faults == [("copy-changed", f"leaf 8, {FACTS} 7:0")]
    assert Seen(broadcast()[1:], Copies).faults == [("copy", f"leaf {n}, {FACTS} {n}:0") for n in range(PARTITIONS)]
    odd = [at(FACTS, 0, 1, value(1, "day.closed")), at(FACTS, 0, 2, value(8), key=CONTROL_KEY)]
    assert Seen([*broadcast(), *odd], Copies).faults == [("copy", f"leaf 14, {FACTS} 0:1"), ("copy", f"leaf 15, {FACTS} 0:2")]


def test_a_copy_that_may_be_on_its_way_is_a_notice() -> None:
    seen = Seen(broadcast(without=(3,), later=ON_ITS_WAY_MS), Copies)
    assert (seen.faults, seen.notices) == ([], [("copy-missing", f"{FACTS} 3")])


def test_the_second_copy_of_a_control_event_changes_nothing() -> None:
    again = at(FACTS, 7, 1, value(1, "day.closed", through="2027-01-01"), key=CONTROL_KEY)
    seen = Seen([*broadcast(), again], Copies)
    assert (seen.faults, seen.notices) == ([], [("repeated", f"leaf 14, {FACTS} 7:1")])


def receipt(record: Record, known: int = START, **other: Any) -> bytes:
    event = orjson.loads(record.value or b"")["event"]

    body = {
        "source": event["source"],
        "id": event["id"],
        "event_hash": hashlib.sha256(canonical_bytes(event)).hexdigest(),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "received_at": instant(START),
        "known_from": instant(known),
    }
    return orjson.dumps(sign_receipt(Receipt(**body | other), INTAKE))


def held(records: list[Record], given: bytes, genesis: dict[str, Any] | None = GENESIS) -> list[tuple[str, str]]:
    return Seen(records, lambda fault, notice: HandedOuts(read_handed_out(given, "f"), genesis, fault)).faults


def test_a_receipt_is_its_leaf_in_every_word() -> None:
    records = [
        at(FACTS, 2, 0, value(1), time=START + 9),
        at(FACTS, 2, 1, value(2), time=START + 4),
        at(FACTS, 2, 2, value(2), time=START + 9),
    ]
    known = START + 9
    assert held(records, receipt(records[0], known) + b"\n" + receipt(records[1], known)) == []
    assert held(records, receipt(records[1], START + 4)) == [("receipt", f"leaf 1, {FACTS} 2:1 (f, line 1)")], "the running maximum"
    assert held(records, receipt(records[2], known)) == [("receipt", f"leaf 2, {FACTS} 2:2 (f, line 1)")], "not the first copy"
    assert held(records, receipt(records[0], known, id="another")) == [("receipt", f"leaf 0, {FACTS} 2:0 (f, line 1)")]
    assert held(records, receipt(records[0], known, offset=7)) == [("receipt", f"{FACTS} 2:7 (f, line 1)")]
    assert held(records, receipt(records[0], known), None) == [("receipt", "f, line 1")], "no genesis says whose signature counts"


def test_every_byte_of_a_receipt_counts() -> None:
    record = at(FACTS, 2, 0, value(1))
    data = receipt(record)
    assert held([record], data) == []
    for place in range(len(data)):
        try:
            assert held([record], data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) != [], place
        except NoReceipts:
            pass


def test_a_refusal_is_a_leaf_as_it_was_signed() -> None:
    body = Refusal(
        source="/o", id="", event_hash="0" * 64, key_id="0" * 32, received_at=instant(START), reason="r", detail_en="e", detail_zh="z"
    )
    signed = orjson.dumps(sign_refusal(body, INTAKE), option=orjson.OPT_SORT_KEYS)
    assert held([at(REFUSALS, 1, 0, b"garbage"), at(REFUSALS, 1, 1, signed)], signed) == []
    assert held([], signed) == [("receipt", f"{REFUSALS} (f, line 1)")]
    problem = orjson.dumps({"title": "refused", "refusal": orjson.loads(signed)})
    assert held([], problem) == [("receipt", f"{REFUSALS} (f, line 1)")], "as a problem carries it"


@pytest.mark.parametrize("data", [b"", b"[]", b'{"receipt": {}, "signature": {}}', b'{"receipt": 1}', b"x\ny"])
def test_what_holds_no_receipt_is_said_so(data: bytes) -> None:
    if not data:
        assert list(read_handed_out(data, "f")) == []
        return
    with pytest.raises(NoReceipts, match="f, line 1"):
        list(read_handed_out(data, "f"))


def test_clocks_and_doubles_are_notices_and_another_clock_than_genesis_says_is_a_fault() -> None:
    registry = {0: value(1)}
    times = lambda fault, notice: Times({"data": {}}, registry, notice)  # noqa: E731
    records = [at(FACTS, 0, 0, value(1), time=START + 6_000), at(FACTS, 0, 1, value(2), time=START), at(FACTS, 0, 2, value(2), time=START)]
    seen = Seen(records, times, clock="wall")
    assert seen.faults == []
    assert seen.notices == [("clock", f"leaf 0, {FACTS} 0:0"), ("clock", f"leaf 1, {FACTS} 0:1"), ("repeated", f"leaf 2, {FACTS} 0:2")]
    assert Seen([at(FACTS, 0, 0, value(1), kind=0)], clock="wall").faults == [("timestamps", f"leaf 0, {FACTS} 0:0")]
    assert Seen([at(FACTS, 0, 0, value(1), kind=0)], clock="simulated").faults == []
