"""The rater over one partition: whatever crashes where, the same grades come out, and nothing is lost.

``Disk`` is what survives: rows, messages, the head. A run is cut after any number of writes, or before any part of one, and goes
on from the offset that was acknowledged, with the state made from the rows that survived.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date

import orjson
import pytest

from schemas import topics
from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import derived_bytes
from schemas.times import instant
from services.rating import partition as partition_module
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, compact
from services.rating.domain.fold import decide
from services.rating.domain.subject import Subject
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Message, Record, Row
from tests.cases.ledger import OFFICE, Ledger, act, book, morning, without_approval

pytestmark = pytest.mark.sweep

BOOKS = {"liyujiang": without_approval(book("liyujiang"))}
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SUBJECTS = ["uscc:91350100M000100Y43", "uscc:91110000000000000A", "uscc:91110000000000000B"]


def life(seed: int) -> Ledger:
    """A few busy years."""
    rng = random.Random(seed)
    ledger = Ledger(subject=SUBJECTS[seed % len(SUBJECTS)])
    ledger.opened("2022-05-01")
    for clause in ("四(二)2", "四(三)2", "四(三)4", "四(四)3"):
        data = {"occurred_on": "2022-06-01", "regime": "liyujiang", "clause": clause, "in_force_from": "2022-06-01", "withdrawn": False}
        ledger.enter("measures.adopted", data, subject=f"office:{OFFICE}")
    for year in (2023, 2024, 2025):
        for month in rng.sample(range(1, 13), 4):
            day = f"{year}-{month:02d}-{rng.randint(1, 28):02d}"
            rng.choice([ledger.warned, ledger.fined, ledger.inspected, ledger.ordered])(day)
        document = ledger.penalised(f"{year}-11-03", act("suspension_ordered"), served=None)
        ledger.served(document, f"{year}-11-20")
        ledger.scored(year, str(rng.randint(60, 100)))
        ledger.evaluated(year)
    return ledger


def record(offset: int, subject: str, name: str, data: dict, *, id: str, at: int) -> Record:
    event = {
        "specversion": "1.0",
        "id": id,
        "source": OFFICE,
        "type": f"mingjian.{name}.v1",
        "subject": subject,
        "time": instant(at),
        "datacontenttype": "application/json",
        "data": data,
    }
    entry = {"received_at": instant(at), "channel": "desk", "batch": None, "registry_offset": 1}
    value = trusted_canonical_bytes({"event": event, "signature": {}, "entry": entry})
    return Record(3, offset, at, subject.encode(), value, (("traceparent", TRACE),))


def night(offset: int, at: int) -> Record:
    """The close of a day, as intake writes it before the first fact of the next."""
    through = {"through": instant(at - 86_400_000)[:10], "time_zone": "Asia/Shanghai"}
    return record(offset, "stack:mingjian", "day.closed", through, id=f"0190a5d0-0000-7000-8000-{offset:012d}", at=at)


def log_of(seeds: tuple[int, ...] = (0, 1, 2)) -> list[Record]:
    """Several subjects' facts in one partition, the first one's control events among them, junk and a further copy too."""
    lives = [life(seed) for seed in seeds]
    entries = [(fact.stamp, number, fact.offset, lives[number].subject, fact) for number, one in enumerate(lives) for fact in one.facts]
    found = []
    for _, number, _, subject, fact in sorted(entries, key=lambda one: one[:3]):
        if fact.name in CONTROLS and number:
            continue
        if len(found) % 7 == 6:
            found.append(night(len(found), fact.stamp))
        about = f"office:{fact.data['office']}" if "office" in fact.data else subject
        found.append(record(len(found), about, fact.name, fact.data, id=fact.id, at=fact.stamp))
        if len(found) == 20:
            found.append(Record(3, 20, fact.stamp, b"junk", b"\xff\x00", ()))
            copied = found[10]
            found.append(Record(3, 21, fact.stamp, copied.key, copied.value, ()))
    return found


@dataclass
class Disk:
    """What survives. ``torn`` writes keep a random part and raise."""

    rows: dict[tuple[str, bytes], bytes] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    acknowledged: int = 0
    writes: int = 0
    torn_at: int | None = None
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def write(self, rows: list[Row], messages: list[Message]) -> None:
        self.writes += 1
        if self.writes == self.torn_at:
            rows = [row for row in rows if self.rng.random() < 0.5]
            messages = [one for one in messages if self.rng.random() < 0.5]
        for row in rows:
            kept = self.rows.get((row.table, row.key))
            moves = row.key in (b"head", b"rebuilt") or row.key.startswith(b"cursor/")
            assert moves or row.value is None or kept in (None, row.value), "a row changed its bytes"
            if row.value is None:
                self.rows.pop((row.table, row.key), None)
            else:
                self.rows[row.table, row.key] = row.value
        self.messages += messages
        if self.writes == self.torn_at:
            raise ConnectionError

    def state(self) -> PartitionState:
        def rows(table: str) -> list[tuple[bytes, bytes]]:
            return [(key, value) for (of, key), value in self.rows.items() if of == table]

        return PartitionState.load(3, rows("chunks"), rows("heads"))


def run(disk: Disk, log: list[Record], *, batch: int, books: dict | None = None, slices: int = 1) -> Rater:
    """The live driver's order: work, head, acknowledge; between batches so many slices of what controls left, in the end all of it."""
    rater = Rater(BOOKS if books is None else books)
    state = rater.states[3] = disk.state()
    for work in rater.make_up(state):
        disk.write(work.rows, work.messages)
    for start in range(disk.acknowledged, len(log), batch):
        records = log[start : start + batch]
        before = state.offset
        for work in rater.work(state, records):
            disk.write(work.rows, work.messages)
        if state.offset > before:
            disk.write([state.head_row()], [])
        disk.acknowledged = records[-1].offset + 1
        for _ in range(slices):
            work_off(disk, rater, state)
    while state.agenda:
        work_off(disk, rater, state)
    return rater


TOLD = (topics.GRADES, topics.DUTIES)


def work_off(disk: Disk, rater: Rater, state: PartitionState, size: int = 2) -> None:
    """A slice of the backlog."""
    for work in rater.backlog.slice(state, size):
        disk.write(work.rows, work.messages)


def grades(disk: Disk) -> dict[str, bytes]:
    """And what is told of duties, by id; the same id must always have the same bytes, and stand on its own topic."""
    found: dict[str, bytes] = {}
    for one in disk.messages:
        if one.topic in TOLD:
            event = orjson.loads(one.value)["event"]
            id = event["id"]
            assert (one.topic == topics.DUTIES) == event["type"].startswith("mingjian.duty.")
            assert found.setdefault(id, one.value) == one.value, "the same id with other bytes"
    return found


@pytest.fixture(scope="module")
def log() -> list[Record]:
    return log_of()


@pytest.fixture(scope="module")
def expected(log: list[Record]) -> dict[str, bytes]:
    disk = Disk()
    run(disk, log, batch=len(log))
    assert len(grades(disk)) > 20
    return grades(disk)


@pytest.mark.parametrize("batch", [1, 2, 7, 50])
def test_batches_of_any_size_tell_the_same(log: list[Record], expected: dict[str, bytes], batch: int) -> None:
    disk = Disk()
    run(disk, log, batch=batch)
    assert expected == grades(disk)
    assert len(expected) == len([one for one in disk.messages if one.topic in TOLD])


@pytest.mark.parametrize("batch", [1, 5, 40])
def test_a_crash_before_within_or_after_any_write_loses_and_changes_nothing(
    log: list[Record], expected: dict[str, bytes], batch: int
) -> None:
    whole = Disk()
    run(whole, log, batch=batch)
    for cut in range(1, whole.writes + 1, 1 if batch > 1 else 3):
        disk = Disk(torn_at=cut, rng=random.Random(cut))
        with pytest.raises(ConnectionError):
            run(disk, log, batch=batch)
        run(disk, log, batch=batch)
        assert expected == grades(disk), cut
        assert whole.rows == without_lone_cursors(disk.rows) or batch > 1


def without_lone_cursors(rows: dict[tuple[str, bytes], bytes]) -> dict[tuple[str, bytes], bytes]:
    """A write may be torn anywhere here, so a cursor may outlive its control; Kafka keeps the order, in which it goes first."""
    return {key: value for key, value in rows.items() if not key[1].startswith(b"cursor/") or (key[0], b"pending/" + key[1][7:]) in rows}


def test_positions_that_went_back_only_repeat(log: list[Record], expected: dict[str, bytes]) -> None:
    disk = Disk()
    run(disk, log, batch=9)
    for back in (0, 13, 50, len(log) - 1):
        disk.acknowledged = back
        before = len(disk.messages)
        rater = run(disk, log, batch=6)
        assert expected == grades(disk)
        assert rater.counts.repeated > 0 or back == len(log) - 1
        # Behind the 50th only controls tell, and what a head says is worked off is off the agenda or stands on it.
        assert len(disk.messages) > before or back >= 50


def test_a_state_that_was_lost_is_made_again_from_the_facts(log: list[Record], expected: dict[str, bytes]) -> None:
    disk = Disk()
    run(disk, log, batch=9)
    disk.rows.clear()
    disk.acknowledged = 0
    run(disk, log, batch=4)
    assert expected == grades(disk)


def test_a_subject_dropped_from_memory_comes_back_from_its_chunks(
    log: list[Record], expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_module, "SUBJECTS_IN_MEMORY", 1)
    disk = Disk()
    run(disk, log, batch=3)
    assert expected == grades(disk)


def test_a_subject_of_which_nothing_is_entered_is_told_of_when_its_day_has_come() -> None:
    """Across restarts too, and once: the other closed days look at no subject whose day it isn't."""
    quiet = Ledger(subject=SUBJECTS[0])
    quiet.opened("2025-03-01")
    facts = [record(at, quiet.subject, one.name, one.data, id=one.id, at=one.stamp) for at, one in enumerate(quiet.facts)]
    first = morning(date(2026, 2, 20))
    nights = [night(len(facts) + day, first + day * 86_400_000) for day in range(14)]
    for batch in (1, 3, 40):
        disk = Disk()
        rater = run(disk, [*facts, *nights[:5]], batch=batch)
        assert {quiet.subject: date(2026, 2, 28)} == rater.states[3].due
        assert [] == rater.states[3].falling_due(date(2026, 2, 27)) and [quiet.subject] == rater.states[3].falling_due(date(2026, 2, 28))
        run(disk, [*facts, *nights], batch=batch)
        told = [orjson.loads(one)["event"] for one in grades(disk).values()]
        assert ["new", "new", "not_yet_evaluated"] == [one["data"]["status"] for one in told]
        assert "2026-02-28" == told[-1]["data"]["in_force_from"] == told[-1]["time"][:10]


def test_the_rater_tells_what_the_fold_tells_step_by_step(log: list[Record], expected: dict[str, bytes]) -> None:
    """With every closed day looked at for every subject."""
    controls, subjects, found = Controls(), {}, {}
    known = 0
    for one in log:
        known = max(known, one.timestamp)
        if one.key == b"junk":
            continue
        body = orjson.loads(one.value)
        fact = compact(body["event"], body["entry"], partition=3, offset=one.offset, known=known, stamp=one.timestamp)
        assert fact is not None
        if fact.name in CONTROLS:
            controls.apply(fact)
        name = body["event"]["subject"]
        concerned = list(subjects) if fact.name in CONTROLS else [name]
        for subject in concerned:
            for told in decide(subjects.setdefault(subject, Subject(subject, 3)), controls, BOOKS, fact):
                found[told.event["id"]] = derived_bytes(told.event)
    assert expected == found


def test_junk_goes_to_quarantine_whole_and_stops_nothing(log: list[Record]) -> None:
    disk = Disk()
    run(disk, log, batch=9)
    (junk,) = [one for one in disk.messages if one.topic == topics.QUARANTINE]
    body = orjson.loads(junk.value)
    assert ("rating", topics.FACTS, 3, 20, "/wA=") == tuple(body[name] for name in ("service", "topic", "partition", "offset", "value"))
    assert b"junk" == junk.key


def test_a_fact_that_breaks_the_fold_goes_to_quarantine_and_its_subject_goes_on() -> None:
    ledger = Ledger(subject=SUBJECTS[0])
    ledger.opened("2022-05-01")
    ledger.fined("2023-05-01")
    good = [record(at, ledger.subject, fact.name, fact.data, id=fact.id, at=fact.stamp) for at, fact in enumerate(ledger.facts)]
    bad = record(
        3,
        ledger.subject,
        "warning.issued",
        {"occurred_on": "never", "service": {"served_on": "never"}},
        id="0190a5d0-0000-7000-8000-00000000000b",
        at=9,
    )
    last = good[3]
    shifted = Record(last.partition, 4, last.timestamp, last.key, last.value, last.headers)
    disk, undisturbed = Disk(), Disk()
    run(disk, [*good[:3], bad, shifted], batch=5)
    run(undisturbed, good, batch=5)
    assert [topics.QUARANTINE] == [one.topic for one in disk.messages if one.topic not in TOLD]
    facts = [orjson.loads(one.value)["event"]["data"]["grade"] for one in disk.messages if one.topic == topics.GRADES]
    assert facts == [orjson.loads(one.value)["event"]["data"]["grade"] for one in undisturbed.messages]


def test_grades_carry_the_trace_the_key_and_the_time_of_their_cause(log: list[Record]) -> None:
    disk = Disk()
    run(disk, log, batch=9)
    by_offset = {one.offset: one for one in log}
    for one in disk.messages:
        if one.topic not in TOLD:
            continue
        event = orjson.loads(one.value)["event"]
        cause = by_offset[event["data"]["cause"]["offset"]]
        headers = dict(one.headers)
        assert event["subject"].encode() == one.key
        assert cause.timestamp == one.timestamp
        assert instant(cause.timestamp) == event["time"]
        assert (event["id"].encode(), event["type"].encode()) == (headers["ce_id"], headers["ce_type"])
        assert cause.headers == () or headers["traceparent"] == TRACE


def test_a_cause_is_known_from_the_running_maximum_of_its_partition_however_often_it_is_told(log: list[Record]) -> None:
    """A broker's clock that steps back moves nothing that was known; nor does working the partition off again, or a crash."""
    stepped = [replace(one, timestamp=one.timestamp - (7_200_000 if one.offset % 5 == 2 else 0)) for one in log]
    known, newest = {}, 0
    for one in stepped:
        newest = known[one.offset] = max(newest, one.timestamp)
    disk = Disk()
    run(disk, stepped, batch=9)
    disk.acknowledged = 0
    run(disk, stepped, batch=4)
    whole = grades(disk)
    torn = Disk(torn_at=20)
    with pytest.raises(ConnectionError):
        run(torn, stepped, batch=5)
    run(torn, stepped, batch=5)
    assert grades(torn) == whole
    causes = [orjson.loads(value)["event"]["data"]["cause"] for value in whole.values()]
    assert [one["known_from"] for one in causes] == [instant(known[one["offset"]]) for one in causes]
    assert any(known[one["offset"]] != stepped[one["offset"]].timestamp for one in causes)
    assert {one["source"] for one in causes} == {OFFICE}


def test_a_regime_whose_activated_rulebook_is_not_loaded_is_refused_and_made_up_for(log: list[Record], expected: dict[str, bytes]) -> None:
    disk = Disk()
    rater = run(disk, log[:40], batch=9, books={})
    assert {} == grades(disk)
    (refusal,) = rater.refusals()
    assert ("liyujiang", None, [3]) == (refusal["regime"], refusal["loaded"], refusal["partitions"])
    rater = run(disk, log, batch=9)
    assert [] == rater.refusals()
    assert expected == grades(disk)
    assert not any(key.startswith(b"refused/") for _, key in disk.rows)


@pytest.mark.parametrize("seen", [7, 20, 40])
def test_a_worker_that_starts_with_other_rulebooks_than_the_one_before_it_makes_up_for_what_it_refused(
    log: list[Record], expected: dict[str, bytes], seen: int
) -> None:
    disk = Disk()
    run(disk, log[:seen], batch=9)
    told = grades(disk)
    rater = run(disk, log[: seen + 40], batch=9, books={})
    assert grades(disk) == told and rater.refusals()
    assert [] == run(disk, log, batch=9).refusals()
    assert expected == grades(disk)


@pytest.mark.parametrize("batch", [1, 40])
def test_a_rulebook_that_is_activated_ahead_takes_over_with_the_day_and_is_made_up_for(batch: int) -> None:
    """The old one rates until then, and is refused from the close of the day before on."""
    ledger = Ledger(subject=SUBJECTS[0])
    ledger.opened("2010-03-01")
    ledger.activate(sha256="b" * 64, in_force_from="2026-01-01", on="2025-06-01")
    ledger.fined("2025-07-01")
    log = [record(at, ledger.subject, one.name, one.data, id=one.id, at=one.stamp) for at, one in enumerate(ledger.facts)]
    log.append(night(len(log), morning(date(2026, 1, 1))))
    ledger.penalised("2026-02-01", act("suspension_ordered"))
    last = ledger.facts[-1]
    log.append(record(len(log), ledger.subject, last.name, last.data, id=last.id, at=last.stamp))
    old, new = (
        BOOKS,
        {"liyujiang": replace(BOOKS["liyujiang"], sha256="b" * 64, earlier={BOOKS["liyujiang"].sha256: BOOKS["liyujiang"].rulebook})},
    )
    disk = Disk()
    assert [] == run(disk, log[:-2], batch=batch, books=old).refusals()
    assert [1] == [len(run(disk, log, batch=batch, books=old).refusals())]
    letters = [orjson.loads(one)["event"]["data"]["grade"] for one in grades(disk).values()]
    assert "D" == letters[-1] and "E" not in letters
    assert [] == run(disk, log, batch=batch, books=new).refusals()
    told = [orjson.loads(one)["event"]["data"] for one in grades(disk).values()][len(letters) :]
    # What the old one found stands; only what came after it is told, by the new one.
    assert [("E", "b" * 64)] == [(one["grade"], one["rulebook"]["sha256"]) for one in told]


def test_a_regime_that_was_never_activated_is_not_rated() -> None:
    ledger = Ledger(subject=SUBJECTS[0], activated=False)
    ledger.opened("2022-05-01")
    ledger.fined("2023-05-01")
    disk = Disk()
    rater = run(
        disk, [record(at, ledger.subject, one.name, one.data, id=one.id, at=one.stamp) for at, one in enumerate(ledger.facts)], batch=2
    )
    assert ({}, []) == (grades(disk), rater.refusals())


def test_a_facts_cost_does_not_grow_with_the_subject() -> None:
    """Bytes of changelog for the 50th, the 500th and the 1,000th inspection of one subject, batch by batch."""
    subject = SUBJECTS[0]
    ledger = Ledger(subject=subject)
    ledger.opened("2010-05-01")
    for number in range(1_000):
        ledger.inspected(f"20{11 + number // 100}-{1 + number // 10 % 12:02d}-{1 + number % 28:02d}", found=("GSP-01",))
    log = [record(at, subject, one.name, one.data, id=one.id, at=one.stamp) for at, one in enumerate(ledger.facts)]
    rater, state, sizes = Rater(BOOKS), PartitionState(3), []
    for start in range(0, len(log), 50):
        rows = [row for work in rater.work(state, log[start : start + 50]) for row in work.rows]
        sizes.append(sum(len(row.key) + len(row.value or b"") for row in rows if row.table == "chunks"))
        assert all(len(row.value or b"") < 60_000 for row in rows)
    assert max(sizes[1:-1]) < 1.2 * min(sizes[1:-1])
