"""``python -m tests.bench.long_subject``: one subject whose record grows to 20,000 facts, through the handlers of the live worker:
time and bytes of the state's rows for each thousand facts; then how long it takes to rate 2,000 decoded facts anew, and to read the
subject back from its rows. Measures and prints; asserts no figure (``tests/unit/rating/test_long_subject.py`` counts calls).
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rich.console import Console
from rich.table import Table

from schemas.canonical import trusted_canonical_bytes
from schemas.times import instant
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.fold import Book, current
from services.rating.domain.subject import fold
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Record
from services.rating.worker import GC_THRESHOLDS
from tests.bench import speed
from tests.cases.ledger import Ledger, book, without_approval

SUBJECT = "uscc:91990000000000000X"
FIRST = date(2012, 1, 2)
PARTITION, BATCH = 3, 50
DECODED = 2_000


def life(facts: int, *, a_day: int, retracted: bool = False) -> Ledger:
    """So many facts, ``a_day`` of them each day, with a final score and an evaluation each year: of twenty ten are inspections that
    found nothing, four found something, two are warnings, two fines, one a fine without service and one its service. ``retracted``:
    one of the first is taken back, so that something acts on a fact from then on."""
    ledger = Ledger(subject=SUBJECT)
    ledger.opened("2009-03-01")
    unserved: list[str] = []
    gone = ledger.fined(FIRST.isoformat())
    if retracted:
        ledger.retracted(gone, FIRST.isoformat())
    day = FIRST
    for number in range(facts):
        before, day = day, FIRST + timedelta(days=number // a_day)
        on = day.isoformat()
        if day.year > before.year:
            ledger.scored(before.year, str(88 + before.year % 12))
            ledger.evaluated(before.year)
        what = number % 20
        if what < 10:
            ledger.inspected(on)
        elif what < 14:
            ledger.inspected(on, found=(f"GSP-{number % 60:02d}",))
        elif what < 16:
            ledger.warned(on, violation=f"GSP-{number % 50:02d}")
        elif what < 18:
            ledger.fined(on)
        elif what == 18:
            unserved.append(ledger.fined(on, served=None))
        else:
            ledger.served(unserved.pop(), on)
    return ledger


def records(ledger: Ledger) -> list[Record]:
    """As they stand in a partition, each entered on its day."""
    found = []
    for offset, fact in enumerate(ledger.facts):
        control = fact.name in CONTROLS
        value = _value(fact, f"regime:{ledger.book.rulebook.regime}" if control else ledger.subject)
        found.append(Record(PARTITION, offset, fact.known, b"control" if control else ledger.subject.encode(), value))
    return found


def _value(fact: Fact, subject: str) -> bytes:
    about = {"specversion": "1.0", "id": fact.id, "source": fact.source, "type": fact.type, "datacontenttype": "application/json"}
    event = about | {"subject": subject, "time": instant(fact.stamp), "data": fact.data}
    entry = {"received_at": instant(fact.stamp), "channel": "desk", "batch": None, "registry_offset": 1}
    return trusted_canonical_bytes({"event": event, "signature": {"alg": "Ed25519"}, "entry": entry})


@dataclass(slots=True)
class Worked:
    """``bytes``: of rows, keys and values; the head's row is not among them."""

    records: int = 0
    rows: int = 0
    bytes: int = 0
    messages: int = 0


class Worker:
    """The live worker's handlers without Kafka."""

    def __init__(self, one: Book) -> None:
        self.rater = Rater({one.rulebook.regime: one})
        self.state = PartitionState(PARTITION)

    def work(self, records: Sequence[Record], batch: int = BATCH) -> Worked:
        """Work records off in batches."""
        found = Worked(records=len(records))
        for start in range(0, len(records), batch):
            for work in self.rater.work(self.state, records[start : start + batch]):
                found.rows += len(work.rows)
                found.bytes += sum(len(row.key) + len(row.value or b"") for row in work.rows)
                found.messages += len(work.messages)
        assert not (self.rater.counts.quarantined or self.rater.counts.untold)
        return found


def _thousands(records: Sequence[Record], of: int) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records) - of + 1, of):
        yield records[start : start + of]


def rerated(facts: Sequence[Fact], worker: Worker, one: Book, tries: int = 20) -> float:
    """Seconds of CPU to fold decoded facts and work out where the subject stands, the best of so many."""
    best = float("inf")
    for _ in range(tries):
        gc.collect()
        begun = time.process_time()
        subject = fold(SUBJECT, PARTITION, facts)
        assert current(subject, worker.state.controls, one, upto=facts[-1].offset, known=facts[-1].known)
        best = min(best, time.process_time() - begun)
    return best


def main(given: Sequence[str]) -> int:
    """Grow, then rate anew and read back."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long_subject", description=__doc__)
    parser.add_argument("--facts", type=int, default=20_000)
    parser.add_argument("--a-day", type=int, default=4)
    parser.add_argument("--retracted", action="store_true", help="something acts on a fact from the beginning on")
    wanted = parser.parse_args(given)
    console = Console(highlight=False)
    ledger, one = life(wanted.facts, a_day=wanted.a_day, retracted=wanted.retracted), without_approval(book("liyujiang"))
    log, worker = records(ledger), Worker(one)
    # As the worker does.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    table = Table(title=f"one subject, {wanted.facts:,} facts, {wanted.a_day} a day", title_justify="left")
    for name in ("facts", "CPU µs a fact", "bytes a fact", "grade events", "speed"):
        table.add_column(name, justify="right")
    done = 0
    for part in _thousands(log, 1_000):
        begun = time.process_time()
        found = worker.work(part)
        spent, done = time.process_time() - begun, done + found.records
        table.add_row(
            f"{done:,}",
            f"{spent / found.records * 1e6:.0f}",
            f"{found.bytes / found.records:.0f}",
            str(found.messages),
            f"{speed.measure(1):.0f}",
        )
    console.print(table)
    decoded = worker.state.facts(SUBJECT)
    index = speed.measure()
    console.print(f"{DECODED:,} decoded facts rated anew in {rerated(decoded[:DECODED], worker, one) * 1000:.1f} ms; speed {index:.0f}")
    begun = time.process_time()
    worker.state.forget(SUBJECT)
    worker.state.subject(SUBJECT).view_on(datetime.fromtimestamp(decoded[-1].known / 1000, UTC).date())
    console.print(
        f"{len(decoded):,} facts read back from {len(worker.state.chunks[SUBJECT]):,} rows in {(time.process_time() - begun) * 1000:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
