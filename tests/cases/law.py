"""Editions of a rulebook that differ in one thing, for cases about law in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from schemas.rulebook import Rulebook
from services.rating.domain.fold import Book
from tests.cases.ledger import Ledger

Change = Callable[[Rulebook], Rulebook]


def value(name: str, to: Any) -> Change:
    """Another value of a parameter."""

    def change(book: Rulebook) -> Rulebook:
        (old,) = book.parameter(name).values
        return _parameter(book, name, (old.model_copy(update={"value": to}),))

    return change


def dated(book: Rulebook, name: str, to: Any, on: str) -> Rulebook:
    """A further value in the same edition, from a day on."""
    values = book.parameter(name).values
    return _parameter(book, name, (*values, values[-1].model_copy(update={"value": to, "in_force_from": date.fromisoformat(on)})))


def rule(id: str, **update: Any) -> Change:
    """Something else in a rule."""
    return lambda book: book.model_copy(
        update={"rules": tuple(one.model_copy(update=update) if one.id == id else one for one in book.rules)}
    )


def gone(id: str) -> Change:
    """Without a rule."""
    return lambda book: book.model_copy(update={"rules": tuple(one for one in book.rules if one.id != id)})


def without_sanction(name: str, sanction: str) -> Change:
    """A set of acts without one of its words."""

    def change(book: Rulebook) -> Rulebook:
        sets = [
            one.model_copy(update={"sanctions": tuple(word for word in one.sanctions if word != sanction)}) if one.name == name else one
            for one in book.act_sets
        ]
        return book.model_copy(update={"act_sets": tuple(sets)})

    return change


def several(*steps: Change) -> Change:
    """One change after the other."""

    def change(book: Rulebook) -> Rulebook:
        for step in steps:
            book = step(book)
        return book

    return change


def _parameter(book: Rulebook, name: str, values: tuple[Any, ...]) -> Rulebook:
    parameters = tuple(one.model_copy(update={"values": values}) if one.name == name else one for one in book.parameters)
    return book.model_copy(update={"parameters": parameters})


def numbered(book: Rulebook, number: int) -> Rulebook:
    """The edition with a version of its own."""
    return book.model_copy(update={"header": book.header.model_copy(update={"version": f"2026.{number}"})})


class Laws:
    """A ledger's regime with further editions, each in force from a day."""

    def __init__(self, ledger: Ledger, *changes: tuple[str, Change]) -> None:
        self.ledger = ledger
        self.editions = [ledger.book.rulebook]
        for at, (on, change) in enumerate(changes, 2):
            self.editions.append(numbered(change(self.editions[-1]), at))
            self.enact(at - 1, on)
        ledger.book = Book.of(self.editions[-1], *self.editions[:-1])

    def enact(self, number: int, in_force_from: str, *, on: str = "2005-01-02") -> str:
        """Activate an edition, by default long before its day."""
        one = Book.of(self.editions[number])
        self.ledger.book = one
        return self.ledger.activate(sha256=one.sha256, in_force_from=in_force_from, on=on)


def under(started: str = "2010-03-01", *changes: tuple[str, Change], approving: bool = False) -> Ledger:
    """A shop in operation since ``started`` under the rulebook, and under further editions from their days on."""
    ledger = Ledger(approving=approving)
    Laws(ledger, *changes)
    ledger.opened(started)
    return ledger
