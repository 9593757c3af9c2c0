"""What a higher norm forbids to publish, whatever a plan says (R17; ADR 0025): dated data of rulebooks, asked on the day of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from schemas.ids import scheme_of
from schemas.rulebook.in_time import Override
from schemas.rulebook.model import Rulebook

# Types of facts that impose one thing alone → the word that rulebooks have for it.
_IMPOSES = {
    "mingjian.warning.issued.v1": "warning",
    "mingjian.announcement.made.v1": "announcement",
    "mingjian.correction.ordered.v1": "correction_order",
}
_OF_SEVERAL = frozenset({"mingjian.penalty.decided.v1", "mingjian.other_department.penalised.v1"})


class Norms:
    """The overrides of rulebooks. ``now_ms``: the instant of the answer (epoch ms); a rulebook's day is that of its own zone."""

    def __init__(self, books: Iterable[Rulebook], now_ms: Callable[[], int]) -> None:
        self._of = [(book, one) for book in books for one in book.overrides]
        self._now_ms = now_ms

    def in_force(self) -> list[tuple[Rulebook, Override, date]]:
        """Those that forbid something today, each with its rulebook and that one's day."""
        if not self._of:
            return []
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        days = ((book, one, now.astimezone(book.zone).date()) for book, one in self._of)
        return [(book, one, day) for book, one, day in days if book.parameter(one.in_force).at(day)]

    def hides(self, subject: str, type_name: str, data: Mapping[str, Any]) -> bool:
        """True for a fact about a subject that imposes nothing but what may not be published."""
        imposed = imposes(type_name, data)
        return bool(imposed) and any(
            one.sanctions is not None
            and scheme_of(subject) in book.header.schemes
            and imposed <= set(book.parameter(one.sanctions).at(day) or ())
            for book, one, day in self.in_force()
        )

    def hides_list(self, name: str) -> bool:
        """True for a list that may not be published."""
        word = name.replace("-", "_")
        return any(one.lists is not None and word in (book.parameter(one.lists).at(day) or ()) for book, one, day in self.in_force())

    def mark(self) -> str:
        """What an answer's tag says of it: what is forbidden today, by name and day of its value."""
        return " ".join(f"{book.regime}/{one.name}/{book.edition(day)}" for book, one, day in self.in_force())


def imposes(type_name: str, data: Mapping[str, Any]) -> frozenset[str]:
    """What a fact imposes, in the rulebooks' words; nothing where it imposes nothing that is known here."""
    if word := _IMPOSES.get(type_name):
        return frozenset((word,))
    acts = data.get("acts") or () if type_name in _OF_SEVERAL else ()
    return frozenset(kind for act in acts for kind in act.get("kinds") or ())
