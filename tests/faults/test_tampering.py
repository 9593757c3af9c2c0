"""Every kind of tampering in ``docs/tampering.md``, done for real by an operator with root, and the message that shows it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiokafka.admin import NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteAclsRequest
from aiokafka.structs import TopicPartition

from schemas.keys import SigningKey
from schemas.topics import DUTIES, FACTS, GRADES, PARTS, PUBLICATIONS, REFUSALS, REGISTRY, Topic, topic_config
from schemas.topics import LOGGED_TOPICS as LOGGED
from services.audit.appender import LogKey
from services.audit.checks.running import Check, Run
from services.audit.domain import tiles
from services.audit.domain.cosigning import encode_request
from services.audit.domain.frame import Record
from services.audit.domain.note import ED25519, VerifierKey
from services.audit.proving import prove_prefix
from services.audit.signatures import read_file
from services.audit.verifying import CHECKS, run_verify
from tests.faults import segments
from tests.faults.operator_tools import Town, event_of, registrar, renumbered, resigned, signed_again
from tests.faults.operator_tools import town as a_town
from tests.faults.tables import TABLES
from tests.tampering import DATABASE, KINDS, kind

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

STRANGER = SigningKey.from_seed(b"an operator with root".ljust(32, b"."))
DONE: set[str] = set()


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with a_town() as made:
        yield made


def shown(name: str, said: str) -> None:
    """The kind's message is in what the command said, and the command failed where it has to."""
    DONE.add(name)
    assert kind(name).said_in(said), f"{name}: not shown by\n{said[:3000]}"
    assert "verified \u2713" not in said or name == "replay"


# --- PostgreSQL: as its superuser, each undone again ------------------------------------------------------------------------------------


# Columns that PostgreSQL works out itself take no values.
_BACK = """
    DO $back$ DECLARE names text; BEGIN
        SELECT string_agg(quote_ident(attname), ', ') INTO names FROM pg_attribute
        WHERE attrelid = '$TABLE'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE 'INSERT INTO $TABLE (' || names || ') OVERRIDING SYSTEM VALUE SELECT ' || names || ' FROM public.before';
    END $back$
"""


@contextmanager
def put_back(town: Town, table: str) -> Iterator[None]:
    """The table as it was, once the block ends."""
    town.sql(f"CREATE TABLE public.before AS TABLE {table}")
    try:
        yield
    finally:
        town.sql(f"DELETE FROM {table}", _BACK.replace("$TABLE", table), "DROP TABLE public.before")  # noqa: S608


@pytest.mark.parametrize("name", TABLES)
def test_what_is_done_to_postgresql(town: Town, name: str) -> None:
    table, statement = TABLES[name]
    with put_back(town, table):
        town.sql(statement)
        shown(name, town.said())


def test_after_all_that_was_undone_everything_verifies(town: Town) -> None:
    assert "verified \u2713" in (said := town.said()), said


def test_an_interrupted_run_goes_on_and_says_how_far_it_was(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off when all but its last step was done; the next one says what it did not do again."""
    memory = town.home / "interrupted"

    def stop(run: Run) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_verify, "__kwdefaults__", {**(run_verify.__kwdefaults__ or {}), "checks": [*CHECKS, Check("stop", stop)]})
        assert "interrupted; the same command goes on" in town.said(memory=memory)
    size = f"{size_of(town.log):,}"
    said = town.said(memory=memory)
    assert f"had done: {size} leaves' signatures, {size} of Kafka's records" in said and "verified \u2713" in said, said
    again = town.said(memory=memory)
    assert "went on" not in again and f"Kafka: {size} records compared" in again


# --- the folder: on copies ---------------------------------------------------------------------------------------------------------------


def flip(path: Path, at: int = -40) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def one_of(log: Path, pattern: str) -> Path:
    return sorted(path for path in log.glob(pattern) if path.is_file())[0]


def size_of(log: Path) -> int:
    return int((log / "checkpoint").read_text().split("\n")[1])


def stale(log: Path) -> None:
    _, index, width = tiles.edge_tiles(size_of(log))[0]
    path = log / tiles.tile_path(0, index, width)
    path.write_bytes(path.read_bytes()[:32])


IN_PLACE: dict[str, Callable[[Path], object]] = {
    "tile": lambda log: flip(one_of(log, "tile/0/000")),
    "bundle": lambda log: flip(one_of(log, "tile/entries/000"), 900),
    "oversize": lambda log: flip(one_of(log, "oversize/*/*")),
    "checkpoint": lambda log: flip(log / "checkpoint", 60),
    "cut": lambda log: (path := one_of(log, "tile/entries/001")).write_bytes(path.read_bytes()[:-3]),
    "gone": lambda log: one_of(log, "tile/0/001").unlink(),
    "stale": stale,
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_is_done_to_files_of_the_log(town: Town, name: str, tmp_path: Path) -> None:
    log = town.copy(tmp_path / "log")
    IN_PLACE[name](log)
    shown(name, town.said("--offline", log=log))


def test_an_older_copy_of_the_folder(town: Town, tmp_path: Path) -> None:
    shown("rolled-back", town.said("--offline", log=town.earlier, memory=shutil.copytree(town.memory, tmp_path / "seen")))
    shown("rolled-back-known", town.said(log=town.earlier))


def rewritten(records: list[Record]) -> list[Record]:
    """The newest fact says otherwise than it did."""
    at = max(number for number, one in enumerate(records) if one.topic == FACTS)
    return [*records[:at], replace(records[at], value=(records[at].value or b"").replace(b"2026", b"2025", 1)), *records[at + 1 :]]


def test_another_history_signed_with_the_stolen_key(town: Town, tmp_path: Path) -> None:
    records = town.records()
    log = resigned(tmp_path / "log", rewritten(records), town.key)
    shown("forked", town.said("--offline", "--against", str(resigned(tmp_path / "other", records, town.key) / "checkpoint"), log=log))
    longer = resigned(tmp_path / "longer", renumbered([*rewritten(records), *records[-3:]]), town.key)
    shown("rewritten", town.said("--offline", log=longer, memory=shutil.copytree(town.memory, tmp_path / "seen")))
    shown("twice", town.said("--offline", log=resigned(tmp_path / "twice", [*records, records[-1]], town.key)))
    other = LogKey(VerifierKey(town.key.verifier.name, ED25519, STRANGER.raw_public), STRANGER.sign)
    shown("log-key", town.said("--offline", log=resigned(tmp_path / "swapped", records, other)))


def test_a_witness_cosigns_no_other_history(town: Town, tmp_path: Path) -> None:
    log = resigned(tmp_path / "log", renumbered([*rewritten(town.records()), *town.records()[-3:]]), town.key)
    note = (log / "checkpoint").read_bytes()
    seen, size = size_of(town.log), size_of(log)
    town.stack.start("witness")
    proof = prove_prefix(seen, size, lambda path: read_file(log, path), town.key.verifier).path
    answer = httpx.post(f"{town.stack.ports.url('witness')}/add-checkpoint", content=encode_request(seen, proof, note))
    town.stack.stop_one("witness")
    shown("witnessed", f"HTTP {answer.status_code}: {answer.text}")


def test_a_checkpoint_without_its_cosignatures(town: Town, tmp_path: Path) -> None:
    log = town.copy(tmp_path / "log")
    text, _, lines = (log / "checkpoint").read_text().rpartition("\n\n")
    (log / "checkpoint").write_text(text + "\n\n" + lines.split("\n")[0] + "\n")
    witness = next(line.split()[2] for line in (town.home / "witnesses").read_text().splitlines() if line.startswith("witness "))
    shown("cosignature", town.said("--offline", "--witness", witness, log=log))


# --- a history rewritten so that it fits in itself --------------------------------------------------------------------------------------


def control_copies(records: list[Record], word: str, partition: int = 7) -> list[int]:
    """Where such control events stand in a partition of facts."""
    place = (FACTS, partition, b"control")
    return [n for n, one in enumerate(records) if (one.topic, one.partition, one.key) == place and word in event_of(one)["type"]]


def test_control_copies_that_are_edited_or_missing_in_a_rewritten_log(town: Town, tmp_path: Path) -> None:
    records = town.records()
    at = control_copies(records, "calendar.issued")[-1]
    edited = signed_again(records[at], registrar(town.home), lambda data: data["days_off"].pop())
    log = resigned(tmp_path / "edited", [*records[:at], edited, *records[at + 1 :]], town.key)
    shown("calendar-rewritten", said := town.said("--offline", log=log))
    assert "signature:" not in said
    days = control_copies(records, "day.closed")
    without = [one for n, one in enumerate(records) if n != days[len(days) // 2]]
    shown("copy-missing", town.said("--offline", log=resigned(tmp_path / "missing", renumbered(without), town.key)))


def test_receipts_show_what_a_rewritten_log_leaves_out(town: Town, tmp_path: Path) -> None:
    records = town.records()
    held = [orjson.loads(line)["receipt"] for line in town.receipts.read_bytes().splitlines()]
    facts = [one for one in held if one["topic"] == FACTS]
    last = {one.partition: one.offset for one in records if one.topic == FACTS}
    mid = next(one for one in facts if one["offset"] < last[one["partition"]])
    receipts = ("--receipts", str(town.receipts), "--receipts", str(town.refusals))

    def log(name: str, dropped: Callable[[Record], bool]) -> Path:
        return resigned(tmp_path / name, renumbered([one for one in records if not dropped(one)]), town.key)

    place = (FACTS, mid["partition"], mid["offset"])
    shown("dropped", town.said("--offline", *receipts, log=log("mid", lambda one: (one.topic, one.partition, one.offset) == place)))
    end = max(facts, key=lambda one: one["offset"])
    ends = lambda one: (one.topic, one.partition) == (FACTS, end["partition"]) and one.offset >= end["offset"]  # noqa: E731
    shown("dropped-last", town.said("--offline", *receipts, log=log("end", ends)))
    shown("refusal-dropped", town.said("--offline", *receipts, log=log("refusal", lambda one: one.topic == REFUSALS)))
    forged = tmp_path / "forged.json"
    forged.write_bytes(
        orjson.dumps({"receipt": (body := {**mid, "received_at": "2001-01-01T00:00:00.000Z"}), "signature": STRANGER.signature(body)})
    )
    shown("receipt-forged", town.said("--offline", "--receipts", str(forged)))


def test_a_registry_with_another_key_and_another_genesis(town: Town, tmp_path: Path) -> None:
    records = town.records()
    at = next(n for n, one in enumerate(records) if one.topic == REGISTRY and event_of(one).get("type") == "mingjian.key.registered.v1")
    swapped = signed_again(records[at], STRANGER, lambda data: data.update(key=STRANGER.public_object()))
    said = town.said("--offline", log=resigned(tmp_path / "log", [*records[:at], swapped, *records[at + 1 :]], town.key))
    shown("registry", said)
    shown("registry-facts", said)
    other: dict[str, Any] = {"event": {**town.genesis, "data": {**town.genesis["data"], "registrar_key": STRANGER.public_object()}}}
    (tmp_path / "genesis.json").write_bytes(orjson.dumps(other))
    shown("genesis", town.said("--offline", genesis=tmp_path / "genesis.json"))


# --- Kafka: its files while it is down, then as its administrator; all put back --------------------------------------------------------


def topic(name: str) -> Topic:
    return next(one for one in LOGGED if one.name == name)


def middle(batches: list[segments.Batch]) -> int:
    """A record in the middle, which another one follows."""
    return len(batches) // 2


def swapped(batches: list[segments.Batch]) -> list[segments.Batch]:
    at = middle(batches)
    first, second = batches[at], batches[at + 1]
    return [*batches[:at], replace(second, base=first.base), replace(first, base=second.base), *batches[at + 2 :]]


def retimed(batches: list[segments.Batch]) -> list[segments.Batch]:
    at = middle(batches)
    times = tuple(one - 86_400_000 for one in batches[at].times)
    return [*batches[:at], replace(batches[at], times=times), *batches[at + 1 :]]


def without(batches: list[segments.Batch]) -> list[segments.Batch]:
    at = middle(batches)
    return [*batches[:at], *batches[at + 1 :]]


def inserted(batches: list[segments.Batch]) -> list[segments.Batch]:
    at = middle(batches)
    new = segments.single(b'{"event":{}}', b"k", batches[at].times[0], batches[at].base)
    return [*batches[:at], new, *segments.shifted(batches[at:], 1)]


def appended(batches: list[segments.Batch]) -> list[segments.Batch]:
    end = batches[-1].base + batches[-1].last + 1
    return [*batches, segments.single(b'{"event":{}}', b"k", batches[-1].times[1], end)]


def recalendared(batches: list[segments.Batch]) -> list[segments.Batch]:
    return segments.replaced(batches, b'"make_up_days":["20', b'"make_up_days":["19')


# Name → partition of facts, and what is done to its segment.
ON_DISK: dict[str, tuple[int, Callable[[list[segments.Batch]], list[segments.Batch]]]] = {
    "change": (0, lambda batches: segments.replaced(batches, b'"desk"', b'"feed"')),
    "time": (1, retimed),
    "swap": (2, swapped),
    "delete": (3, without),
    "insert": (4, inserted),
    "append": (5, appended),
    "truncate": (6, lambda batches: batches[:-1]),
    "calendar": (7, recalendared),
}


@pytest.fixture(scope="module")
def tampered(town: Town) -> str:
    """What ``verify`` says of a Kafka on which all of it was done at once, each kind in a partition of its own."""
    data = town.home / "kafka" / "data"
    town.stack.stop_one("kafka")
    shutil.copytree(data, town.home / "kafka-before")
    for partition, act in ON_DISK.values():
        segments.edit(data / f"{FACTS}-{partition}", act)
    (data / ".kafka_cleanshutdown").unlink(missing_ok=True)
    town.stack.start("kafka")
    try:
        town.admin(partial(_as_administrator, most_of(town, GRADES)))
        return town.said()
    finally:
        town.stack.stop_one("kafka")
        shutil.rmtree(data)
        (town.home / "kafka-before").rename(data)
        town.stack.start("kafka")


def most_of(town: Town, topic: str) -> int:
    """The partition of a topic with the most records."""
    return Counter(one.partition for one in town.records() if one.topic == topic).most_common(1)[0][0]


async def _as_administrator(partition: int, admin: Any) -> None:
    await admin.delete_topics([DUTIES])
    await asyncio.sleep(1)
    again = topic(DUTIES)
    await admin.create_topics([NewTopic(again.name, again.partitions, 1, topic_configs=topic_config(again, "simulated"))])
    await admin.delete_records({TopicPartition(GRADES, partition): RecordsToDelete(before_offset=2)})
    for name, changed in ((REFUSALS, {"retention.ms": "86400000000"}), (PARTS, {"message.timestamp.type": "LogAppendTime"})):
        settings = topic_config(topic(name), "simulated") | changed
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, settings)])
    await admin.create_partitions({PUBLICATIONS: NewPartitions(13)})


@pytest.mark.parametrize("name", [*ON_DISK, "recreate", "retention", "retention-set", "clock-set", "partitions"])
def test_what_is_done_to_kafka(tampered: str, name: str) -> None:
    shown(name, tampered)


# --- Kafka with audit running: what is said there becomes leaves, for good; so it comes last --------------------------------------------


def test_what_is_said_on_kafka_past_intake(town: Town) -> None:
    records = town.records()
    fact = next(one for one in reversed(records) if one.topic == FACTS and one.key != b"control")
    unsigned = signed_again(fact, STRANGER, lambda data: data.update(note="x"))
    calendar = signed_again(
        records[control_copies(records, "calendar.issued")[-1]], registrar(town.home), lambda data: data["days_off"].pop()
    )
    whole = orjson.loads(calendar.value or b"")
    whole["event"]["id"] = "0b5e0000-0000-7000-8000-000000000002"
    whole["signature"] = registrar(town.home).signature(whole["event"])
    stray = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
    say = lambda value, partition, key=b"k", **more: town.produce((FACTS, partition, key, value, fact.timestamp), **more)  # noqa: E731
    say(fact.value or b"", fact.partition, fact.key or b"")
    say(unsigned.value or b"", 8)
    say(stray, 9, b"control")
    town.admin(lambda admin: admin._send_to_controller(DeleteAclsRequest(5, "*", 3, "User:*", "*", 2, 2)))
    before = town.end(FACTS, 10)
    say(fact.value or b"", 10, transactional=True)
    # Kafka writes the marker after it has answered.
    until = time.monotonic() + 30
    while town.end(FACTS, 10) < before + 2:
        assert time.monotonic() < until, "no marker came"
    say(fact.value or b"", 10)
    town.stack.start_services(("audit",))
    said = town.said("--wait", "5")
    for name in ("replay", "unsigned", "control-key", "marker", "marker-on-kafka"):
        shown(name, said)


def test_every_kind_on_the_page_was_done() -> None:
    assert {one.name for one in KINDS} == DONE
    assert {one.name for one in KINDS if one.on == DATABASE} == TABLES.keys()
