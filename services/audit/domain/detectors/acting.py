"""What later facts make of an entry, for detectors: gone, or with other words (R18). Rating's fold says it for grades; this one is
for entries across subjects, in the one order in which they were known.

Invariants
1. What acts can itself be taken away by something known later only, so there are no circles.
2. What was taken away stays away whatever is said about its words; of several wordings the last known counts.
3. A determination of truth changes no words: what an entry says is put right by a correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Entry, Order

Name = tuple[str, str]
"""An event's source and id."""

OWN = frozenset({"entry.corrected", "entry.retracted"})
REVIEWED = frozenset({"act.annulled", "act.changed"})
TYPES = OWN | REVIEWED | {"objection.decided"}


class Words(NamedTuple):
    """What an entry says as things stand. ``by``: the place of what put these words, None for its own."""

    type: str
    data: Mapping[str, Any]
    by: int | None = None


class _Acting(NamedTuple):
    order: Order
    name: Name
    place: int
    takes_away: bool


def named(entry: Entry) -> Name | None:
    """The entry that an acting one is about; None where it decides nothing about any."""
    about = entry.data.get("act") or entry.data.get("entry")
    if not about or (entry.type == "objection.decided" and entry.data.get("outcome") not in ("upheld", "changed")):
        return None
    return about["source"], about["id"]


def takes_away(entry: Entry) -> bool:
    """Whether it takes the entry it names out of effect, instead of giving it other words."""
    return entry.type in ("act.annulled", "entry.retracted") or entry.data.get("outcome") == "upheld"


class Effects:
    """Acting entries by what they name; there are few of them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._on: dict[Name, list[_Acting]] = {}

    def take(self, entry: Entry, place: int) -> list[Name]:
        """An acting entry; returns the names of entries that may stand otherwise now, what it acts on through others among them."""
        name = named(entry)
        if name is None:
            return []
        acting = self._on.setdefault(name, [])
        if all(one.place != place for one in acting):
            acting.append(_Acting(entry.order, (entry.source, entry.id), place, takes_away(entry)))
        return self.concerned(entry)

    def concerned(self, entry: Entry) -> list[Name]:
        """What an acting entry acts on: the entry that it names, and what that acts on where it is an acting one itself."""
        name = named(entry)
        found = [name] if name is not None else []
        for one in found:
            place = self._ledger.find(*one)
            if place is None:
                continue
            further = named(other) if (other := self._ledger.entry(place)).type in TYPES else None
            if further is not None and further not in found:
                found.append(further)
        return found

    def acting(self, name: Name) -> list[Entry]:
        """Those that act on the entry as things stand, in their order."""
        if name not in self._on:
            return []
        stands = self._standing(name)
        return [self._ledger.entry(one.place) for one in sorted(self._on[name]) if stands[one.name]]

    def words(self, entry: Entry) -> Words | None:
        """What a kept entry says now; None where it is as never made."""
        said = [Words(entry.type, entry.data)]
        for one in self.acting((entry.source, entry.id)):
            if takes_away(one):
                return None
            said += self._worded(entry, one)
        return said[-1]

    def wordings(self, entry: Entry) -> list[Words]:
        """Its own words and all that were ever put in their place, in effect or not."""
        acting = (self._ledger.entry(one.place) for one in self._on.get((entry.source, entry.id), ()))
        return [Words(entry.type, entry.data), *(words for one in acting for words in self._worded(entry, one))]

    def worded(self, entry: Entry, acting: Entry) -> Words | None:
        """What an acting entry says instead; None where it puts no words."""
        return next(iter(self._worded(entry, acting)), None)

    def _worded(self, entry: Entry, acting: Entry) -> list[Words]:
        instead = acting.data.get("replacement")
        if not instead:
            return []
        place = self._ledger.find(acting.source, acting.id)
        return [Words(short(instead["type"]), _with_service(entry, acting, instead["data"]), place)]

    def _standing(self, name: Name) -> dict[Name, bool]:
        """Whether each of the entries that act on it, at whatever remove, stands."""
        entered: dict[Name, _Acting] = {}
        for at in (waiting := [name]):
            for one in self._on.get(at, ()):
                if one.name not in entered:
                    entered[one.name] = one
                    waiting.append(one.name)
        stands: dict[Name, bool] = {}
        for one in sorted(entered.values(), reverse=True):
            against: Iterable[_Acting] = (other for other in self._on.get(one.name, ()) if other.order > one.order)
            stands[one.name] = not any(other.takes_away and stands[other.name] for other in against)
        return stands


def _with_service(entry: Entry, acting: Entry, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What changes a decision leaves its service as it was; a corrected entry says itself what was served."""
    if acting.type == "act.changed" and "service" in entry.data and "service" not in data:
        return {**data, "service": entry.data["service"]}
    return data


def short(event_type: str) -> str:
    """``mingjian.inspection.recorded.v1`` → ``inspection.recorded``."""
    return event_type.removeprefix("mingjian.").removesuffix(".v1")
