"""R19: whose history a subject has taken over, and the log that comes of it (ADR 0027).

Invariants
1. A joined log is a function of the logs concerned as far as they were known: of nothing that arrived later, and of no order of arrival.
2. Nobody succeeds itself: of successions that make a circle the one that was known last has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.rating.domain.effects import Key
from services.rating.domain.facts import SUCCEEDED, Fact
from services.rating.domain.subject import Subject, fold

Logs = Mapping[str, Sequence[Fact]]
"""Subject → its own facts by offset, the successions in which it is a party among them."""


@dataclass(frozen=True, slots=True)
class Link:
    """A succession in effect. ``known``: from when it was known (epoch ms)."""

    key: Key
    predecessor: str
    successor: str
    known: int


def parties(facts: Iterable[Fact]) -> bool:
    """Whether the subject of these facts succeeded anyone or was succeeded."""
    return any(fact.name == SUCCEEDED or (fact.data.get("replacement") or {}).get("name") == SUCCEEDED for fact in facts)


def links(logs: Logs) -> list[Link]:
    """The successions in effect, by when they were known, without those that close a circle."""
    found = []
    for name, facts in logs.items():
        own = fold(name, 0, facts) if parties(facts) else None
        for fact in own.log.values() if own else ():
            now = own.effects.effective(fact) if own else None
            if now is not None and now.name == SUCCEEDED and now.data["successor"] == name:
                found.append(Link(fact.key, now.data["predecessor"], name, fact.known))
    kept: list[Link] = []
    for link in sorted(found, key=lambda one: (one.known, one.key)):
        if link.successor not in _before(link.predecessor, kept):
            kept.append(link)
    return kept


def _before(name: str, links: Sequence[Link]) -> set[str]:
    """The subject and everyone whose history it has."""
    found, waiting = {name}, [name]
    while waiting:
        at = waiting.pop()
        for link in links:
            if link.successor == at and link.predecessor not in found:
                found.add(link.predecessor)
                waiting.append(link.predecessor)
    return found


def joined(name: str, partition: int, logs: Logs, links: Sequence[Link]) -> Subject:
    """The subject with its own facts and those that it took over, in the order in which they became known to it; offsets are places in
    that order, ``known`` stays that of the fact. Facts that can't be folded must have been left out."""
    facts, seen = list[tuple[int, str, Fact]](), set[Key]()
    mine = ((fact.known, "", fact) for fact in logs.get(name, ()))
    for known, of, fact in (*mine, *_taken_over(name, 0, (), logs, links)):
        if fact.key not in seen:
            seen.add(fact.key)
            facts.append((known, of, fact))
    state = Subject(name, partition)
    ordered = sorted(facts, key=lambda one: (one[0], one[1], one[2].offset))
    state.take_all(replace(fact, offset=place) for place, (_, _, fact) in enumerate(ordered))
    return state


def _taken_over(name: str, known: int, through: tuple[Key, ...], logs: Logs, links: Sequence[Link]) -> Iterable[tuple[int, str, Fact]]:
    for link in links:
        if link.successor != name:
            continue
        since, chain = max(known, link.known), (*through, link.key)
        for fact in logs.get(link.predecessor, ()):
            yield max(fact.known, since), link.predecessor, replace(fact, through=chain)
        yield from _taken_over(link.predecessor, since, chain, logs, links)
