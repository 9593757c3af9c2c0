"""Control events worked off behind the facts: a subject is told what it is told where they are worked off at once."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.envelope import derived_bytes
from services.rating import backlog as backlog_module
from services.rating.adapters.health import Progress
from services.rating.domain.fold import Book
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Message, Record, Row
from tests.cases.ledger import Ledger
from tests.unit.rating.streams import BOOKS, Sent, stream, told_live
from tests.unit.rating.test_rater import Disk
from tests.unit.rating.test_spans_properties import lives
from tests.unit.rating.test_untold import broken

pytestmark = pytest.mark.sweep
Killed = ConnectionError


class Kafka(Disk):
    """Of a write that is cut off, rows may be there in any part, messages from the first on: Kafka keeps their order."""

    def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None:
        if self.writes + 1 == self.torn_at:
            self.torn_at = None
            rows = [row for row in rows if self.rng.random() < 0.5]
            messages = messages[: self.rng.randrange(len(messages) + 1)]
            super().write(list(rows), list(messages))
            raise Killed
        super().write(list(rows), list(messages))


class Process:
    """A worker over one partition, from start to kill."""

    def __init__(self, kafka: Kafka, log: Sequence[Record], books: dict[str, Book] | None = None) -> None:
        self.kafka, self.log = kafka, log
        self.rater, self.state = Rater(books or BOOKS), kafka.state()
        self.rater.states[3] = self.state
        for work in self.rater.make_up(self.state):
            kafka.write(work.rows, work.messages)

    def batch(self, size: int) -> None:
        """Records from where the group stands."""
        records = self.log[self.kafka.acknowledged : self.kafka.acknowledged + size]
        before = self.state.offset
        for work in self.rater.work(self.state, records):
            self.kafka.write(work.rows, work.messages)
        if self.state.offset > before:
            self.kafka.write([self.state.head_row()], [])
        if records:
            self.kafka.acknowledged = records[-1].offset + 1

    def slice(self, size: int) -> None:
        for work in self.rater.backlog.slice(self.state, size):
            self.kafka.write(work.rows, work.messages)

    def finish(self) -> None:
        while self.kafka.acknowledged < len(self.log):
            self.batch(7)
        while self.state.agenda:
            self.slice(3)


def records(sent: Sequence[Sent]) -> list[Record]:
    return [Record(3, at, one.fact.stamp, one.key, one.value, tuple(one.headers)) for at, one in enumerate(sent)]


def told(kafka: Kafka) -> dict[str, list[bytes]]:
    """What each subject was told, in order, each word once; the same id never with other bytes."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for one in kafka.messages:
        if one.topic == topics.GRADES:
            id = orjson.loads(one.value)["event"]["id"]
            assert found[one.key.decode()].setdefault(id, one.value) == one.value, "the same id with other bytes"
    return {name: list(words.values()) for name, words in found.items()}


def at_once(sent: Sequence[Sent]) -> dict[str, list[bytes]]:
    """The straight fold: every control is worked off where it stands."""
    return {name: [derived_bytes(one.event) for one in words] for name, words in told_live(sent).items() if words}


OPS = st.one_of(
    st.tuples(st.just("batch"), st.integers(1, 12)),
    st.tuples(st.just("slice"), st.integers(1, 3)),
    st.tuples(st.just("kill"), st.integers(0, 3)),
    st.tuples(st.just("tear"), st.integers(1, 6)),
    st.tuples(st.just("repeat"), st.integers(1, 20)),
)
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=120, deadline=None, suppress_health_check=SLOW)
@given(st.lists(lives(approving=True), min_size=1, max_size=4), st.lists(OPS, max_size=25), st.integers(0, 9), st.integers(0, 3))
def test_whatever_comes_between_a_subject_is_told_the_same_in_the_same_order(
    ledgers: list[Ledger], ops: list[tuple[str, int]], seed: int, most: int
) -> None:
    """Batches, slices, kills before, within and after any write, records that come again, and an agenda that overflows."""
    sent = stream(ledgers)
    log, kafka = records(sent), Kafka(rng=random.Random(seed))
    kept, backlog_module.MOST_PENDING = backlog_module.MOST_PENDING, most + 1
    try:
        process = Process(kafka, log)
        for what, number in ops:
            try:
                if what == "batch":
                    process.batch(number)
                elif what == "slice":
                    process.slice(number)
                elif what == "kill":
                    raise Killed
                elif what == "tear":
                    kafka.torn_at = kafka.writes + number
                else:
                    kafka.acknowledged = max(0, kafka.acknowledged - number)
            except Killed:
                process = Process(kafka, log)
        kafka.torn_at = None
        process.finish()
    finally:
        backlog_module.MOST_PENDING = kept
    assert told(kafka) == at_once(sent)
    assert not any(key.startswith((b"pending/", b"cursor/")) for _, key in kafka.rows)


def town(count: int, *, fined: bool = False) -> list[Ledger]:
    """Shops that a year's evaluation concerns."""
    found = []
    for number in range(count):
        ledger = Ledger(approving=True)
        ledger.opened("2020-03-01")
        ledger.scored(2024, str(70 + number % 30))
        if fined and number % 2:
            ledger.fined("2024-05-01")
        ledger.evaluated(2024)
        found.append(ledger)
    return found


def test_facts_do_not_wait_for_an_evaluation_and_their_subject_is_evaluated_first() -> None:
    ledgers = town(40)
    ledgers[28].fined("2025-03-01")
    log, kafka = records(stream(ledgers)), Kafka()
    process = Process(kafka, log)
    process.batch(len(log) - 1)
    before = len(kafka.messages)
    assert [40] == [process.rater.backlog.left(process.state)]
    process.batch(1)
    causes = [orjson.loads(one.value)["event"]["data"]["cause"]["type"] for one in kafka.messages[before:]]
    assert ["mingjian.evaluation.closed.v1", "mingjian.penalty.decided.v1"] == list(dict.fromkeys(causes))
    assert {orjson.loads(one.value)["event"]["subject"] for one in kafka.messages[before:]} == {log[-1].key.decode()}
    process.finish()
    assert 0 == process.rater.backlog.left(process.state)
    evaluated = [one for one in kafka.messages if b"evaluation.closed" in one.value]
    assert len({one.key for one in evaluated}) == 40 and len(evaluated) == len({one.value for one in evaluated})


def test_an_evaluation_goes_on_behind_its_cursor_after_a_kill() -> None:
    log, kafka = records(stream(town(40))), Kafka()
    first = Process(kafka, log)
    first.batch(len(log))
    for _ in range(4):
        first.slice(5)
    before = len(kafka.messages)
    second = Process(kafka, log)
    # The last slice is told again: its cursor goes with the next one.
    assert 25 == second.rater.backlog.left(second.state) or second.state.agenda
    second.finish()
    evaluated = {one.key for one in kafka.messages if b"evaluation.closed" in one.value}
    again = [one for one in kafka.messages[before:] if one.value in {other.value for other in kafka.messages[:before]}]
    assert len(evaluated) == 40 and len({one.key for one in again}) <= 5


def test_a_fact_that_is_kept_but_was_not_told_hides_nobody_from_an_evaluation() -> None:
    """Killed when the fact's row was on Kafka and nothing else; the evaluation goes on before the fact comes again."""
    ledgers = town(3)
    ledgers[1].fined("2025-03-01")
    sent = stream(ledgers)
    log, kafka = records(sent), Kafka()
    first = Process(kafka, log)
    first.batch(len(log) - 1)
    for work in first.rater.work(first.state, log[-1:]):
        kafka.write(work.rows, [])
    second = Process(kafka, log)
    while second.state.agenda:
        second.slice(2)
    second.finish()
    assert told(kafka) == at_once(sent)


def test_a_control_is_acknowledged_only_when_it_stands_on_the_agenda() -> None:
    """Whatever of the write before the head is lost, the next worker evaluates everybody."""
    log = records(stream(town(6)))
    whole = Kafka()
    Process(whole, log).finish()
    cuts = whole.writes
    for cut in range(1, cuts + 1):
        for seed in range(4):
            kafka = Kafka(torn_at=cut, rng=random.Random(seed))
            try:
                Process(kafka, log).finish()
            except Killed:
                Process(kafka, log).finish()
            assert told(kafka) == told(whole), (cut, seed)


def test_a_subject_that_can_not_be_evaluated_is_put_into_quarantine_once_and_holds_up_nobody() -> None:
    kafka = Kafka()
    log = records(stream(town(12, fined=True)))
    process = Process(kafka, log, {"liyujiang": broken(BOOKS["liyujiang"])})
    process.finish()
    evaluated = {one.key for one in kafka.messages if b"evaluation.closed" in one.value and one.topic == topics.GRADES}
    assert 6 == len(evaluated) and 6 == process.rater.untold()[0]["subjects"]
    (whole,) = [one for one in kafka.messages if one.topic == topics.QUARANTINE and one.key == topics.CONTROL_KEY]
    assert orjson.loads(whole.value)["offset"] == log[-1].offset


def test_who_asks_is_told_of_the_backlog_as_lag() -> None:
    progress = Progress(5, 60.0, 30.0, 300.0, watched_at=0.0, assigned=True)
    progress.backlog = {3: 6}
    progress.worked = {3: 10}
    progress.saw(ends={3: 10}, committed={3: 10}, now=1.0)
    assert {3: 6} == progress.lag() and progress.reason([], [], 2.0) == "6 facts behind"
    for now in (1.0, 302.0):
        progress.watched_at = now
        progress.owns({3: 10}, now)
    assert progress.hung(302.0) == "6 facts behind and nothing moved for 301 s"
    progress.backlog = {3: 5}
    progress.owns({3: 10}, 302.0)
    assert progress.hung(302.0) is None


def test_the_agenda_comes_back_from_its_rows() -> None:
    log, kafka = records(stream(town(6))), Kafka()
    process = Process(kafka, log)
    process.batch(len(log))
    process.slice(2)
    process.slice(1)
    (pending,) = process.state.agenda.values()
    (loaded,) = kafka.state().agenda.values()
    assert (loaded.step, loaded.record) == (pending.step, log[-1]) and "" < loaded.cursor < pending.cursor
    assert PartitionState.load(3, (), ()).agenda == {}
