"""Signing and sending for the start page's button: sample stacks only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from schemas.keys import SigningKey
from schemas.rulebook.model import Rulebook
from schemas.times import instant
from services.publication.adapters.postgres_reader import PostgresReader, Row
from services.publication.domain import sample
from services.publication.domain.vocabulary import Vocabulary

log = logging.getLogger(__name__)
_TIMEOUT_S = 8.0


class NoVisit(Exception):
    """The button can't work now; ``zh``, ``en`` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Visited:
    """Whom the made-up officer visited."""

    subject: str
    name: str


class SampleTown:
    """``key_file``: the sample officer's key, which the loading of the town makes while the services already run.

    ``new_id`` makes UUIDv7s, ``now_ms`` is the wall clock."""

    def __init__(
        self,
        *,
        key_file: Path,
        intake_url: str,
        reader: PostgresReader,
        vocabulary: Vocabulary,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self._key_file, self._intake, self._reader, self._vocabulary = key_file, intake_url.rstrip("/"), reader, vocabulary
        self._new_id, self._now_ms = new_id, now_ms
        self._one_at_a_time = asyncio.Lock()

    @property
    def inhabited(self) -> bool:
        """Whether there is an officer who could visit someone."""
        return self._key_file.exists()

    async def visit(self, today: Callable[[str], date]) -> Visited:
        """Inspect one enterprise. ``today(time zone)`` is the civil day there. Raises ``NoVisit``."""
        async with self._one_at_a_time:
            try:
                key = SigningKey.load(self._key_file)
            except (OSError, ValueError):
                raise NoVisit("样例城镇尚无人员。", "The made-up town has no officers yet.") from None
            grant, row, seq = await self._plan(key.key_id)
            book = self._vocabulary.book(row["regime"])
            if book is None:
                raise NoVisit("没有这一制度的规则。", "There is no rulebook for its regime.")
            for event in self._events(grant, row, book, today(book.header.time_zone), seq):
                await self._post({"event": event, "signature": key.signature(event)})
            return Visited(row["subject"], row["name"] or row["subject"])

    async def _plan(self, key_id: str) -> tuple[Row, Row, int]:
        async with self._reader.snapshot() as snapshot:
            grants = [one for one in await snapshot.signer(key_id) if one["data"].get("role") == "officer"]
            if not grants:
                raise NoVisit("样例人员的密钥尚未登记。", "The sample officer's key is not registered yet.")
            data = grants[0]["data"]
            regimes = data.get("regimes") or list(self._vocabulary.regimes)
            state = await snapshot.state()
            row = await snapshot.sample_target(
                regimes=regimes, schemes=data.get("schemes") or ["uscc"], grades=self._better(regimes), turn=state.head
            )
            if row is None:
                raise NoVisit("镇上没有可检查的企业。", "No enterprise of the town can be inspected.")
        return grants[0], row, state.head

    def _better(self, regimes: list[str]) -> list[str]:
        """Grades that can fall: the better half of each regime's."""
        found: list[str] = []
        for regime in regimes:
            words = [term.word for term in self._vocabulary.grades(regime)]
            found += words[: max(1, len(words) // 2)]
        return found

    def _events(self, grant: Mapping[str, Any], row: Row, book: Rulebook, day: date, seq: int) -> list[dict[str, Any]]:
        officer = str(grant["officer"])
        visit = sample.Visit(
            officer=officer if officer.startswith("officer:") else f"officer:{officer}",
            office=grant["data"]["office"],
            subject=row["subject"],
            regime=book.regime,
            day=day,
            now=instant(self._now_ms()),
            ids=(self._new_id(), self._new_id()),
            number=seq,
        )
        return sample.rating(visit, book.latest.components, poor=True) if book.latest else sample.decision(visit)

    async def _post(self, submission: dict[str, Any]) -> None:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(f"{self._intake}/api/v1/events", json=submission)
        except httpx.HTTPError as error:
            log.warning("sample inspection: intake does not answer: %s", type(error).__name__)
            raise NoVisit("录入服务没有响应，请稍后再试。", "Intake doesn't answer; try again in a moment.") from error
        if answer.status_code not in (200, 201, 202):
            log.warning("sample inspection: intake answered %d", answer.status_code)
            raise NoVisit(f"录入服务拒绝了（{answer.status_code}）。", f"Intake refused it ({answer.status_code}).")
