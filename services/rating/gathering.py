"""One partition's records for the bulk replay: sorted by subject first, read later, each subject's together.

Nothing is decoded that nobody asks for: the key names the subject and a header the type, both checked against the end of the value's
own bytes; a record that is not as intake writes it is decoded at once and taken as the live driver takes it. ``known`` runs over all
records of the partition, so what was known at an instant is its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.envelope import NotAnEnvelope, open_record
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, KEPT, PREFIX, SUFFIX, Fact, compact, name_of
from services.rating.domain.silent import SPEAKING, all_count
from services.rating.domain.view import regimes_of

_BEGIN, _EVENT, _SIGNATURE = b'{"entry":{', b'},"event":', b'},"signature":{'
# An event begins with its data, and ends with its subject, its time and its type; between them stand its id and its source.
_DATA, _ID = _EVENT + b'{"data":', b',"datacontenttype":"application/json","id":"'
_BETWEEN = re.compile(rb'","source":"([^"\\]*)","specversion":"1\.0",')
_INSTANT, _BACKSLASH = len("2026-01-01T00:00:00.000Z"), ord("\\")

# A fact that waits to be read: offset, known and stamp (epoch ms), name, id, source and the bytes of its data; without a source those of
# its whole event. A tuple without names, as is an entry, for a million of them are made.
Raw = tuple[int, int, int, str, bytes, str | None, bytes]
# A record as far as it is needed: offset, time (epoch ms), key, value, headers.
Entry = tuple[int, int, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


def _type(name: str) -> str:
    return f"{PREFIX}{name}{SUFFIX}"


# Header's type → its name and how an event of such a type ends behind its time, only of types that a rulebook can ask for; controls
# have no such end, for they are few and read at once.
_TYPES: dict[bytes | None, tuple[str, bytes, int]] = {}
for _name in (*KEPT, *CONTROLS):
    _kind = _type(_name).encode()
    _end = b"" if _name in CONTROLS else b'","type":"%b"},"signature":{' % _kind
    _TYPES[_kind] = (_name, _end, len(_SIGNATURE) - len(_end))
# The keys that are kept of each type.
_WANTED = {name: frozenset(keys) for name, keys in KEPT.items()}
_TO_DATA, _TO_ID, _ALWAYS = len(_DATA), len(_ID), (b"",)
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
    # Key → what an event of this subject says before its time, how far in front of its type that begins, and the facts.
    subjects: dict[bytes, tuple[bytes, int, list[Raw]]] = field(default_factory=dict)
    # What stands in an event between its id and its subject → the source that it names.
    _sources: dict[bytes, str] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry]) -> None:
        """The next records, by offset. What became known after ``until`` (epoch ms) is left out, and all behind it."""
        if self.over:
            return
        known, subjects, until, types, records = self.known, self.subjects, self.until, _TYPES.get, self.records
        sources = self._sources.get
        for offset, timestamp, key, value, headers in entries:
            if timestamp > known:
                known = timestamp
            if until is not None and known > until:
                self.over = True
                break
            records += 1
            if len(headers) > 1 and headers[0][0] == "ce_id" and headers[1][0] == "ce_type":
                # As intake writes them.
                id, kind = headers[0][1], headers[1][1]
            else:
                said = dict(headers)
                id, kind = said.get("ce_id"), said.get("ce_type")
            found = types(kind)
            if found is None:
                if kind is not None and value is not None and b'"type":"%b"},"signature":' % kind in value:
                    continue
            elif id is not None and key and value and value.startswith(_BEGIN):
                name, end, back = found
                of = subjects.get(key)
                if of is None:
                    before = b'"subject":"%b","time":"' % key
                    of = subjects[key] = (before, _INSTANT + len(before), [])
                at = value.rfind(_SIGNATURE) + back
                begin = at - of[1]
                # No quote within a text is bare, so these can be nothing but the event's own last keys.
                if end and value.startswith(end, at) and value.startswith(of[0], begin):
                    # Only what may be read later is kept, now that the record is in the processor's cache.
                    id_at = value.rfind(_ID, 0, begin) + _TO_ID
                    source = sources(value[id_at + len(id) : begin])
                    data_at = value.find(_DATA)
                    if source is not None and data_at > 0 and value.startswith(id, id_at) and _BACKSLASH not in id:
                        of[2].append((offset, known, timestamp, name, id, source, value[data_at + _TO_DATA : id_at - _TO_ID]))
                    else:
                        self._learn(value[id_at + len(id) : begin])
                        of[2].append((offset, known, timestamp, name, id, None, _event(value)))
                    continue
            self._slowly(offset, known, timestamp, key, value)
        self.known, self.records = known, records

    def _learn(self, between: bytes) -> None:
        """What stands between an event's id and its subject, the next time at sight."""
        if found := _BETWEEN.fullmatch(between):
            self._sources[between] = found[1].decode("utf-8", "replace")

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
                before = b'"subject":"%b","time":"' % of
                raws = self.subjects.setdefault(of, (before, _INSTANT + len(before), []))[2]
                raws.append((offset, known, stamp, name, event["id"].encode(), None, orjson.dumps(event, option=orjson.OPT_SORT_KEYS)))
        except (NotAnEnvelope, KeyError, TypeError, ValueError, AttributeError, AssertionError):
            # Live rating keeps these whole, with the reason; here they are counted.
            self.unreadable += 1

    def each(self, *, every: bool = False) -> Iterator[tuple[str, list[Fact]]]:
        """Every subject with its facts, read, by offset; what was gathered of it is forgotten. ``every``: the silent ones, too."""
        subjects = self.subjects
        # A visit that found nothing may be the one that was due.
        every = every or self.controls.offices.any_adopted
        while subjects:
            key, (_, _, raws) = subjects.popitem()
            if raws:
                yield key.decode("utf-8", "replace"), self._facts(raws, every)

    def _facts(self, raws: list[Raw], every: bool) -> list[Fact]:
        if every or len({raw[4] for raw in raws}) < len(raws) or all_count([raw[3] for raw in raws]):
            return self._read(raws)
        speaking, silent, words = [], [], SPEAKING.get
        for raw in raws:
            for word in words(raw[3], _ALWAYS):
                if word in raw[6]:
                    speaking.append(raw)
                    break
            else:
                silent.append(raw)
        facts = self._read(speaking)
        if silent and says_who_rates(silent, facts):
            return self._read(raws)
        return facts

    def _read(self, raws: list[Raw]) -> list[Fact]:
        partition, found, loads, wanted = self.partition, [], orjson.loads, _WANTED
        for offset, known, stamp, name, id, source, said in raws:
            try:
                value = loads(said)
                if source is not None and name not in _REWORDS:
                    keys = wanted[name]
                    kept = {key: one for key, one in value.items() if key in keys and one is not None}
                    found.append(Fact(partition, offset, known, stamp, stamp, id.decode(), source, name, kept))
                    continue
                event = value if source is None else {"type": _type(name), "id": id.decode(), "source": source, "data": value}
                fact = compact(event, {}, partition=partition, offset=offset, known=known, stamp=stamp)
                assert fact is not None
                found.append(fact)
            except (KeyError, TypeError, ValueError, AttributeError):
                self.unreadable += 1
        return found


def _event(value: bytes) -> bytes:
    return value[value.find(_EVENT) + len(_EVENT) : value.rfind(_SIGNATURE) + 1]


def says_who_rates(silent: list[Raw], facts: list[Fact]) -> bool:
    """Whether a silent score is of a regime that no other fact names: then it is by the score that the regime rates the subject."""
    scores = [raw[6] for raw in silent if raw[3] == "score.recorded"]
    if not scores:
        return False
    named = [b'"regime":"%b"' % regime.encode() for regime in frozenset().union(*map(regimes_of, facts))]
    return any(all(name not in event for name in named) for event in scores)


def also_concerned(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom an event concerns besides its subject: where it tells of a succession, the predecessor (R19). On Kafka each has a copy in
    its own partition under its own key; in a file the event stands once."""
    predecessor = data.get("predecessor")
    return (predecessor,) if isinstance(predecessor, str) else ()
