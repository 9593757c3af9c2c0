"""The console put together. Every address asks for a session with role auditor before it looks at anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import FastAPI

from services._bus.kafka import Connection
from services.audit.adapters.console_reader import ConsoleReader
from services.audit.adapters.read_pool import ReadPool
from services.audit.adapters.subject_grades import SubjectGrades
from services.audit.asked_replays import Replays
from services.audit.domain.detectors.all import Editions, every
from services.audit.domain.hearing_terms import HearingRule
from services.audit.domain.registry import Registry
from services.audit.packs import Packs
from services.audit.proving import ReadFile
from services.audit.web.console import api, finding, hearings, history, listing, notices, replays, scans
from services.audit.web.console.base import Auditor, Desk, OutagesOf
from services.audit.web.console.hearings import Board
from services.audit.web.console.listing import Listed, gravest_late
from services.audit.web.console.words import Words
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages


@dataclass(frozen=True)
class Console:
    """``replays``: those that auditors ask for; ``board``: the hearings; ``packs``: makes evidence packs."""

    desk: Desk
    replays: Replays
    board: Board
    packs: Packs

    def add_to(self, app: FastAPI, auditor: Auditor) -> None:
        """The routes. ``auditor``: the dependency that lets auditors in."""
        api.add(app, self.desk, self.board, auditor)
        listing.add(app, self.desk, auditor)
        finding.add(app, self.desk, self.board, self.packs, auditor)
        notices.add(app, self.desk, self.board, auditor)
        hearings.add(app, self.desk, self.board, auditor)
        history.add(app, self.desk, auditor)
        scans.add(app, self.desk, auditor)
        replays.add(app, self.desk, self.replays, auditor)

    async def gravest(self, lang: str) -> Listed | None:
        """For the start page of an auditor: the late entry that made most days wrong."""
        row = await gravest_late(self.desk)
        return Listed(row, self.desk, lang) if row else None


@dataclass(frozen=True)
class Seen:
    """What the console shows besides tables and topics: see ``Desk``."""

    pages: Pages
    leaves: Leaves
    read_file: ReadFile
    outages: OutagesOf
    registry: Callable[[], Registry]
    log: Callable[[], Mapping[str, Any]]
    time_zone: str
    today: Callable[[], date]


def assembled(environ: Mapping[str, str], connection: Connection, reading: ReadPool, editions: Editions, seen: Seen) -> Console:
    """``environ``: for the processes that replays and packs are made in; ``editions``: rulebooks by regime."""
    board = Board(seen.registry, {regime: rule for regime, books in editions.items() if (rule := HearingRule.of(books[0]))})
    desk = Desk(
        reader=ConsoleReader(reading),
        grades=SubjectGrades(connection),
        words=Words(editions, [one.declared for one in every(editions)]),
        pages=seen.pages,
        outages=seen.outages,
        leaves=seen.leaves,
        read_file=seen.read_file,
        registry=seen.registry,
        log=seen.log,
        time_zone=seen.time_zone,
        today=seen.today,
        standings=board.standings,
    )
    return Console(desk, Replays(environ), board, Packs(environ))
