"""What control events left to be worked off: which subjects each of them has still to be evaluated for (ADR 0022).

Kept in the partition's heads: the control's record, written once and before the record may be acknowledged, and a cursor, the name
of the last subject that is evaluated. A cursor that is too old costs looks at subjects that are done; what they tell is the same.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from schemas.heads import CURSOR, PENDING
from services.rating.domain.facts import Fact
from services.rating.ports import Record, Row


@dataclass(slots=True)
class Pending:
    """A control event of which the subjects with names after ``cursor`` have still to be evaluated. ``names``: those, sorted, once
    its turn has come. ``failed``: somebody's grade by it is untold, and it was put into quarantine for that."""

    step: Fact
    record: Record
    cursor: str = ""
    names: deque[str] | None = None
    failed: bool = False

    def rows(self) -> list[Row]:
        """Its row, written once."""
        one = self.record
        body = {
            "timestamp": one.timestamp,
            "key": _text(one.key),
            "value": _text(one.value),
            "headers": [[name, _text(value)] for name, value in one.headers],
        }
        return [Row("heads", one.partition, PENDING + b"%d" % one.offset, orjson.dumps(body))]

    def cursor_row(self) -> Row:
        """How far it is worked off."""
        return Row("heads", self.record.partition, CURSOR + b"%d" % self.record.offset, self.cursor.encode())

    def done_rows(self) -> list[Row]:
        """It is worked off. The cursor goes first: one that is left alone would lie there for ever."""
        place = b"%d" % self.record.offset
        return [Row("heads", self.record.partition, name + place, None) for name in (CURSOR, PENDING)]


Agenda = dict[int, Pending]
"""By the control's offset, in the order of offsets: subjects are evaluated for the first one before any is for the next."""


def load(partition: int, rows: Iterable[tuple[bytes, bytes]], controls: Iterable[Fact]) -> Agenda:
    """The agenda from a partition's rows. What has no control row was not acknowledged, and comes again."""
    steps = {fact.offset: fact for fact in controls}
    found: Agenda = {}
    cursors: dict[int, str] = {}
    for key, value in rows:
        if key.startswith(PENDING) and (offset := int(key.removeprefix(PENDING))) in steps:
            found[offset] = Pending(steps[offset], _record(partition, offset, orjson.loads(value)))
        elif key.startswith(CURSOR):
            cursors[int(key.removeprefix(CURSOR))] = value.decode()
    for offset, pending in found.items():
        pending.cursor = cursors.get(offset, "")
    return dict(sorted(found.items()))


def _record(partition: int, offset: int, body: dict) -> Record:
    headers = tuple((name, _bytes(value) or b"") for name, value in body["headers"])
    return Record(partition, offset, body["timestamp"], _bytes(body["key"]), _bytes(body["value"]), headers)


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
