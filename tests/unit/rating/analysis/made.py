"""A made population as JSON lines, and the shipped rulebook with other values in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from services.rating.adapters.files import FileHistory, read
from services.rating.analysis.editions import of_file
from services.rating.domain.fold import Book
from tests.cases.ledger import RULEBOOKS, act, book

OFFICE = "/departments/drug/offices/workstation"
SHIPPED = {
    folder.name: {path.name: path.read_bytes() for path in folder.glob("*.yaml")} for folder in RULEBOOKS.iterdir() if folder.is_dir()
}
PLAN = "liyujiang"


def copy_of(topic_file: str, *changes: tuple[str, str]) -> bytes:
    """A shipped file with texts replaced, each of which stands in it exactly once."""
    text = SHIPPED[PLAN][topic_file].decode()
    for old, new in changes:
        assert text.count(old) == 1, (topic_file, old)
        text = text.replace(old, new)
    return text.encode()


@lru_cache
def edition(topic_file: str, *changes: tuple[str, str]) -> Book:
    """The shipped rulebook with one file replaced by such a copy."""
    return Book.of(of_file(copy_of(topic_file, *changes), topic_file, SHIPPED, PLAN).rulebook)


@dataclass
class Made:
    """Events of many enterprises, written down in the order of their days. ``day`` of each is when it was known, too."""

    rows: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)

    def add(self, day: str, kind: str, subject: str, data: dict[str, Any]) -> None:
        number = len(self.rows)
        event = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{subject}/{kind}/{number}")),
            "source": OFFICE,
            "type": f"mingjian.{kind}.v1",
            "subject": subject,
            "time": f"{day}T01:00:00.000Z",
            "data": {"occurred_on": day, **data},
        }
        self.rows.append((day, number, event))

    def opened(self, subject: str, on: str, name: str = "样例药店") -> None:
        self.add(on, "enterprise.registered", subject, {"name": name, "business_kind": "drug_retail", "regimes": [PLAN]})
        self.add(on, "operation.started", subject, {})

    def scored(self, subject: str, year: int, total: str) -> None:
        data = {"regime": PLAN, "year": year, "maximum": "100", "total": total, "final": True, "standard": "example"}
        self.add(f"{year}-12-20", "score.recorded", subject, data)

    def fined(self, subject: str, on: str, *kinds: str) -> None:
        data = {"document_no": f"P-{on}", "acts": [act(*(kinds or ("fine",)))], "service": {"served_on": on, "method": "handed_over"}}
        self.add(on, "penalty.decided", subject, data)

    def closed(self, subject: str, on: str) -> None:
        self.add(on, "enterprise.closed", subject, {"reason": "closed"})

    def evaluated(self, *years: int) -> None:
        for year in years:
            period = {"first": f"{year}-01-01", "last": f"{year}-12-31"}
            on = f"{year + 1}-01-15"
            self.add(on, "evaluation.closed", f"regime:{PLAN}", {"regime": PLAN, "period": period, "evaluation_date": on})

    @property
    def lines(self) -> list[bytes]:
        return [orjson.dumps(event) for _, _, event in sorted(self.rows, key=lambda one: one[:2])]

    def history(self) -> FileHistory:
        return read(self.lines, book(PLAN))

    def file(self, path: Path) -> Path:
        path.write_bytes(b"\n".join(self.lines) + b"\n")
        return path


def subject(number: int) -> str:
    return f"uscc:91990000YL{number:07d}"


def labels(standings: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Subject → grade or status, of what ``rate`` gives."""
    return {name: found.grade or found.status for name, found in standings}
