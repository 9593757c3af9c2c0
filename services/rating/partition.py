"""One partition's state in memory: rows as they stand in the changelogs, subjects decoded on demand.

Rows never change once they are written: a subject's facts are kept as chunks, each keyed by the offsets of its first and last
fact, each control event has a row of its own. So a fact costs the same on its 20,000th as on its first, a row written again has
the same bytes, and a process that was thought dead can't undo what its successor wrote. Only the head (how far the partition
is worked off) is rewritten; where it is too old, rows are met again and recognised by their offsets.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import orjson

from schemas.heads import CURSOR, HEAD, PARTS, PENDING, REBUILT, REFUSED, UNTOLD
from services.rating import agenda
from services.rating.domain.controls import Controls
from services.rating.domain.facts import Fact, pack, unpack
from services.rating.domain.subject import Subject, fold
from services.rating.ports import Row

if TYPE_CHECKING:
    from services.rating.rebuild import Rebuild

# A chunk of this many facts stays far below a changelog record's size, whatever the facts.
FACTS_IN_A_CHUNK = 64
# Decoded subjects kept in each partition.
SUBJECTS_IN_MEMORY = 1_000
CONTROL = b"control/"
SEPARATOR = b"#"


@dataclass(slots=True)
class PartitionState:
    """``offset``: everything up to it is worked off and durable; ``known``: running maximum of record times up to it."""

    partition: int
    offset: int = -1
    known: int = 0
    chunks: dict[str, list[tuple[int, int, bytes]]] = field(default_factory=dict)
    controls: Controls = field(default_factory=Controls)
    refused: dict[str, int] = field(default_factory=dict)
    # (regime, subject) → the offset from which on the subject's grades could not be worked out.
    untold: dict[tuple[str, str], int] = field(default_factory=dict)
    # Subject → the day from which a closed day has to look at it again (None: never); absent: at the next one.
    due: dict[str, date | None] = field(default_factory=dict)
    agenda: agenda.Agenda = field(default_factory=dict)
    # What was told before this version came; None where it has come past that. ``rebuilt``: its row, None before the first.
    rebuild: Rebuild | None = None
    rebuilt: tuple[int, int] | None = None
    memory: OrderedDict[str, Subject] = field(default_factory=OrderedDict)

    @staticmethod
    def load(partition: int, chunks: Iterable[tuple[bytes, bytes]], heads: Iterable[tuple[bytes, bytes]]) -> PartitionState:
        """The state from a partition's rows, in any order."""
        state = PartitionState(partition)
        for key, value in chunks:
            subject, first, last = key.rsplit(SEPARATOR, 2)
            state.chunks.setdefault(subject.decode(), []).append((int(first), int(last), value))
        for many in state.chunks.values():
            many.sort(key=lambda one: one[:2])
        controls: list[Fact] = []
        heads = list(heads)
        for key, value in heads:
            if key.startswith((PENDING, CURSOR)):
                continue
            if key == HEAD:
                state.offset, state.known = orjson.loads(value)
            elif key == REBUILT:
                state.rebuilt = tuple(orjson.loads(value))
            elif key.startswith(CONTROL):
                controls += unpack(value, partition)
            elif key.startswith(UNTOLD):
                regime, _, subject = key.removeprefix(UNTOLD).decode().partition("#")
                state.untold[regime, subject] = orjson.loads(value)
            elif key != PARTS:
                state.refused[key.removeprefix(REFUSED).decode()] = orjson.loads(value)
        for fact in sorted(controls, key=lambda one: one.offset):
            state.controls.apply(fact)
        state.agenda = agenda.load(partition, heads, state.controls.facts)
        return state

    def facts(self, subject: str) -> list[Fact]:
        """A subject's facts by offset, each once."""
        found = {fact.offset: fact for _, _, chunk in self.chunks.get(subject, ()) for fact in unpack(chunk, self.partition)}
        return [found[offset] for offset in sorted(found)]

    def subject(self, name: str) -> Subject:
        """The folded subject, from memory or from its chunks."""
        found = self.memory.get(name)
        if found is None:
            found = self.memory[name] = fold(name, self.partition, self.facts(name))
        else:
            self.memory.move_to_end(name)
        return found

    def aside(self, name: str, offset: int) -> Subject:
        """The subject as it was before an offset: the one in memory where nothing later is folded, else a fold of its own, for who
        is looked at because a control concerns everybody shall not push others out of memory."""
        found = self.memory.get(name)
        if found is not None and found.last_offset < offset:
            return found
        return fold(name, self.partition, self.facts(name), before=offset)

    def has_after(self, name: str, offset: int) -> bool:
        """Whether facts of the subject are kept that stand behind an offset."""
        chunks = self.chunks.get(name)
        return bool(chunks) and chunks[-1][1] > offset

    def falling_due(self, today: date) -> list[str]:
        """The subjects that the close of a day has to look at: those whose day has come, and those that nobody has asked yet."""
        return [name for name in self.chunks if (day := self.due.get(name, today)) is not None and day <= today]

    def trim(self) -> None:
        """Keep the subjects used last in memory, and no more. Only when all folded facts stand in chunks: a subject that is
        dropped comes back from them."""
        while len(self.memory) > SUBJECTS_IN_MEMORY:
            self.memory.popitem(last=False)

    def forget(self, name: str) -> None:
        """Drop the decoded subject, whose fold was interrupted; its chunks stay."""
        self.memory.pop(name, None)
        self.due.pop(name, None)

    def add(self, name: str, facts: list[Fact]) -> list[Row]:
        """Keep a subject's new facts and return their rows."""
        rows = []
        for start in range(0, len(facts), FACTS_IN_A_CHUNK):
            part = facts[start : start + FACTS_IN_A_CHUNK]
            chunk = (part[0].offset, part[-1].offset, pack(part))
            self.chunks.setdefault(name, []).append(chunk)
            rows.append(Row("chunks", self.partition, b"#".join((name.encode(), b"%d" % chunk[0], b"%d" % chunk[1])), chunk[2]))
        return rows

    def control_row(self, fact: Fact) -> Row:
        """The row of a control event."""
        return Row("heads", self.partition, CONTROL + b"%d" % fact.offset, pack([fact]))

    def head_row(self) -> Row:
        """How far the partition is worked off."""
        return Row("heads", self.partition, HEAD, orjson.dumps([self.offset, self.known]))

    def rebuilt_row(self, last: int, end: int) -> Row:
        """Up to which cause nothing is told that was told before, and where grades ended then; -1 and -1 once that is done."""
        self.rebuilt = (last, end)
        return Row("heads", self.partition, REBUILT, orjson.dumps([last, end]))

    def refused_row(self, regime: str) -> Row:
        """From which activation on a regime is refused; removed when it is made up for."""
        since = self.refused.get(regime)
        return Row("heads", self.partition, REFUSED + regime.encode(), None if since is None else orjson.dumps(since))

    def settle(self, regime: str, subject: str, untold: int | None) -> list[Row]:
        """Remember from which offset on a subject is untold by a regime, the first one counting; None: no longer. The row, where
        that changes anything."""
        key = (regime, subject)
        if (key in self.untold) == (untold is not None):
            return []
        if untold is None:
            del self.untold[key]
        else:
            self.untold[key] = untold
        value = None if untold is None else orjson.dumps(untold)
        return [Row("heads", self.partition, UNTOLD + f"{regime}#{subject}".encode(), value)]
