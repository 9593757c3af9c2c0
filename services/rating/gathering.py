"""One partition's records for the bulk replay: sorted by subject first, read later, each subject's together.

Nothing is decoded that nobody asks for: the key names the subject and a header the type, both checked against the end of the value's
own bytes; a record that is not as intake writes it is decoded at once and taken as the live driver takes it. ``known`` runs over all
records of the partition, so what was known at an instant is its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.envelope import NotAnEnvelope, open_record
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, KEPT, PREFIX, SUFFIX, Fact, compact, name_of
from services.rating.domain.silent import SPEAKING, all_count, is_silent
from services.rating.domain.view import regimes_of

_BEGIN, _EVENT, _SIGNATURE = b'{"entry":{', b'},"event":', b'},"signature":{'
# An event ends with its subject, its time and its type.
_INSTANT = len("2026-01-01T00:00:00.000Z")

# A fact that waits to be read: offset, known and stamp (epoch ms), name, id, the record's value. A tuple without names, as is an entry,
# for a million of them are made.
Raw = tuple[int, int, int, str, bytes, bytes]
# A record as far as it is needed: offset, time (epoch ms), key, value, headers.
Entry = tuple[int, int, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]

# Header's type → its name, only types that a rulebook can ask for; and how an event of such a type ends behind its time.
_TYPES = {f"{PREFIX}{name}{SUFFIX}".encode(): name for name in (*KEPT, *CONTROLS)}
_ENDS = {name: b'","type":"%b"},"signature":{' % kind for kind, name in _TYPES.items()}
# Types whose words about another fact ``compact`` puts into form; all others it takes as they are.
_REWORDS = frozenset(name for name, keys in KEPT.items() if "replacement" in keys)


@dataclass(slots=True)
class Gathered:
    """``instead``: regime → digest of the rulebook that counts as the activated one. ``records``: taken so far; ``unreadable``: those
    of them that live rating puts into quarantine, as far as they were looked at."""

    partition: int
    until: int | None = None
    instead: Mapping[str, str] = field(default_factory=dict)
    known: int = 0
    records: int = 0
    unreadable: int = 0
    over: bool = False
    controls: Controls = field(default_factory=Controls)
    # Key → what an event of this subject says before its time, and the facts.
    subjects: dict[bytes, tuple[bytes, list[Raw]]] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry]) -> None:
        """The next records, by offset. What became known after ``until`` (epoch ms) is left out, and all behind it."""
        if self.over:
            return
        known, subjects, until = self.known, self.subjects, self.until
        types, ends = _TYPES.get, _ENDS
        for offset, timestamp, key, value, headers in entries:
            if timestamp > known:
                known = timestamp
            if until is not None and known > until:
                self.over = True
                break
            self.records += 1
            if len(headers) > 1 and headers[0][0] == "ce_id" and headers[1][0] == "ce_type":
                # As intake writes them.
                id, kind = headers[0][1], headers[1][1]
            else:
                said = dict(headers)
                id, kind = said.get("ce_id"), said.get("ce_type")
            name = types(kind)  # type: ignore[arg-type]
            if name is not None and id is not None and key and value and value.startswith(_BEGIN):
                of = subjects.get(key)
                if of is None:
                    of = subjects[key] = (b'"subject":"%b","time":"' % key, [])
                before, end = of[0], ends[name]
                at = value.rfind(_SIGNATURE) + len(_SIGNATURE) - len(end)
                # No quote within a text is bare, so these can be nothing but the event's own last keys.
                if value.startswith(end, at) and value.startswith(before, at - _INSTANT - len(before)) and name not in CONTROLS:
                    of[1].append((offset, known, timestamp, name, id, value))
                    continue
            elif kind is not None and name is None and value is not None and b'"type":"%b"},"signature":' % kind in value:
                continue
            self._slowly(offset, known, timestamp, key, value)
        self.known = known

    def _slowly(self, offset: int, known: int, stamp: int, key: bytes | None, value: bytes | None) -> None:
        try:
            event = open_record(value).event
            name = name_of(event["type"])
            if name in CONTROLS:
                fact = compact(event, {}, partition=self.partition, offset=offset, known=known, stamp=stamp)
                assert fact is not None
                if name == "rulebook.activated" and (sha256 := self.instead.get(fact.data["regime"])):
                    fact.data["sha256"] = sha256
                self.controls.apply(fact)
            elif name in KEPT:
                of = event["subject"].encode()
                if key and key.decode("utf-8", "replace") in also_concerned(event["data"]):
                    of = key
                # As intake would have written what is asked of it.
                value = b'{"entry":{},"event":%b,"signature":{}}' % orjson.dumps(event)
                raws = self.subjects.setdefault(of, (b'"subject":"%b","time":"' % of, []))[1]
                raws.append((offset, known, stamp, name, event["id"].encode(), value))
        except (NotAnEnvelope, KeyError, TypeError, ValueError, AttributeError, AssertionError):
            # Live rating keeps these whole, with the reason; here they are counted.
            self.unreadable += 1

    def each(self, *, every: bool = False) -> Iterator[tuple[str, list[Fact]]]:
        """Every subject with its facts, read, by offset; what was gathered of it is forgotten. ``every``: the silent ones, too."""
        subjects = self.subjects
        while subjects:
            key, (_, raws) = subjects.popitem()
            if raws:
                yield key.decode("utf-8", "replace"), self._facts(raws, every)

    def _facts(self, raws: list[Raw], every: bool) -> list[Fact]:
        if not every:
            every = len({raw[4] for raw in raws}) < len(raws) or all_count([raw[3] for raw in raws])
        if every:
            return self._read(raws)
        speaking, silent = [], []
        for raw in raws:
            (silent if raw[3] in SPEAKING and is_silent(raw[3], raw[5]) else speaking).append(raw)
        facts = self._read(speaking)
        if silent and says_who_rates(silent, facts):
            return self._read(raws)
        return facts

    def _read(self, raws: list[Raw]) -> list[Fact]:
        partition, found, loads = self.partition, [], orjson.loads
        for offset, known, stamp, name, _, value in raws:
            try:
                # Nobody asks for the signature and the entry.
                said = loads(value[value.find(_EVENT) + len(_EVENT) : value.rfind(_SIGNATURE) + 1])
                if name in _REWORDS:
                    fact = compact(said, {}, partition=partition, offset=offset, known=known, stamp=stamp)
                    assert fact is not None
                else:
                    data = said["data"]
                    kept = {key: data[key] for key in KEPT[name] if key in data and data[key] is not None}
                    fact = Fact(partition, offset, known, stamp, stamp, said["id"], said["source"], name, kept)
            except (KeyError, TypeError, ValueError, AttributeError):
                self.unreadable += 1
                continue
            found.append(fact)
        return found


def says_who_rates(silent: list[Raw], facts: list[Fact]) -> bool:
    """Whether a silent score is of a regime that no other fact names: then it is by the score that the regime rates the subject."""
    scores = [raw[5] for raw in silent if raw[3] == "score.recorded"]
    if not scores:
        return False
    named = [b'"regime":"%b"' % regime.encode() for regime in frozenset().union(*map(regimes_of, facts))]
    return any(all(name not in event for name in named) for event in scores)


def also_concerned(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom an event concerns besides its subject: where it tells of a succession, the predecessor (R19). On Kafka each has a copy in
    its own partition under its own key; in a file the event stands once."""
    predecessor = data.get("predecessor")
    return (predecessor,) if isinstance(predecessor, str) else ()
