"""What is tested: whose entries they are, within which span, and by what name the tested population is known later."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from services.audit.domain.detectors.model import Entry, population_sha256

_DAY = timedelta(days=1)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def acting(entry: Entry) -> tuple[str, ...]:
    """Pseudonyms of those whose act it is: who is named as acting, else for whom it was entered, else who entered it."""
    data = entry.data
    named = data.get("officers") or [one for one in (data.get("on_behalf_of") or data.get("entered_by"),) if one]
    return tuple(dict.fromkeys(named))


def writer(entry: Entry) -> str | None:
    """Who wrote it down."""
    named = acting(entry)
    return entry.data.get("entered_by") or (named[0] if named else None)


@dataclass(slots=True)
class Spans:
    """Months or years, one after the other, as days are closed. ``ended``: the first day of the span that ends with a closed day.

    Entries belong to the span that is open when they become known."""

    length: Literal["month", "year"]
    open: date | None = None

    def ended(self, through: date) -> date | None:
        """The span's first day where ``through`` is its last or lies behind it, once; else None."""
        first = self.open or self._first(through)
        self.open = first
        if through < self._last(first):
            return None
        self.open = self._first(through + _DAY)
        return first

    def _first(self, day: date) -> date:
        return date(day.year, day.month if self.length == "month" else 1, 1)

    def _last(self, first: date) -> date:
        later = first + timedelta(days=31 if self.length == "month" else 366)
        return self._first(later) - _DAY


@dataclass(slots=True)
class Names:
    """Source and id of many entries in little room: an id that is a UUID takes its 16 bytes."""

    _uuids: dict[str, bytearray] = field(default_factory=dict)
    _others: list[tuple[str, str]] = field(default_factory=list)

    def add(self, entry: Entry, packed: bytes | None = None) -> None:
        """The next entry; ``packed``: what ``pack`` says of it, where several ask."""
        value = packed if packed is not None else pack(entry)
        if value:
            self._uuids.setdefault(entry.source, bytearray()).extend(value)
        else:
            self._others.append((entry.source, entry.id))

    def __len__(self) -> int:
        return len(self._others) + sum(len(some) for some in self._uuids.values()) // 16

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self._others
        for source, some in self._uuids.items():
            yield from ((source, str(uuid.UUID(bytes=bytes(some[at : at + 16])))) for at in range(0, len(some), 16))

    def sha256(self) -> str:
        """Of the lines that the contract's ``population_sha256`` names."""
        return population_sha256(self)


def pack(entry: Entry) -> bytes:
    """The 16 bytes of an id that is a UUID as it is usually written; else none."""
    if not _UUID.fullmatch(entry.id):
        return b""
    return bytes.fromhex(entry.id.replace("-", ""))
