"""What all published formats share: rows that are accounted for by their lines, and events whose ids follow from their content."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.canonical import canonical_bytes
from schemas.ids import import_id

CHANNEL = "migration"
# The longest name that the contract takes.
LONGEST = 200


class NotThisFormat(ValueError):
    """The file is not in this format; the message says which columns are missing."""


class RefusedRow(ValueError):
    """The row can't become events; the message names field and value."""


@dataclass(frozen=True)
class Row:
    """What one or several lines of the file became: ``line`` is the first (1-based, as an editor counts; a quoted field with line
    breaks counts from its last line), ``more`` the others."""

    line: int
    subject: str
    office: str
    events: tuple[dict[str, Any], ...]
    more: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[int, ...]:
        return (self.line, *self.more)


@dataclass(frozen=True)
class Refused:
    """A line that gave no event, and why. ``premises`` is the premises' number as written."""

    line: int
    premises: str
    reason: str


class PublishedFormat(Protocol):
    """What a module of this package offers to whoever takes a file in. ``OFFICER`` enters what is imported, with a role at each office."""

    REGIME: str
    SCHEME: str
    OFFICER: str

    def read(self, lines: Iterable[str]) -> Iterator[Row | Refused]:
        """Every data row of the file, accepted or refused. ``lines`` are text lines as from ``open(newline="")``.

        Raises ``NotThisFormat`` when the header lacks a column."""
        ...


def records(reader: csv.DictReader[str], key: str) -> Iterator[tuple[int, dict[str, str]] | Refused]:
    """The file's rows with their lines; a line that is not CSV, or has not as many fields as the header, is refused."""
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield Refused(reader.line_num, "", f"the line is not CSV: {error}")
            continue
        if row is None:
            return
        if None in row or None in row.values():
            premises = (row.get(key) or "").strip()
            yield Refused(reader.line_num, premises, "the line has not as many fields as the header")
            continue
        yield reader.line_num, row


def without_mark(lines: Iterable[str]) -> Iterator[str]:
    """The same lines without the byte order mark that spreadsheets put first."""
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line


def within_length(data: dict[str, Any]) -> dict[str, Any]:
    """``data`` itself. Raises ``RefusedRow`` where a text is longer than the contract takes."""
    too_long = [name for name, value in data.items() if isinstance(value, str) and len(value) > LONGEST]
    if too_long:
        raise RefusedRow(f"{too_long[0]} is longer than {LONGEST} characters")
    return data


def event(kind: str, *, office: str, subject: str, time: str, data: dict[str, Any], row_key: str | None = None) -> dict[str, Any]:
    """A CloudEvent whose id is UUIDv5 of the row's key and the content: the same row always gives the same bytes."""
    made = {
        "specversion": "1.0",
        "source": office,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    return {"id": import_id(source=office, row_key=row_key or f"{subject} {kind}", content=canonical_bytes(made)), **made}
