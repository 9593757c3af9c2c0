"""Reasons in words: the rulebook's templates filled with what the conditions found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Protocol

from services.rating.domain.acts import Act
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Holding, Quantity, Worded

SHOWN_DOCUMENTS = 5


@dataclass(slots=True)
class Decisive:
    """A fact that a grade rests on, with the day it happened and the day it was served."""

    fact: Fact
    served: date | None = None


class Bilingual(Protocol):
    """Templates in both languages: a rule, a status, a section of the rulebook."""

    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


@dataclass
class Reason:
    """One condition that holds. ``status``: what a rule gives in the place of a grade; ``on``: from when it acts, for a lowering at
    once; ``facts``: what it rests on beside its holdings; ``approved_by``: the approver's word by which it counts (R8).
    Words and facts are put together when they are asked for: most conditions that hold decide nothing."""

    rule: str
    clause: str
    grade: str | None
    template: Bilingual
    values: dict[str, Any] = field(default_factory=dict)
    holdings: tuple[Holding, ...] = ()
    facts: tuple[Decisive, ...] = ()
    readings: tuple[str, ...] = ()
    on: date | None = None
    approved_by: Fact | None = None
    status: str | None = None

    @cached_property
    def decisive(self) -> tuple[Decisive, ...]:
        """The facts that it rests on, each once."""
        return self.facts or decisive_of(self.holdings)

    @property
    def numbers(self) -> tuple[Quantity, ...]:
        """The quantities of all conditions."""
        return tuple(number for holding in self.holdings for number in holding.numbers)

    @property
    def zh(self) -> str:
        return fill(self.template.zh, self.values | fills_of(self.holdings, chinese=True))

    @property
    def en(self) -> str:
        return fill(self.template.en, self.values | fills_of(self.holdings, chinese=False))


def fill(template: str, values: dict[str, Any]) -> str:
    """Put values into a template; the loader has checked that every name can be filled."""
    return template.format_map({name: "" if value is None else str(value) for name, value in values.items()})


def fills_of(holdings: Iterable[Holding], *, chinese: bool) -> dict[str, Any]:
    """What the holdings fill in: their own names, and days and documents of all their acts."""
    values: dict[str, Any] = {}
    acts: list[Act] = []
    omitted = 0
    for holding in holdings:
        values |= {name: _said(value, chinese=chinese) for name, value in holding.fills.items()}
        acts += holding.acts
        omitted += holding.omitted
    if acts:
        acts.sort(key=lambda act: act.order)
        values |= {"first": acts[0].effective, "last": acts[-1].effective, "documents": documents_text(acts, omitted, chinese=chinese)}
    return values


def _said(value: Any, *, chinese: bool) -> Any:
    return (value.zh if chinese else value.en) if isinstance(value, Worded) else value


def documents_text(acts: Iterable[Act], omitted: int = 0, *, chinese: bool) -> str:
    """The documents' numbers, each once, at most five, and how many there are; ``omitted`` ones have no number here."""
    numbers = list(dict.fromkeys(act.document for act in acts if act.document))
    shown = numbers[:SHOWN_DOCUMENTS]
    separator = "\u3001" if chinese else ", "
    missing = "\u65e0\u6587\u53f7" if chinese else "no document"
    text = separator.join(shown) or missing
    if rest := len(numbers) + omitted - len(shown):
        text += f"\u7b49 {len(shown) + rest} \u4ef6" if chinese else f" and {rest} more"
    return text


def decisive_of(holdings: Iterable[Holding]) -> tuple[Decisive, ...]:
    """The facts behind the holdings, each once, in the order of their offsets; late service adds the fact that told of it, other
    words the fact that brought them."""
    found: dict[int, Decisive] = {}

    def add(fact: Fact, served: date | None = None) -> None:
        found.setdefault(fact.offset, Decisive(fact, served))
        if fact.worded_by:
            found.setdefault(fact.worded_by.offset, Decisive(fact.worded_by))

    for holding in holdings:
        for fact in holding.facts:
            add(fact)
        for act in holding.acts:
            add(act.fact, act.served)
            if act.served_by:
                add(act.served_by, act.served)
    return tuple(found[offset] for offset in sorted(found))
