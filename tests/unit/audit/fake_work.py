"""``DetectorWork`` in memory. Like the real one it forgets everything a failed step did."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from services.audit.domain.clocks import Clock
from services.audit.domain.workdays import YearTable
from services.audit.ports import Decision, Finding, OpenVerdict, Place


@dataclass
class _Kept:
    regimes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    calendars: dict[tuple[int, str], tuple[int, YearTable]] = field(default_factory=dict)
    decisions: dict[tuple[int, str, str, str], Decision] = field(default_factory=dict)
    services: dict[tuple[int, str, str], date] = field(default_factory=dict)
    open: dict[tuple[str, str, str], OpenVerdict] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    superseded: set[str] = field(default_factory=set)
    read_back: set[str] = field(default_factory=set)
    positions: dict[Place, int] = field(default_factory=dict)
    clocks: dict[Place, Clock] = field(default_factory=dict)
    seen: dict[bytes, bytes] = field(default_factory=dict)


class MemoryStore:
    """What ``PostgresDetectorStore`` is, in memory."""

    def __init__(self) -> None:
        self.kept = _Kept()

    @property
    def positions(self) -> dict[Place, int]:
        return self.kept.positions

    @property
    def clocks(self) -> dict[Place, Clock]:
        return self.kept.clocks

    async def calendars(self) -> list[tuple[int, str, YearTable]]:
        rows = sorted((partition, offset, id) for (partition, id), (offset, _) in self.kept.calendars.items())
        return [(partition, id, self.kept.calendars[partition, id][1]) for partition, _, id in rows]

    @asynccontextmanager
    async def work(self) -> AsyncIterator[MemoryWork]:
        draft = copy.deepcopy(self.kept)
        yield MemoryWork(draft)
        self.kept = draft

    async def standing(self) -> list[Finding]:
        return [one for id, one in self.kept.findings.items() if id not in self.kept.superseded]

    async def everything(self) -> list[Finding]:
        return list(self.kept.findings.values())


class MemoryWork:
    """See ``DetectorWork``."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept

    async def regimes_of(self, subjects: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {one: self._kept.regimes[one] for one in subjects if one in self._kept.regimes}

    async def put_regimes(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        self._kept.regimes.update(rows)

    async def remember(self, names: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        before = {name: self._kept.seen[name] for name in names if name in self._kept.seen}
        self._kept.seen = {**names, **self._kept.seen}
        return before

    async def put_calendar(self, partition: int, offset: int, event_id: str, table: YearTable) -> None:
        self._kept.calendars.setdefault((partition, event_id), (offset, table))

    async def put_decision(self, decision: Decision) -> None:
        json.dumps(dict(decision.fact))
        self._kept.decisions.setdefault((decision.partition, decision.subject, decision.document, decision.source), decision)

    async def decisions(self, partition: int, subject: str, document: str) -> list[Decision]:
        same = [one for key, one in self._kept.decisions.items() if key[:3] == (partition, subject, document)]
        return sorted(same, key=lambda one: one.offset)

    async def put_service(self, partition: int, subject: str, document: str, served_on: date) -> bool:
        key = (partition, subject, document)
        known = key in self._kept.services
        self._kept.services.setdefault(key, served_on)
        return not known

    async def service(self, partition: int, subject: str, document: str) -> date | None:
        return self._kept.services.get((partition, subject, document))

    async def open_verdicts(self, partition: int) -> list[OpenVerdict]:
        return sorted((one for one in self._kept.open.values() if one.partition == partition), key=lambda one: (one.offset, one.regime))

    async def put_open(self, verdict: OpenVerdict) -> None:
        key = (verdict.event_id, verdict.source, verdict.regime)
        if key not in self._kept.open or self._kept.open[key].judged < verdict.judged:
            self._kept.open[key] = verdict

    async def close_open(self, verdict: OpenVerdict) -> None:
        self._kept.open.pop((verdict.event_id, verdict.source, verdict.regime), None)

    async def add(self, finding: Finding, supersedes: bool) -> bool:
        if finding.id in self._kept.findings:
            return False
        if supersedes:
            same = {id for id, one in self._kept.findings.items() if (one.type, one.matter) == (finding.type, finding.matter)}
            self._kept.superseded |= same
        self._kept.findings[finding.id] = finding
        return True

    async def read_back(self, sent: Sequence[tuple[str, bytes]]) -> None:
        self._kept.read_back |= {id for id, value in sent if id in self._kept.findings and self._kept.findings[id].value == value}

    async def move(self, positions: Mapping[Place, int], clocks: Mapping[Place, Clock]) -> None:
        self._kept.positions.update(positions)
        self._kept.clocks.update({place: clocks.get(place, Clock()) for place in positions})
