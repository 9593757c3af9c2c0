"""Entries by what they share, as they stand now, and what was said of each matter.

Invariants
1. A group is asked by its whole key: entries that share only a hash are never together.
2. Later words of an entry move it to the groups of those words; what is out of effect is in none.
3. Of a group that grows beyond ``most`` the first so many count: a number such as "none" must not cost more with every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Effects, Name, Words
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Entry, Sign

Key = tuple[str, ...]
KeysOf = Callable[[Entry, Words], Iterable[Key]]
"""The groups that an entry with these words belongs to."""

MOST = 64


class Member(NamedTuple):
    """An entry as it stands. ``reworded``: the entry that put the words, where they aren't its own."""

    entry: Entry
    words: Words
    reworded: Entry | None


class Groups:
    """``take`` every entry of the types concerned and every acting one; it returns the keys of groups that may be otherwise now."""

    def __init__(self, ledger: Ledger, keys_of: KeysOf, most: int | None = MOST) -> None:
        self._ledger, self._keys_of, self._most = ledger, keys_of, most
        self.effects = Effects(ledger)
        # Hash of the key → place, or places where there are several. Keys themselves would cost more than the entries.
        self._places: dict[int, int | list[int]] = {}

    def take(self, entry: Entry) -> list[Key]:
        place = self._ledger.put(entry)
        if entry.type not in acting.TYPES:
            return self._enter(place, entry if self._ledger.first(entry) else self._ledger.entry(place))
        touched: dict[Key, None] = {}
        for name in self.effects.take(self._ledger.entry(place), place):
            named = self._ledger.find(*name)
            if named is not None:
                touched |= dict.fromkeys(self._enter(named, self._ledger.entry(named)))
        return list(touched)

    def _enter(self, place: int, entry: Entry) -> list[Key]:
        # Of every wording it ever had: what ends a wording changes the group that it leaves.
        keys = dict.fromkeys(key for words in self.effects.wordings(entry) for key in self._keys_of(entry, words))
        for key in keys:
            self._put(hash(key), place)
        return list(keys)

    def _put(self, at: int, place: int) -> None:
        held = self._places.get(at)
        if held is None:
            self._places[at] = place
        elif isinstance(held, int):
            if held != place:
                self._places[at] = [held, place]
        elif place not in held and (self._most is None or len(held) < self._most):
            held.append(place)

    def has(self, key: Key, entry: Entry) -> bool:
        """Whether the entry was taken before, as one of this group."""
        place, held = self._ledger.find(entry.source, entry.id), self._places.get(hash(key), [])
        return place == held if isinstance(held, int) else place in held

    def names(self, key: Key) -> list[Name]:
        """Source and id of all that may ever have been in the group."""
        held = self._places.get(hash(key), [])
        entries = (self._ledger.entry(place) for place in ([held] if isinstance(held, int) else held))
        return [(one.source, one.id) for one in entries]

    def alone(self, key: Key) -> bool:
        """True where nothing shares the key, in effect or not."""
        return not isinstance(self._places.get(hash(key)), list)

    def members(self, key: Key) -> list[Member]:
        """Those in effect whose words are of this group, by order."""
        held = self._places.get(hash(key), [])
        found = [one for place in ([held] if isinstance(held, int) else held) if (one := self._member(place, key))]
        return sorted(found, key=lambda one: one.entry.order)

    def _member(self, place: int, key: Key) -> Member | None:
        entry = self._ledger.entry(place)
        words = self.effects.words(entry)
        if words is None or key not in self._keys_of(entry, words):
            return None
        return Member(entry, words, self._ledger.entry(words.by) if words.by is not None else None)


class Matters:
    """What was said last of each matter. A sign that says the same again is not said."""

    def __init__(self) -> None:
        self._said: dict[str, Sign] = {}
        self._of: dict[Key, frozenset[str]] = {}
        # A matter is named by office and regime as well: what is said of it later stays with those that it began with.
        self._named: dict[str, tuple[str, str | None]] = {}

    def say(self, sign: Sign) -> Iterator[Sign]:
        """The sign, unless it stands so already."""
        office, regime = self._named.setdefault(sign.matter, (sign.office, sign.regime))
        sign = replace(sign, office=office, regime=regime)
        if self._said.get(sign.matter) != sign:
            self._said[sign.matter] = sign
            yield sign

    def end(self, matter: str, make: Callable[[Sign], Sign]) -> Iterator[Sign]:
        """What ends the matter, made of the sign that stands; nothing where none does."""
        if (stands := self._said.pop(matter, None)) is not None:
            yield make(stands)

    def settle(self, found: Mapping[Key, Iterable[Sign]], make: Callable[[Sign], Sign]) -> Iterator[Sign]:
        """``found``: of every group that may be otherwise now all signs that follow. What followed from one of them before and follows
        from none any more is ended."""
        now = {key: {sign.matter: sign for sign in signs} for key, signs in found.items()}
        signs = {matter: sign for of in now.values() for matter, sign in of.items()}
        before = {matter for key in now for matter in self._of.get(key, ())}
        for matter in sorted(before - signs.keys()):
            yield from self.end(matter, make)
        for sign in signs.values():
            yield from self.say(sign)
        for key, of in now.items():
            if of or key in self._of:
                self._of[key] = frozenset(of)

    def __contains__(self, matter: str) -> bool:
        return matter in self._said

    def standing(self) -> list[Sign]:
        """Signs that stand, in the order in which their matters began."""
        return list(self._said.values())
