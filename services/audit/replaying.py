"""``python -m services.audit.replaying SINCE UNTIL PARTITIONS``: grades of an interval worked out again, for an auditor who asked.

SINCE and UNTIL in epoch ms, PARTITIONS such as ``0,3,5``. Started by the audit service, at the lowest priority, with its environment; it
puts nothing on record. Lines of JSON on standard output tell how far it is, and the last one what came of it. It ends with whoever
started it. Exit codes: 0 done, 1 it couldn't be done (the last line says why), 2 not configured.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError

from schemas.rulebook import RulebookError, load_all_editions
from schemas.topics import FACTS, PARTITIONS
from services._bus import logs
from services._bus.kafka import Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.adapters import replay_reader
from services.audit.attended import Telling, stay_behind
from services.audit.domain.differences import Difference, Stood, Worked
from services.audit.domain.findings import event_of
from services.audit.domain.interval import Interval, Within
from services.audit.domain.judging import Judged, judge
from services.audit.domain.regrading_findings import difference_finding
from services.audit.domain.replay import Book, books_of, digest_of
from services.audit.regrading import Bounds, Progress, Source, look
from services.audit.wiring import Settings, genesis_event, patience

MOST_LISTED = 50


def replay(source: Source, books: Mapping[str, Book], interval: Interval, partitions: Iterable[int], progress: Progress) -> Judged:
    """Raises ``KafkaError``, ``Unavailable``, ``UnusableCertificates``."""
    bounds = asyncio.run(look(source.connection()))
    found, done, order = Judged(), 0, sorted(set(partitions))
    total = sum(map(bounds.weight, order))
    for number in order:
        facts, stood = asyncio.run(_read(source, bounds, interval, number))
        progress(done + bounds.weight(number) // 2, total)
        worked = bounds.worked.get(number, Worked())
        found.add(judge(facts, stood, books, worked, rebuilt=bounds.rebuilt))
        done += bounds.weight(number)
        progress(done, total)
        gc.collect()
    found.differences.sort(key=lambda one: (one.place, one.kind, one.what))
    return found


async def _read(source: Source, bounds: Bounds, interval: Interval, number: int) -> tuple[Within, list[Stood]]:
    facts, stood = Within(number, interval=interval), []
    async for records in replay_reader.read_through(source.connection(), bounds.of(number)):
        for one in records:
            if one.topic == FACTS:
                facts.take(one)
            elif interval.holds(kept := Stood.of(one)):
                stood.append(kept)
    stood.sort(key=lambda one: (one.topic, one.offset))
    return facts, stood


def answer(found: Judged, stack: str) -> dict[str, Any]:
    """What the console shows. ``digest``: lower-case hex SHA-256 of all events of the interval."""
    return {
        "facts": found.facts,
        "events": found.events,
        "compared": found.compared,
        "differences": len(found.differences),
        "pending": found.pending,
        "reworded": found.reworded,
        "untold": len(found.untold),
        "unjudged": sorted(f"{regime}/{partition}" for regime, partition in found.unjudged),
        "digest": digest_of(found.lines),
        "listed": [_in_words(one, stack) for one in found.differences[:MOST_LISTED]],
    }


def _in_words(one: Difference, stack: str) -> dict[str, Any]:
    raised = difference_finding(one, stack)
    data = event_of(raised.value)["data"]
    return {"kind": raised.kind, "zh": data["detail_zh"], "en": data["detail_en"], "place": data["cause"]}


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> int:
    """The exit code of the process."""
    logs.setup("audit-replay")
    telling = Telling(patience(0.0).monotonic)
    try:
        interval = Interval(int(arguments[0]), int(arguments[1]))
        partitions = [int(one) for one in arguments[2].split(",")]
        if not all(0 <= one < PARTITIONS for one in partitions):
            raise ValueError(f"partitions are 0 to {PARTITIONS - 1}")
        settings = Settings.from_env()
        stack = genesis_event(settings.genesis)["subject"]
        books = books_of(load_all_editions(settings.rulebooks))
    except (IndexError, ValueError, NotConfigured, RulebookError) as error:
        telling.line({"failed": str(error)})
        return 2
    stay_behind()
    try:
        found = replay(Source(settings.kafka, settings.tls_dir), books, interval, partitions, telling.progress)
    except (KafkaError, Unavailable, UnusableCertificates, OSError) as error:
        telling.line({"failed": f"{type(error).__name__}: {error}"})
        return 1
    telling.line({"result": answer(found, stack)})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
