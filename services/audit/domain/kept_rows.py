"""What audit and intake keep in PostgreSQL, held against the leaves: plan, names, findings; stored envelopes, receipts, refusals.

Rows come sorted as said at each class and are read as the leaves come, so that memory doesn't grow with the log. What a table had not
come to when its snapshot was taken (``positions``) is not asked of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.ids import derived_id
from schemas.times import milliseconds
from schemas.topics import CONTROL_KEY, FACTS, FINDINGS, REFUSALS, REGISTRY
from services.audit.domain.contents import Leaf, Tell
from services.audit.domain.verify import Place

Row = tuple[Any, ...]
Rows = Iterator[Row]
# What intake takes for the name of an event; a record of another form is in quarantine.
_NAME = re.compile(r"/[a-z0-9/-]{1,119} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

SCAN, ASSESSED = "mingjian.scan.ran.v1", "mingjian.finding.assessed.v1"
# A verdict is given again when a calendar is issued: twice for a fact at a year's end, seldom more.
_VERDICTS = 16


class Beside:
    """Rows of one partition, first column their offset, in its order, read beside the leaves."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def before(self, offset: int) -> Iterator[Row]:
        """The rows that no leaf up to ``offset`` has taken."""
        while self._next is not None and self._next[0] < offset:
            yield self._next
            self._next = next(self._rows, None)

    def rest(self) -> Iterator[Row]:
        """The rows that no leaf has taken."""
        return self.before(1 << 63)

    def at(self, offset: int) -> Row | None:
        """The row of this offset, once."""
        if self._next is None or self._next[0] != offset:
            return None
        found = self._next
        self._next = next(self._rows, None)
        return found


class Plan:
    """A ``Watcher``: which leaf is which record. ``planned``: so many when the spans were read; ``head``: (planned after the checkpoint was
    read, signed before it was); ``spans``: (first, count, topic, partition, first_offset) by
    ``first``; ``astray``: partitions whose kept position isn't that of the plan: (topic, partition, position, planned up to)."""

    def __init__(self, planned: int, head: tuple[int, int], spans: Rows, astray: Iterable[Row], size: int, fault: Tell) -> None:
        self._spans, self._fault = spans, fault
        self._span: Row | None = None
        planned_now, signed = head
        if planned_now < size:
            fault("plan", "log_head", f"{planned_now} leaves are planned, the checkpoint has {size}: the database is an older copy")
        if signed > size:
            fault("plan", "log_head", f"{signed} leaves were signed, the checkpoint has {size}: the folder is an older copy")
        for topic, partition, position, end in astray:
            fault("plan", f"log_position {topic} {partition}", f"says {position}; the plan goes up to {end}")
        self._planned = planned
        self.rows = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        if leaf.index >= self._planned:
            return
        while self._span is None or leaf.index >= self._span[0] + self._span[1]:
            self._span = next(self._spans, (1 << 62, 1, "", 0, 0))
            self.rows += 1
        first, _, topic, partition, offset = self._span
        where = f"log_plan at {leaf.where}"
        if leaf.index < first:
            self._fault("plan", where, "the plan has no span for it")
        elif (topic, partition, offset + leaf.index - first) != (leaf.record.topic, leaf.record.partition, leaf.record.offset):
            self._fault("plan", where, f"the plan has {topic} {partition}:{offset + leaf.index - first} there")

    def end(self) -> None:
        """See ``Watcher``."""


class Names:
    """A ``Watcher``: the pointers from an event's name to its leaves. ``rows``: (leaf, name) by leaf. ``name_of``: what is kept for a
    source and an id."""

    def __init__(self, rows: Rows, planned: int, name_of: Callable[[str, str], bytes], fault: Tell) -> None:
        self._beside, self._planned, self._name_of, self._fault = Beside(rows), planned, name_of, fault
        self.rows = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        if leaf.index >= self._planned:
            return
        for row in self._beside.before(leaf.index):
            self._fault("name", f"log_event, leaf {row[0]}", "a name points to it, and it holds no such event")
        row = self._beside.at(leaf.index)
        self.rows += row is not None
        expected = self._name_of(*leaf.name) if leaf.one is not None and "\x00" not in "".join(_words(leaf)) else None
        found = bytes(row[1]) if row is not None else None
        if found != expected:
            what = "no name points to it" if found is None else "the name that points to it is another event's"
            self._fault("name", f"log_event at {leaf.where}", f"{what}: a proof by name would miss or mistake it")

    def end(self) -> None:
        """See ``Watcher``."""


def _words(leaf: Leaf) -> list[str]:
    assert leaf.one is not None
    return [leaf.one.event[name] for name in ("id", "type", "subject", "source")]


@dataclass(frozen=True)
class _Sent:
    """A finding as it was sent. ``due``: the table has to have it."""

    where: str
    digest: bytes
    key: bytes
    event: Mapping[str, Any]
    due: bool

    def is_found_by(self, *columns: Any) -> bool:
        """True where these columns are what it says: type, kind, about, office, subject, regime, the fact's id, matter, retracted.

        The regime of a verdict from before there were matters stands in its id alone, and in that of each later verdict."""
        type, kind, about, office, _, regime, event_id, matter, _ = columns
        data, subject = self.event["data"], self.event["subject"]
        fact = data["event"] if isinstance(data.get("event"), dict) else {}
        said = [data.get(name) for name in ("kind", "about", "office", "subject_of", "regime", "matter", "retracted")]
        if type == SCAN:
            return columns == (self.event["type"], data.get("detector"), "scan", *[None] * 5, False)
        if type == ASSESSED:
            said = [said[0], "effect", subject.removeprefix("office:"), *said[3:6], None]
        if type == ASSESSED or data.get("matter") is not None:
            return columns == (self.event["type"], *said[:5], fact.get("id"), said[5], bool(said[6]))
        if type != self.event["type"] or matter is not None:
            return False
        if about != "entry":
            return [kind, about] == said[:2]
        if [kind, about, office, event_id] != [*said[:3], fact.get("id")]:
            return False
        ids = (derived_id(cause=event_id or "", kind=kind, subject=subject, regime=regime or "", ordinal=n) for n in range(_VERDICTS))
        return self.event["id"] in ids


class Findings:
    """A ``Watcher``: findings kept against findings sent. ``rows``: (id, hash of the value, key, read back, superseded, a later one of
    the same matter is there, and the columns of ``_Sent.is_found_by``). ``positions``: how far the detectors had read the topic."""

    def __init__(self, rows: Rows, positions: Mapping[Place, int], fault: Tell) -> None:
        self._rows, self._positions, self._fault = rows, positions, fault
        self._sent: dict[str, _Sent] = {}
        self.rows = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        record, one = leaf.record, leaf.one
        if record.topic == FINDINGS and one is not None and leaf.earlier is None:
            due = record.offset < self._positions.get((FINDINGS, record.partition), 0)
            digest = hashlib.sha256(record.value or b"").digest()
            self._sent[one.event["id"]] = _Sent(leaf.where, digest, record.key or b"", one.event, due)

    def end(self) -> None:
        """See ``Watcher``."""
        for id, digest, key, read_back, superseded, later, *columns in self._rows:
            self.rows += 1
            sent = self._sent.pop(id, None)
            if sent is None:
                if read_back:
                    self._fault("finding", f"finding {id}", "is kept as sent, and is no leaf of findings")
                continue
            where = f"finding {id} at {sent.where}"
            if (bytes(digest), bytes(key)) != (sent.digest, sent.key):
                self._fault("finding", where, "the kept finding is not the one that was sent: it was edited")
            elif not sent.is_found_by(*columns):
                self._fault("finding", where, "the columns by which it is found and shown are not what it says: they were edited")
            elif superseded != later:
                what = "superseded, and no later verdict is there" if superseded else "holding, and a later verdict is there"
                self._fault("finding", where, f"is kept as {what}")
        for id, sent in self._sent.items():
            if sent.due:
                self._fault("finding", f"finding {id} at {sent.where}", "was sent, and is kept no more: it was deleted")


class Kept:
    """A ``Watcher``: intake's stored envelopes and receipts. ``rows(place)``: (offset, source, id, event hash, received ms, known ms, hash
    of the stored envelope or None, its event hash or None) by offset. ``positions``: how far intake had read."""

    def __init__(self, rows: Callable[[Place], Rows], positions: Mapping[Place, int], fault: Tell) -> None:
        self._beside = {place: Beside(rows(place)) for place in positions if place[0] in (FACTS, REGISTRY)}
        self._positions, self._fault = positions, fault
        self.rows = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        record = leaf.record
        place = (record.topic, record.partition)
        beside = self._beside.get(place)
        if beside is None or record.offset >= self._positions[place]:
            return
        for row in beside.before(record.offset):
            self._astray(place, row)
        row = beside.at(record.offset)
        expected = _receipted(leaf)
        if row is None:
            if expected is not None and leaf.earlier is None:
                self._fault("stored", f"first_copy at {leaf.where}", "intake keeps no receipt for this event")
            return
        self.rows += 1
        if expected is None:
            self._astray(place, row)
        elif tuple(_plain(one) for one in row[1:6]) != expected:
            self._fault("stored", f"first_copy at {leaf.where}", f"intake's receipt says {_first_difference(row[1:6], expected)}")
        elif row[6] is not None and bytes(row[6]) != hashlib.sha256(record.value or b"").digest():
            self._fault("stored", f"submission at {leaf.where}", "the envelope that intake stores is not the one in the log: it was edited")
        elif row[7] is not None and _plain(row[7]) != expected[2]:
            self._fault("stored", f"submission at {leaf.where}", "the hash of its event that intake stores is another")

    def _astray(self, place: Place, row: Row) -> None:
        where = f"first_copy of {row[1]} {row[2]}"
        self._fault("stored", where, f"intake's receipt names {place[0]} {place[1]}:{row[0]}, which is no first copy of an event")

    def end(self) -> None:
        """See ``Watcher``."""
        for place, beside in self._beside.items():
            for row in beside.rest():
                self._astray(place, row)


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value


def _receipted(leaf: Leaf) -> tuple[Any, ...] | None:
    """What the receipt of a leaf's event says, as the table has it; None for what has none."""
    record, one = leaf.record, leaf.one
    if one is None or (record.topic == FACTS and record.key == CONTROL_KEY):
        return None
    try:
        received = milliseconds(one.entry["received_at"])
    except (KeyError, TypeError, ValueError):
        return None
    if not _NAME.fullmatch(" ".join(leaf.name)):
        return None
    return (*leaf.name, hashlib.sha256(trusted_canonical_bytes(one.event)).hexdigest(), received, leaf.known_ms)


def _first_difference(row: Row, expected: tuple[Any, ...]) -> str:
    names = ("source", "id", "event_hash", "received_ms", "known_ms")
    found = next((n, _plain(has), want) for n, has, want in zip(names, row, expected, strict=True) if _plain(has) != want)
    return f"{found[0]} {found[1]}, the leaf {found[2]}"


class Refused:
    """A ``Watcher``: refusals that intake keeps as sent. ``rows``: (hash of the value, source, hash of the event, reason)."""

    def __init__(self, rows: Rows, fault: Tell) -> None:
        self._fault = fault
        self._waiting = {bytes(digest): (source, _plain(event), reason) for digest, source, event, reason in rows}
        self.rows = len(self._waiting)

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        if leaf.record.topic == REFUSALS and self._waiting:
            self._waiting.pop(hashlib.sha256(leaf.record.value or b"").digest(), None)

    def end(self) -> None:
        """See ``Watcher``."""
        for source, event, reason in self._waiting.values():
            what = f"is kept as sent ({reason}), and is no leaf of refusals: it was edited, or never sent"
            self._fault("stored", f"refusal of {source or 'nobody'}, event {event[:16]}…", what)
