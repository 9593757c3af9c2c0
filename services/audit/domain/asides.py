"""Stays and determinations of a subject, which rating leaves alone, as things stand: gone, or with other words (R18).

Invariants
1. What acts on one can itself be taken away, by something entered later only.
2. What was taken away stays away whatever is said about its words; of several wordings the last one that stands counts.
3. Of an id's copies the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.audit.domain.replay import ACTING, ASIDE, Fact
from services.audit.domain.supposing import Key


def standing_asides(asides: Iterable[Fact], facts: Iterable[Fact]) -> Iterator[Fact]:
    """Those of the types ``ASIDE``, by offset. ``asides``: with what puts other words in their place, whole; ``facts``: of the subject;
    both by offset, as the log has them."""
    asides = list(asides)
    # Of what stands in both the aside has all words.
    entered = {one.key: one for one in reversed((*asides, *(one for one in facts if one.name in ACTING)))}
    on: dict[Key, list[Fact]] = {}
    # What was entered later has been looked at before: where one of that takes this one away, it does nothing.
    for one in sorted((one for one in entered.values() if one.name in ACTING), key=lambda one: -one.offset):
        about = _about(one)
        if about is not None and not any(_takes_away(later) for later in on.get(one.key, ())):
            on.setdefault(about, []).append(one)
    seen = set[Key]()
    for one in asides:
        if one.name not in ASIDE or one.key in seen:
            continue
        seen.add(one.key)
        acted = on.get(one.key, ())
        if any(_takes_away(each) for each in acted):
            continue
        yield next((_worded(one, each) for each in acted if each.data.get("replacement")), one)


def _about(fact: Fact) -> Key | None:
    named = fact.data.get("act") or fact.data.get("entry")
    # A change of a decision waits for its service.
    waits = fact.name == "act.changed" and not fact.data.get("service")
    return (named["source"], named["id"]) if named and not waits else None


def _takes_away(fact: Fact) -> bool:
    return fact.name in ("act.annulled", "entry.retracted") or fact.data.get("outcome") == "upheld"


def _worded(one: Fact, by: Fact) -> Fact:
    """The fact at its place, with the words that another put in place of its own."""
    words = by.data["replacement"]
    return replace(one, name=words["name"], data=words["data"])
