"""Live rating, replay and file driver over a whole made-up register: the same digests of final grades and of every grade event."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import topics
from services.rating.bulk import fold_lines, in_order
from services.rating.domain.digest import digest_of, step_line, told_line
from services.rating.domain.emit import TYPE, TYPE_CLOSED, TYPE_CORRECTED, TYPE_PROPOSED
from services.rating.outcome import Outcome, Question, final, told
from services.rating.replaying import Source, look, replay
from tests.bench.register import FACTS_EACH, YEARS, Register, Row, subject_name
from tests.bench.replay import fill, said
from tests.cases.ledger import book
from tests.integration.rating_live import Live
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(4 * 3600)]
TOLD = (TYPE, TYPE_PROPOSED, TYPE_CLOSED, TYPE_CORRECTED)
BOOK = book("liyujiang")
BOOKS = {"liyujiang": BOOK}
EVENTS_A_S = 100  # so slow that only a worker that stands still is later


class Town(Register):
    """A register in the order of time, so that it is the same to a file as to the partitions of a topic. Of a third an approver says each
    year that every grade that needs approval is right; and the day after the last evaluation closes."""

    def rows(self) -> Iterator[Row]:
        yield self.controls(None)
        yield from self.opening()
        for year in YEARS:
            yield from sorted(self.year(year), key=lambda row: said(row[2], b'"received_at":"', 24))
            yield self.controls(year)
            yield from self._approvals(f"{year + 1}-01-17")
        yield self._row("regime:liyujiang", "day.closed", "2026-01-19", {"through": "2026-01-18"}, key=topics.CONTROL_KEY)

    def _day(self, year: int) -> str:
        # After the evaluation of the year before.
        return (date(year, 2, 1) + timedelta(days=self._rng.randrange(310))).isoformat()

    def _approvals(self, on: str) -> Iterator[Row]:
        for number in range(0, self._subjects, 3):
            for grade in ("A", "D", "E"):
                data = {"occurred_on": on, "regime": "liyujiang", "grade": grade, "document_no": f"样例批{number}号"}
                yield self._row(subject_name(number), "grade.approved", on, data)


def written(rows: Iterable[Row], file: Path) -> Iterator[Row]:
    """The rows, which a file gets as well on their way."""
    with file.open("wb") as lines:
        for row in rows:
            lines.write(row[2] + b"\n")
            yield row


async def _grades(bootstrap: str) -> AsyncIterator[dict[str, list[dict[str, Any]]]]:
    """Partition by partition the grade events by subject, each once, in the order of their offsets."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topics.GRADES, number) for number in range(topics.PARTITIONS)]
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.assign([place])
            found: dict[str, list[dict[str, Any]]] = defaultdict(list)
            met: set[str] = set()
            while await consumer.position(place) < end:
                for record in (await consumer.getmany(timeout_ms=500)).get(place, ()):
                    event = orjson.loads(record.value)["event"]
                    if event["id"] not in met:
                        met.add(event["id"])
                        # Explanations are most of it, and no digest looks at them.
                        kept = {name: value for name, value in event["data"].items() if name not in ("reasons", "explanation")}
                        found[event["subject"]].append({"subject": event["subject"], "type": event["type"], "data": kept})
            yield found
    finally:
        await consumer.stop()


async def live_digests(bootstrap: str) -> tuple[str, str, int]:
    """Of the last grades told, and of all grade events, and how many of these there are."""
    last: list[bytes] = []
    every: list[bytes] = []
    async for subjects in _grades(bootstrap):
        for events in subjects.values():
            # What holds before what is proposed and that before what held, as each step tells it.
            events.sort(key=lambda one: (one["data"]["cause"]["offset"], TOLD.index(one["type"]), one["data"].get("in_force_from") or ""))
            every += [step_line(one, place) for place, one in enumerate(events)]
            standing = [one for one in events if one["type"] == TYPE][-1:]
            last += [line for one in standing if (line := told_line(one))]
    return digest_of(last), digest_of(every), len(every)


def file_digests(file: Path) -> tuple[str, str, int]:
    with file.open("rb") as lines:
        folded = fold_lines(lines, BOOK)
    asked, last, every = Question(BOOKS, folded.known), Outcome(), Outcome()
    facts, controls = in_order(folded)
    while facts:
        subject, own = facts.popitem()
        final(subject, 0, own, controls, asked, last)
        told(subject, 0, own, controls, asked, every)
    assert (0, 0) == (last.untold + every.untold, last.unreadable + every.unreadable)
    return digest_of(last.lines), digest_of(every.lines), len(every.lines)


def bulk_digests(bootstrap: str) -> tuple[str, str, int]:
    source, found = Source(bootstrap), []
    spans, newest = asyncio.run(look(source))
    for sequence in (False, True):
        asked = Question(BOOKS, newest, sequence=sequence)
        one = replay(source, spans, asked, known_at=None, cores=2, progress=lambda done, total: None)
        assert (0, 0) == (one.outcome.untold, one.outcome.unreadable)
        if not sequence:
            assert {"A", "B", "C", "D", "E"} <= {word for _, word in one.outcome.words}
        found.append(one)
    return found[0].digest, found[1].digest, len(found[1].outcome.lines)


@pytest.mark.parametrize("events", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_whole_register_comes_out_the_same_by_all_three(events: int, tmp_path: Path) -> None:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        # Before there is anything to rate: with so much behind it the worker would not be ready for long.
        stack.start("rating")
        rows = written(Town(BOOK, events // FACTS_EACH).rows(), tmp_path / "facts.jsonl")
        assert asyncio.run(fill(stack.bootstrap, rows)) >= events
        Live(stack).wait_worked_off(limit_s=events / EVENTS_A_S + 120)
        live = asyncio.run(live_digests(stack.bootstrap))
        stack.stop_one("rating")
        assert live == bulk_digests(stack.bootstrap)
    assert live == file_digests(tmp_path / "facts.jsonl")
