"""The console put together. Every address asks for a session with role auditor before it looks at anything."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from services.audit.asked_replays import Replays
from services.audit.web.console import api, finding, hearings, history, listing, replays, scans
from services.audit.web.console.base import Auditor, Desk
from services.audit.web.console.hearings import Board
from services.audit.web.console.listing import Listed, gravest_late


@dataclass(frozen=True)
class Console:
    """``replays``: those that auditors ask for; ``board``: the hearings."""

    desk: Desk
    replays: Replays
    board: Board

    def add_to(self, app: FastAPI, auditor: Auditor) -> None:
        """The routes. ``auditor``: the dependency that lets auditors in."""
        api.add(app, self.desk, auditor)
        listing.add(app, self.desk, auditor)
        finding.add(app, self.desk, self.board, auditor)
        hearings.add(app, self.desk, self.board, auditor)
        history.add(app, self.desk, auditor)
        scans.add(app, self.desk, auditor)
        replays.add(app, self.desk, self.replays, auditor)

    async def gravest(self, lang: str) -> Listed | None:
        """For the start page of an auditor: the late entry that made most days wrong."""
        row = await gravest_late(self.desk)
        return Listed(row, self.desk, lang) if row else None
