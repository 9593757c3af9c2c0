"""A chain and its shops, each in a partition of its own, and what the chain's grade is: as the live and the bulk driver work it out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from stdnum.cn import uscc

from services.rating.domain.fold import Told
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.entries import TYPE, Entry, entry_of
from services.rating.domain.standing import Standing
from tests.cases.ledger import Ledger, morning

CHAIN = "uscc:91440300MA5CHA1N44"
SCORES = {"A": "10", "B": "9", "C": "6", "D": "2"}
REGIME = "shenzhen-pharmacy"


def shop_id(number: int) -> str:
    """One shop of many."""
    body = f"91440300MA5H{number:05d}"
    return f"uscc:{body}{uscc.calc_check_digit(body)}"


class Town:
    """``parents``: ledgers of the chains, ``shops``: those of the shops, by number."""

    def __init__(self, shops: int = 0, *, founded: str = "2010-03-01") -> None:
        self.parents: dict[str, Ledger] = {}
        self.shops: list[Ledger] = []
        self.chain(CHAIN, founded)
        for _ in range(shops):
            self.shop(founded, joined=founded)

    def chain(self, subject: str, founded: str = "2010-03-01") -> Ledger:
        """A further chain."""
        ledger = self.parents[subject] = Ledger(REGIME, subject=subject)
        ledger.partition = len(self.parents) + len(self.shops)
        ledger.registered(founded, business_kind="drug_chain")
        return ledger

    def shop(self, opened: str = "2010-03-01", *, joined: str | None = None, parent: str = CHAIN) -> Ledger:
        """A further shop."""
        ledger = Ledger(REGIME, subject=shop_id(len(self.shops)))
        ledger.partition = len(self.parents) + len(self.shops) + 1
        self.shops.append(ledger)
        ledger.opened(opened)
        if joined:
            ledger.joined(parent, joined)
        return ledger

    def graded(self, grades: str, year: int = 2024, on: str | None = None) -> Town:
        """The year's evaluation: a letter for each shop, ``-`` where it has no score."""
        for shop, grade in zip(self.shops, grades, strict=True):
            if grade != "-":
                shop.scored(year, SCORES[grade], maximum="10")
        return self.evaluated(year, on=on)

    def evaluated(self, year: int, *, on: str | None = None) -> Town:
        """The year's evaluation: one event, a copy in each partition."""
        return self._everywhere(lambda one: one.evaluated(year, on=on), f"evaluation-{year}")

    def close(self, through: str) -> Town:
        """The close of a day."""
        return self._everywhere(lambda one: one.day_closed(through), f"day-{through}")

    def _everywhere(self, enter: Callable[[Ledger], str], name: str) -> Town:
        for ledger in self.ledgers():
            enter(ledger)
            ledger.facts[-1] = replace(ledger.facts[-1], id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)))
        return self

    def ledgers(self) -> list[Ledger]:
        return [*self.parents.values(), *self.shops]

    def entries(self, parent: str = CHAIN) -> list[Entry]:
        """What the parent is told, by ledger; no order that matters."""
        told = (one.event for ledger in self.ledgers() for one in ledger.told() if one.event["type"] == TYPE)
        return [entry_of(event) for event in told if event["subject"] == parent]

    def chronicle(self, parent: str = CHAIN, *, known_at: str | None = None, entries: Iterable[Entry] | None = None) -> Chronicle:
        """Settled; ``known_at``: a day, whose end counts."""
        found = Chronicle(parent, self.shops[0].book if self.shops else self.parents[parent].book)
        for one in self.entries(parent) if entries is None else entries:
            if known_at is None or one.cause.known < morning(date.fromisoformat(known_at)) + 43_200_000:
                found.add(one)
        found.settle()
        return found

    def told(self, parent: str = CHAIN) -> list[dict[str, Any]]:
        """The parent's grade events, in order."""
        found = Chronicle(parent, self.parents[parent].book)
        for one in self.entries(parent):
            found.add(one)
        return [event for _, event in found.settle()]

    def on(self, day: str, parent: str = CHAIN, *, known_at: str | None = None) -> Standing | None:
        """The parent's standing on a day."""
        return self.chronicle(parent, known_at=known_at).standing(date.fromisoformat(day))

    def grade(self, day: str, parent: str = CHAIN, *, known_at: str | None = None) -> str | None:
        """Its grade, or the status word where there is none."""
        found = self.on(day, parent, known_at=known_at)
        return None if found is None else found.grade or found.status

    def own(self, ledger: Ledger) -> list[Told]:
        """A ledger's grade events of its own."""
        return [one for one in ledger.told() if one.event["type"] != TYPE]
