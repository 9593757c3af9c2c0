"""The console over rows in memory: the real application, pages and words; a reader and a Kafka that hold what a test gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson

from schemas.rulebook import load_all_editions
from services._bus.problems import Problem
from services.audit.adapters.console_reader import After, Wanted
from services.audit.asked_replays import Replays
from services.audit.domain.detectors.all import every
from services.audit.domain.hearing_terms import HearingRule
from services.audit.domain.known_grades import Told
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar
from services.audit.packs import NotMade
from services.audit.web.app import Parts, create_app
from services.audit.web.console.app import Console
from services.audit.web.console.base import Desk
from services.audit.web.console.hearings import Board
from services.audit.web.console.words import Words
from services.audit.web.pages import Pages
from services.audit.web.session import COOKIE, Session, Sessions
from tests.cases.ledger import RULEBOOKS
from tests.integration.audit.world import GENESIS
from tests.unit.audit.test_leaf_lookup import Client

ZONE = "Asia/Shanghai"
EDITIONS = load_all_editions(RULEBOOKS)
WORDS = Words(EDITIONS, [one.declared for one in every(EDITIONS)])
WITNESSES = {"witnesses": [], "needed": 0, "counted": 0}


class Rows:
    """A ``ConsoleReader`` over rows as the table has them. ``wanted``: the filters that were asked for last."""

    def __init__(self, findings: list[dict[str, Any]], effects: dict[str, list[dict[str, Any]]], scans: list[dict[str, Any]]) -> None:
        self.findings, self.given, self.ran = findings, effects, scans
        self.wanted: Wanted | None = None

    async def page(self, wanted: Wanted, *, gravest: bool, after: After | None, limit: int) -> list[dict[str, Any]]:
        self.wanted = wanted
        return [one for one in self.findings if one["retracted"] == wanted.retracted][:limit]

    async def counts(self, wanted: Wanted) -> list[tuple[str, str, int]]:
        return [(kind, "entry", 1) for kind in sorted({one["kind"] for one in self.findings})]

    async def offices(self, wanted: Wanted, limit: int) -> list[tuple[str, int]]:
        return []

    async def one(self, id: str) -> dict[str, Any] | None:
        return next((one for one in self.findings if one["id"] == id), None)

    async def of_matter(self, matter: str) -> list[dict[str, Any]]:
        return [one for one in self.findings if one["about_matter"] == matter]

    async def effects(self, matter: str) -> list[dict[str, Any]]:
        return [{"id": one["id"], "value": orjson.dumps({"event": one})} for one in self.given.get(matter, [])]

    async def named(self, matters: list[str]) -> dict[str, dict[str, Any]]:
        return {one["about_matter"]: one for one in self.findings if one["about_matter"] in matters}

    async def scans(self, *, kind: str | None, after: int | None, limit: int) -> list[dict[str, Any]]:
        return [{"sequence": number, "value": orjson.dumps({"event": one})} for number, one in enumerate(self.ran)][:limit]

    async def detectors(self) -> list[dict[str, Any]]:
        return []

    async def runs(self, limit: int) -> list[dict[str, Any]]:
        return []

    async def calendar(self) -> WorkCalendar:
        return WorkCalendar()


class Grades:
    """``SubjectGrades`` over events in memory."""

    def __init__(self, events: list[Told]) -> None:
        self._events = events

    async def of(self, subject: str) -> list[Told]:
        return sorted(self._events, key=lambda one: one.order)


class NoLeaves:
    """``Leaves`` of a log that has no leaf yet."""

    async def at(self, topic: str, partition: int, offset: int) -> Any:
        raise Problem(404, "no-leaf", zh="没有。", en="None.")

    def add_to(self, app: Any) -> None:
        """No routes."""


class NoPacks:
    """``Packs`` where the log does not have the finding yet."""

    async def zip_of(self, finding: str) -> bytes:
        raise NotMade(missing=True)


class Whole:
    """The application with one client for each role."""

    def __init__(
        self,
        folder: Path,
        *,
        findings: list[dict[str, Any]] = [],  # noqa: B006 (never changed)
        effects: dict[str, list[dict[str, Any]]] = {},  # noqa: B006 (never changed)
        scans: list[dict[str, Any]] = [],  # noqa: B006 (never changed)
        grades: list[Told] = [],  # noqa: B006 (never changed)
        registry: Registry | None = None,
        rules: dict[str, HearingRule] = {},  # noqa: B006 (never changed)
        today: date = date(2026, 4, 1),
    ) -> None:
        known = registry or Registry({"type": "mingjian.genesis.v1", "subject": "stack:test", "data": GENESIS})
        self.rows = Rows(findings, effects, scans)
        self.sessions = Sessions(folder, b"k" * 32, lambda: 0.0)
        pages = Pages(sample=True, publication_url=None, time_zone=ZONE)
        board = Board(lambda: known, rules)
        given: Any = [self.rows, Grades(grades), NoLeaves(), NoPacks(), None]
        reader, told, leaves, packs, nothing = given
        desk = Desk(
            reader=reader,
            grades=told,
            words=WORDS,
            pages=pages,
            outages=lambda regime, data: [],
            leaves=leaves,
            read_file=lambda path: None,
            registry=lambda: known,
            log=lambda: {"witnesses": WITNESSES},
            time_zone=ZONE,
            today=lambda: today,
            standings=board.standings,
        )
        console = Console(desk, Replays({}), board, packs)
        proofs: Any = NoLeaves()
        parts = Parts(lambda path: None, self.sessions, nothing, nothing, pages, nothing, leaves, proofs, console=console)
        self.http = Client(create_app(parts))

    def get(self, path: str, role: str | None = "auditor", **more: Any) -> Any:
        """An answer, with a session of that role or without any."""
        return self.ask("GET", path, role, **more)

    def ask(self, method: str, path: str, role: str | None = "auditor", **more: Any) -> Any:
        cookie = {"cookie": f"{COOKIE}={self.sessions.cookie(Session(role, 100))}"} if role else {}
        return self.http.ask(method, path, headers={"accept": "text/html"} | cookie | more.pop("headers", {}), **more)

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        found: str = answer.text
        return found


def row(event: dict[str, Any], *, sequence: int = 1, least: int | None = None, most: int | None = None, **more: Any) -> dict[str, Any]:
    """A finding's row, as the reader gives it."""
    data = event["data"]
    matter = data.get("matter")
    columns = {
        "sequence": sequence,
        "id": event["id"],
        "kind": data["kind"],
        "office": data.get("office"),
        "subject": data.get("subject_of"),
        "regime": data.get("regime"),
        "matter": matter,
        "about_matter": matter or event["id"],
        "superseded": False,
        "retracted": bool(data.get("retracted")),
        "value": orjson.dumps({"event": event}),
        "least": least,
        "most": most,
    }
    return columns | more
