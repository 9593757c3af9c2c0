"""Names of grades, statuses and lists, as each regime's rulebook gives them. A regime without a rulebook shows its bare words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.derived import NOT_RATED
from schemas.rulebook.model import Rulebook
from services.publication.domain.lists import ListRule
from services.publication.domain.norms import Norms

Row = Mapping[str, Any]

STEPS = 6
"""How many shades a grade mark can have, from the best (0) to the worst."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word with its names. ``shade``: 0 for the best grade to ``STEPS`` − 1 for the worst, None for a status."""

    word: str
    zh: str
    en: str
    short_zh: str
    short_en: str
    shade: int | None
    clause: str | None

    def name(self, lang: str) -> str:
        """The full name in ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en

    def short(self, lang: str) -> str:
        """The name that fits beside a mark."""
        return self.short_zh if lang == "zh" else self.short_en


_NOT_RATED = Term(NOT_RATED, "不再评定", "No longer rated", "不再评定", "No longer rated", None, None)
SUSPENDED = "publication_suspended"
"""What stands in the place of a grade or status whose publication a stay suspends (R18; ADR 0036). The views of the database say it."""
_SUSPENDED = Term(SUSPENDED, "公示暂停：依法停止执行", "Publication suspended by a stay", "公示暂停", "Publication suspended", None, None)


@dataclass(frozen=True, slots=True)
class Published:
    """A list with its names."""

    rule: ListRule

    def name(self, lang: str) -> str:
        """The title in ``zh`` or ``en``."""
        return self.rule.zh if lang == "zh" else self.rule.en


class DuplicateList(ValueError):
    """Two rulebooks give a list the same name, which is its address."""


class Vocabulary:
    """The words of all regimes; ``books`` in the order in which pages show them. ``earlier``: editions of before, whose clauses and
    statuses are still named by what they rated; ``now_ms``: by whose day a higher norm may forbid to publish something."""

    def __init__(self, books: Iterable[Rulebook], earlier: Iterable[Rulebook] = (), *, now_ms: Callable[[], int] = lambda: 0) -> None:
        self._books = {book.regime: book for book in books}
        self._earlier = tuple(earlier)
        self.norms = Norms(self._books.values(), now_ms)
        self._rules = {regime: tuple(_rules(book)) for regime, book in self._books.items()}
        self._lists: dict[str, Published] = {}
        for rules in self._rules.values():
            for rule in rules:
                if rule.name in self._lists:
                    raise DuplicateList(f"the list {rule.name} stands in the rulebooks of {rule.regime} and another regime; rename one")
                self._lists[rule.name] = Published(rule)

    @property
    def regimes(self) -> tuple[str, ...]:
        """Regimes that have a rulebook."""
        return tuple(self._books)

    def book(self, regime: str) -> Rulebook | None:
        """The rulebook of a regime."""
        return self._books.get(regime)

    def zone(self, regime: str) -> ZoneInfo | None:
        """The time zone of a regime's rulebook."""
        book = self._books.get(regime)
        return book.zone if book else None

    def regime_of_clause(self, clause: str | None) -> str | None:
        """The first regime whose rulebook tells what this clause says."""
        return next((book.regime for book in (*self._books.values(), *self._earlier) if clause in book.clause_texts), None)

    def regime_name(self, regime: str, lang: str) -> str:
        """The regime's name, or its word."""
        book = self._books.get(regime)
        if book is None:
            return regime
        return book.header.name.zh if lang == "zh" else book.header.name.en

    def grades(self, regime: str) -> Sequence[Term]:
        """The grades of a regime from best to worst."""
        book = self._books.get(regime)
        return [self.grade(regime, one.grade) for one in book.grades] if book else []

    def grade(self, regime: str, grade: str) -> Term:
        """A grade's term."""
        book = self._books.get(regime)
        found = next((one for one in book.grades if one.grade == grade), None) if book else None
        if book is None or found is None:
            return Term(grade, grade, grade, grade, grade, None, None)
        shade = _shade(book.rank[grade], len(book.grades))
        return Term(grade, found.name.zh, found.name.en, found.short.zh, found.short.en, shade, found.clause)

    def rank(self, regime: str, grade: str | None) -> int | None:
        """0 for the best grade; None where there is none or it is unknown."""
        book = self._books.get(regime)
        return book.rank.get(grade) if book and grade is not None else None

    def status(self, regime: str, status: str) -> Term:
        """A status's term."""
        if status in (NOT_RATED, SUSPENDED):
            return _NOT_RATED if status == NOT_RATED else _SUSPENDED
        book = self._books.get(regime)
        found = book.status_words.get(status) if book else None
        found = found or next(
            (one.status_words[status] for one in self._earlier if one.regime == regime and status in one.status_words), None
        )
        if found is None:
            plain = status.replace("_", " ")
            return Term(status, plain, plain, plain, plain, None, None)
        return Term(status, found.name.zh, found.name.en, found.name.zh, found.name.en, None, found.clause)

    def rules(self, regime: str) -> Sequence[ListRule]:
        """The lists of a regime."""
        return self._rules.get(regime, ())

    def list(self, name: str) -> Published | None:
        """A list by its address; None also where it may not be published."""
        return None if self.norms.hides_list(name) else self._lists.get(name)

    def shown(self, subject: str, facts: Iterable[Row]) -> Sequence[Row]:
        """Facts about a subject, less those that may not be published."""
        return [one for one in facts if not self.norms.hides(subject, one["type"], one["data"])]

    @property
    def lists(self) -> Sequence[Published]:
        """All lists that may be published."""
        return tuple(one for name, one in self._lists.items() if not self.norms.hides_list(name))


def _rules(book: Rulebook) -> Iterable[ListRule]:
    for one in book.lists:
        yield ListRule(one.name, book.regime, frozenset(one.grades), one.clause, one.title.zh, one.title.en)


def _shade(rank: int, grades: int) -> int:
    """Spread the grades of any regime over the shades, the first and the last at the ends."""
    return 0 if grades < 2 else (2 * rank * (STEPS - 1) + grades - 1) // (2 * (grades - 1))
