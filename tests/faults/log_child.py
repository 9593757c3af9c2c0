"""``python -m tests.faults.log_child HOME``: a writer of the log in a process of its own, to be killed at any system call.

The plan is in SQLite, which syncs each commit. Kafka's records follow from their offsets. One step a line of output: *signed N*.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from services.audit.adapters import folder
from services.audit.appender import Appender
from services.audit.ports import Head, Place, Span, Superseded
from tests.unit.audit.fakes import KEY, record

PLACES = (("a", 0), ("b", 0))
RECORDS = 170


class SqlitePlan:
    """``Plan`` in one file."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(
            "CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), epoch, planned, signed);"
            "INSERT OR IGNORE INTO head VALUES (1, 0, 0, 0);"
            "CREATE TABLE IF NOT EXISTS span"
            " (first INTEGER PRIMARY KEY, count, topic, partition, first_offset, UNIQUE (topic, partition, first_offset));"
        )

    def take_over(self) -> Head:
        self._db.execute("UPDATE head SET epoch = epoch + 1")
        return Head(*self._db.execute("SELECT epoch, planned, signed FROM head").fetchone())

    def positions(self) -> dict[Place, int]:
        rows = self._db.execute("SELECT topic, partition, max(first_offset + count) FROM span GROUP BY 1, 2")
        return {(topic, partition): following for topic, partition, following in rows}

    def spans(self, first: int, limit: int) -> list[Span]:
        return [Span(*row) for row in self._db.execute("SELECT * FROM span WHERE first >= ? ORDER BY first LIMIT ?", (first, limit))]

    def commit(self, epoch: int, planned: int, spans: Sequence[Span], names: Sequence[tuple[bytes, int]] = ()) -> None:
        count = sum(one.count for one in spans)
        self._db.execute("BEGIN IMMEDIATE")
        done = self._db.execute("UPDATE head SET planned = planned + ? WHERE epoch = ? AND planned = ?", (count, epoch, planned))
        if done.rowcount != 1:
            raise Superseded("not the writer any more")
        rows = [(one.first, one.count, one.topic, one.partition, one.first_offset) for one in spans]
        self._db.executemany("INSERT INTO span VALUES (?, ?, ?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def publish(self, epoch: int, size: int, act: Callable[[], None]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if self._db.execute("SELECT epoch FROM head").fetchone() != (epoch,):
            raise Superseded("not the writer any more")
        act()
        self._db.execute("UPDATE head SET signed = ?", (size,))
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class InLine:
    """One sync after the other, so that the same number is the same call every time."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def map(self, act: Callable[[object], object], given: Iterable[object]) -> list[object]:
        return [act(one) for one in given]


def main(home: Path) -> None:
    folder.ThreadPoolExecutor = InLine  # type: ignore[misc, assignment]
    home.mkdir(parents=True, exist_ok=True)
    plan, store = SqlitePlan(home / "plan"), folder.FolderStore(home / "log", "child")
    writer = Appender(plan=plan, store=store, key=KEY)
    head = writer.start()
    while writer.size < head.planned:
        for span in plan.spans(writer.size, 3):
            offsets = range(span.first_offset, span.first_offset + span.count)
            writer.replay(span, [record(span.topic, span.partition, offset) for offset in offsets])
    while True:
        writer.checkpoint()
        os.write(1, f"signed {writer.signed}\n".encode())
        positions = plan.positions()
        todo = {place: range(positions.get(place, 0), min(positions.get(place, 0) + 85, RECORDS)) for place in PLACES}
        if not any(todo.values()):
            return
        writer.append({place: [record(*place, offset) for offset in offsets] for place, offsets in todo.items() if offsets})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
