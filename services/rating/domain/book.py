"""A regime's rulebook in all its editions, as a driver holds it (ADR 0025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from schemas.rulebook import Rulebook, digest


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The newest edition with its digest and time zone; ``earlier``: digest → edition, of those before it."""

    rulebook: Rulebook
    sha256: str
    zone: ZoneInfo
    earlier: Mapping[str, Rulebook] = field(default_factory=dict)

    @staticmethod
    def of(rulebook: Rulebook, *earlier: Rulebook) -> Book:
        return Book(rulebook, digest(rulebook), rulebook.zone, {digest(one): one for one in earlier})

    def edition(self, sha256: str) -> Rulebook | None:
        """The edition of that digest; None where it isn't held."""
        return self.rulebook if sha256 == self.sha256 else self.earlier.get(sha256)

    @property
    def editions(self) -> tuple[Rulebook, ...]:
        """The newest, then the others."""
        return (self.rulebook, *self.earlier.values())


Books = Mapping[str, Book]
