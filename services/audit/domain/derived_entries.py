"""What rating's own fold makes of facts, as entries for detectors: grades proposed and closed, duties (ADR 35).

Worked out from the same prefix as everything else, never read from rating's topics, so it doesn't matter how far rating has got. Of who is
graded by parts nothing is told here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

from schemas.times import milliseconds
from services.audit.domain.detectors.model import Entry, Order
from services.audit.domain.replay import Book, Expected, Facts


def derived_types(types: Iterable[str], known: Collection[str] = ("grade.", "proposal.", "duty.")) -> frozenset[str]:
    """Those of the detectors' types that rating makes. ``grade.approved`` and ``grade.returned`` are people's words."""
    return frozenset(one for one in types if one.startswith(tuple(known)) and one not in ("grade.approved", "grade.returned"))


def entry_of(one: Expected, stamp: int) -> Entry:
    """The event as an entry. Its order is that of its cause."""
    event = one.event
    known = milliseconds(event["data"]["cause"]["known_from"])
    return Entry(
        topic=one.topic,
        order=Order(known, *one.cause),
        received=known,
        signed=known,
        id=one.id,
        source=str(event["source"]),
        type=str(event["type"])[len("mingjian.") : -len(".v1")],
        subject=one.subject,
        channel="",
        key_id="",
        stamp=stamp,
        data=event["data"],
        sha256=hashlib.sha256(one.value).hexdigest(),
    )


def entries_of(told: Iterable[Expected], types: Collection[str]) -> list[Entry]:
    """The wanted ones of a fold's events, as they come."""
    wanted = {f"mingjian.{name}.v1" for name in types}
    return [entry_of(one, 0) for one in told if one.event["type"] in wanted]


def derived_of(facts: Facts, books: Mapping[str, Book], types: Collection[str]) -> list[Entry]:
    """All of a partition, in order."""
    unjudged = facts.unjudged(books)
    judged = {regime: books[regime] for regime in sorted(facts.named() - unjudged) if regime in books}
    found: list[Entry] = []
    for subject in sorted(facts.subjects):
        for book in judged.values():
            found += entries_of(facts.told(subject, book).events, types)
    return in_order(found)


def in_order(found: Iterable[Entry]) -> list[Entry]:
    """By cause; of one cause in the order told, as the sort is stable and a subject's events come together."""
    return sorted(found, key=lambda one: (one.order.partition, one.order.offset, one.subject))
