"""``DetectorWork`` for one subject's facts, in memory: what the detector of late entries keeps between records, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.audit.domain.clocks import Clock
from services.audit.domain.findings import event_of
from services.audit.domain.workdays import YearTable
from services.audit.ports import Decision, Finding, OpenVerdict, Place


class MemoryWork:
    """See ``DetectorWork``. ``data``: of every finding by its id, as first found."""

    def __init__(self) -> None:
        self.data: dict[str, Mapping[str, Any]] = {}
        self._regimes: dict[str, tuple[str, ...]] = {}
        self._seen: dict[bytes, bytes] = {}
        self._decisions: dict[tuple[int, str, str, str], Decision] = {}
        self._services: dict[tuple[int, str, str], date] = {}
        self._open: dict[tuple[str, str, str], OpenVerdict] = {}

    async def regimes_of(self, subjects: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """See ``DetectorWork``."""
        return {one: self._regimes[one] for one in subjects if one in self._regimes}

    async def put_regimes(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        """See ``DetectorWork``."""
        self._regimes |= rows

    async def remember(self, names: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """See ``DetectorWork``."""
        before = {name: self._seen[name] for name in names if name in self._seen}
        for name, content in names.items():
            self._seen.setdefault(name, content)
        return before

    async def put_calendar(self, partition: int, offset: int, event_id: str, table: YearTable) -> None:
        """See ``DetectorWork``: who asks remembers it."""

    async def put_decision(self, decision: Decision) -> None:
        """See ``DetectorWork``."""
        self._decisions.setdefault((decision.partition, decision.subject, decision.document, decision.source), decision)

    async def decisions(self, partition: int, subject: str, document: str) -> list[Decision]:
        """See ``DetectorWork``."""
        same = [one for key, one in self._decisions.items() if key[:3] == (partition, subject, document)]
        return sorted(same, key=lambda one: one.offset)

    async def put_service(self, partition: int, subject: str, document: str, served_on: date) -> bool:
        """See ``DetectorWork``."""
        key = (partition, subject, document)
        known = key in self._services
        self._services.setdefault(key, served_on)
        return not known

    async def service(self, partition: int, subject: str, document: str) -> date | None:
        """See ``DetectorWork``."""
        return self._services.get((partition, subject, document))

    async def open_verdicts(self, partition: int) -> list[OpenVerdict]:
        """See ``DetectorWork``."""
        return sorted((one for one in self._open.values() if one.partition == partition), key=lambda one: (one.offset, one.regime))

    async def put_open(self, verdict: OpenVerdict) -> None:
        """See ``DetectorWork``."""
        key = (verdict.event_id, verdict.source, verdict.regime)
        if key not in self._open or self._open[key].judged < verdict.judged:
            self._open[key] = verdict

    async def close_open(self, verdict: OpenVerdict) -> None:
        """See ``DetectorWork``."""
        self._open.pop((verdict.event_id, verdict.source, verdict.regime), None)

    async def add(self, finding: Finding, supersedes: bool) -> bool:
        """See ``DetectorWork``."""
        new = finding.id not in self.data
        if new:
            self.data[finding.id] = event_of(finding.value)["data"]
        return new

    async def read_back(self, sent: Sequence[tuple[str, bytes]]) -> None:
        """See ``DetectorWork``: nothing is sent."""

    async def move(self, positions: Mapping[Place, int], clocks: Mapping[Place, Clock]) -> None:
        """See ``DetectorWork``: it is read once."""
