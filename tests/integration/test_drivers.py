"""Live rating, replay and file driver on a real broker: the same facts, the same digests."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas import topics
from services._cli.sample.acts import ZONE
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, approved, in_order
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan
from services.rating import bulk
from services.rating.domain.digest import digest_of, step_line, told_line
from services.rating.domain.emit import TYPE, TYPE_CLOSED, TYPE_CORRECTED, TYPE_PROPOSED
from services.rating.domain.facts import CONTROLS, compact
from services.rating.outcome import Outcome, Question, final, told
from services.rating.owed import Owed
from services.rating.replaying import Replayed, Source, look, replay
from tests.cases.ledger import RULEBOOKS, Ledger, book, shop
from tests.integration.rating_live import Live
from tests.stack_fixtures import temporary_stack
from tests.unit.rating.streams import Sent, stream
from tests.unit.rating.test_digests import with_an_end
from tests.unit.rating.test_spans_properties import lives

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
TOLD = (TYPE, TYPE_PROPOSED, TYPE_CLOSED, TYPE_CORRECTED)
BOOKS = {"liyujiang": book("liyujiang")}
UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)


class Desk(Live):
    """A stack on the simulated clock: a record's time is the one at which its fact became known."""

    def write(self, sent: Sequence[Sent]) -> None:
        asyncio.run(self._write(sent))

    async def _write(self, sent: Sequence[Sent]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, enable_idempotence=True, acks="all")
        await producer.start()
        try:
            for one in sent:
                places = range(topics.PARTITIONS) if one.subject is None else [None]
                for place in places:
                    about = {"key": one.key, "headers": one.headers, "timestamp_ms": one.fact.stamp}
                    await producer.send(topics.FACTS, one.value, partition=place, **about)
            await producer.flush()
        finally:
            await producer.stop()

    def replayed(self, *, sequence: bool = False, known_at: int | None = None, cores: int = 2) -> Replayed:
        source = Source(self.stack.bootstrap)
        spans, newest = asyncio.run(look(source))
        asked = Question(BOOKS, newest if known_at is None else known_at, sequence=sequence)
        return replay(source, spans, asked, known_at=known_at, cores=cores, progress=lambda done, total: None)

    def told(self, topic: str = topics.GRADES) -> list[dict]:
        """The events of a topic, each once, by partition and offset."""
        found: dict[str, dict] = {}
        for record in self.read(topic):
            event = orjson.loads(record.value)["event"]
            found.setdefault(event["id"], event)
        return list(found.values())

    def final_digest(self) -> str:
        last = {event["subject"]: event for event in self.told() if event["type"] == TYPE}
        lines = [line for event in last.values() if (line := told_line(event))]
        rated = {orjson.loads(line)[0] for line in lines}
        for event in self.owed().found():
            if event["subject"] in rated:
                data = event["data"]
                kept = [data[name] for name in ("office", "clause", "state", "opened_on", "due_on", "performed_on", "lapsed_on")]
                lines.append(orjson.dumps([event["subject"], data["regime"], "duty", data["duty"], *kept]))
        return digest_of(lines)

    def owed(self) -> Owed:
        found = Owed()
        found.take((one.offset, one.timestamp, one.key, one.value, one.headers) for one in self.read(topics.DUTIES))
        return found

    def sequence_digest(self) -> str:
        """In the order of their causes, what holds before what is proposed and that before what held, as each step tells it."""
        places: dict[str, int] = {}
        lines = []
        events = self.told()
        events.sort(key=lambda one: (one["data"]["cause"]["offset"], TOLD.index(one["type"]), one["data"].get("in_force_from") or ""))
        for event in events:
            place = places[event["subject"]] = places.get(event["subject"], -1) + 1
            lines.append(step_line(event, place))
        # A step tells the duties of one subject by their id.
        duties = self.told(topics.DUTIES)
        duties.sort(key=lambda one: (one["data"]["cause"]["offset"], one["data"]["duty"]))
        places.clear()
        for event in duties:
            place = places[event["subject"]] = places.get(event["subject"], -1) + 1
            lines.append(step_line(event, place))
        return digest_of(lines)


def from_file(sent: Sequence[Sent], *, sequence: bool = False) -> str:
    folded = bulk.fold_lines([one.value for one in sent], BOOKS["liyujiang"])
    asked, outcome = Question(BOOKS, folded.known, sequence=sequence), Outcome()
    facts, controls = bulk.in_order(folded)
    for subject, own in facts.items():
        (told if sequence else final)(subject, 0, own, controls, asked, outcome)
    return digest_of(outcome.lines)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        yield Desk(stack)


def town(repository: Path, enterprises: int) -> list[Sent]:
    """The sample town's facts that rating asks for."""
    tables = calendar_tables(repository / "rulebooks", 2022, 2026)
    made = approved(Plan(seed=7, enterprises=enterprises, years=3, until=UNTIL, tables=tables), repository / "rulebooks")
    rulebooks = active_rulebooks(repository / "rulebooks", made.plan.first)
    found = []
    for sent in in_order(bootstrap(made.plan, source="/departments/yangli/offices/bureau", rulebooks=rulebooks), made):
        known = int(sent.received.timestamp() * 1000)
        fact = compact(sent.event, {}, partition=0, offset=len(found), known=known, stamp=known)
        if fact is not None:
            found.append(Sent(None if fact.name in CONTROLS else sent.event["subject"], fact))
    return with_an_end(found)


def test_the_sample_town_comes_out_the_same_by_all_three(desk: Desk, repository: Path, tmp_path: Path) -> None:
    sent = town(repository, 40)
    desk.write(sent)
    desk.stack.start("rating")
    desk.wait_worked_off()
    found = desk.replayed()
    assert {"A", "B", "C", "D", "E", "closed"} <= {word for _, word in found.outcome.words}
    assert (0, 0) == (found.outcome.untold, found.outcome.unreadable)
    assert desk.final_digest() == found.digest == from_file(sent)
    assert desk.replayed(cores=1).digest == found.digest
    every = desk.replayed(sequence=True)
    assert desk.sequence_digest() == every.digest == from_file(sent, sequence=True)
    _by_command(desk, found, tmp_path)
    _analysed(desk, sent, tmp_path)
    _duties(desk)


def _duties(desk: Desk) -> None:
    """四: what the offices of the town owe stands on its own topic, and `mingjian duties` lists it."""
    states = {one["data"]["state"] for one in desk.owed().found()}
    assert {"open", "performed", "overdue", "lapsed"} == states
    command = [sys.executable, "-m", "services._cli.main", "duties", "--kafka", desk.stack.bootstrap]
    office = "/departments/yangli/offices/retail-workstation"
    asked = [*command, "--overdue", "--office", office, "--json"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    wanted = desk.owed().found(office=office, states=frozenset(("overdue",)))
    assert lines and [one["id"] for one in wanted] == [orjson.loads(line)["id"] for line in lines]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "overdue" in shown and "performed" in shown
    assert all(dict(one.headers)["ce_type"].startswith(b"mingjian.duty.") for one in desk.read(topics.DUTIES))


def _by_command(desk: Desk, found: Replayed, folder: Path) -> None:
    """The command says the same digest, and half-way through the town another one."""
    command = [sys.executable, "-m", "services._cli.main", "replay", "--kafka", desk.stack.bootstrap, "--regime", "liyujiang"]
    done = subprocess.run([*command, "--json", str(folder / "lines.jsonl")], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == f"digest {found.digest}"
    *lines, last = (folder / "lines.jsonl").read_bytes().splitlines()
    assert (found.digest, len(lines)) == (orjson.loads(last)["digest"], orjson.loads(last)["lines"])
    assert digest_of(lines) == found.digest
    earlier = subprocess.run([*command, "--known-at", "2025-06-30T00:00:00Z"], capture_output=True, text=True, check=True, timeout=120)
    half = 1_751_241_600_000
    assert earlier.stdout.splitlines()[-1] == f"digest {desk.replayed(known_at=half).digest}"
    assert found.digest not in earlier.stdout


def _analysed(desk: Desk, sent: Sequence[Sent], folder: Path) -> None:
    """What `simulate` and `quality` say of the register on Kafka is what they say of a file of the same events, whole and half-way."""
    (folder / "events.jsonl").write_bytes(b"".join(one.value + b"\n" for one in sent))
    shipped = RULEBOOKS / "liyujiang"
    (folder / "scores.yaml").write_bytes((shipped / "scores.yaml").read_bytes().replace(b"value: 98", b"value: 97"))
    for asked in (
        ["simulate", "--rulebook-file", str(folder / "scores.yaml"), "--json"],
        ["quality", "--rulebook", "liyujiang", "--json", "-"],
    ):
        for known in ([], ["--known-at", "2025-06-30"]):
            command = [sys.executable, "-m", "services._cli.main", *asked, *known]
            run = functools.partial(subprocess.run, capture_output=True, text=True, check=True, timeout=120)
            kafka = run([*command, "--kafka", desk.stack.bootstrap])
            file = run([*command, str(folder / "events.jsonl"), "--as-of", orjson.loads(kafka.stdout)["as_of"]])
            assert orjson.loads(kafka.stdout) == orjson.loads(file.stdout), asked


def _proposals(desk: Desk) -> None:
    """The approver's list is what was proposed and not closed; each line can be made the draft of an approval."""
    wanted: dict[str, dict] = {}
    for event in sorted(desk.told(), key=lambda one: one["data"]["cause"]["offset"]):
        if event["type"] == TYPE_PROPOSED:
            wanted[event["subject"]] = event
        elif event["type"] == TYPE_CLOSED:
            wanted.pop(event["subject"], None)
    command = [sys.executable, "-m", "services._cli.main", "proposals", "--kafka", desk.stack.bootstrap]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, timeout=60)
    assert wanted and {one["id"] for one in wanted.values()} == {orjson.loads(line)["id"] for line in done.stdout.splitlines()}
    subject, event = next(iter(wanted.items()))
    asked = [*command, subject, "--draft", "officer:approver-one"]
    [line] = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert (event["id"], event["data"]["grade"]) == tuple(orjson.loads(line)["data"][name] for name in ("proposal", "grade"))


@settings(max_examples=1, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(lifes=st.lists(lives(approving=True), min_size=30, max_size=30))
def test_a_made_stream_comes_out_the_same_by_all_three(lifes: list[Ledger]) -> None:
    fined = shop(approving=True)
    fined.fined("2025-06-10")
    sent = with_an_end(stream([*lifes, fined]))
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        desk = Desk(stack)
        desk.write(sent)
        stack.start("rating")
        desk.wait_worked_off()
        assert desk.final_digest() == desk.replayed().digest == from_file(sent)
        assert desk.sequence_digest() == desk.replayed(sequence=True).digest == from_file(sent, sequence=True)
        _proposals(desk)
