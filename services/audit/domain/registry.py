"""What the detectors need of the registry: keys, people, rulebooks, go-lives, declared outages, announced evaluations.

Invariants
1. ``at(n)`` knows exactly the registry up to and with offset ``n``, so a fact stamped with ``n`` is judged the same on every
   replay, however far the registry was read by then.
2. Of an event's copies the first one counts, whatever a later one says: ids are unique per source.
3. A record that nobody signed who had a key, or that can't be read, has no effect, and its offset is remembered.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from schemas.envelope import Opened
from services.audit.domain import hearings, keys
from services.audit.domain.hearings import Hearing, Step
from services.audit.domain.keys import Keys
from services.audit.domain.late import Outage
from services.audit.domain.people import TYPES as OF_PEOPLE
from services.audit.domain.people import People, acting

GO_LIVE = "mingjian.go_live.declared.v1"
OUTAGE = "mingjian.outage.declared.v1"
ANNOUNCED = "mingjian.evaluation.announced.v1"
ACTIVATED = "mingjian.rulebook.activated.v1"
DAY_CLOSED = "mingjian.day.closed.v1"


@dataclass(frozen=True)
class Known:
    """The registry as of an offset. ``active``: the regimes whose rulebook was activated."""

    active: frozenset[str]
    go_live: Mapping[str, date]
    outages: tuple[Outage, ...]


class Registry:
    """Folded registry events with their offsets, in order. ``next_offset``: first offset not folded. ``genesis``: the pinned event.

    ``trusting``: signatures are not asked for, of records that come without the keys.

    An announcement is regime, first and last day of the period, and the evaluation's date. ``closings``: closed days.
    ``steps``: of hearings. ``without_effect``: offsets of records that went past intake."""

    def __init__(self, genesis: Mapping[str, Any], *, trusting: bool = False) -> None:
        self._trusting = trusting
        self.next_offset = 0
        self.keys = Keys(genesis)
        self.people = People.of(genesis)
        self.go_lives: list[tuple[int, str, date]] = []
        self.outages: list[tuple[int, Outage]] = []
        self.announcements: list[tuple[int, tuple[str, str, str, str]]] = []
        self.activations: list[tuple[int, str, str]] = []
        self.closings: list[tuple[int, str]] = []
        self.steps: list[Step] = []
        self.without_effect: list[int] = []
        self.time_zone = str(genesis["data"].get("time_zone", "UTC"))
        self._names: set[tuple[str, str]] = set()

    def apply(self, offset: int, one: Opened | None) -> None:
        """Fold the record at ``offset``; ``one`` None where it could not be read."""
        self.next_offset = offset + 1
        if one is None:
            return
        name = (one.event["source"], one.event["id"])
        fold = _FOLDS.get(one.event["type"])
        if name in self._names or fold is None:
            self._names.add(name)
            return
        self._names.add(name)
        try:
            if not self._trusting and not self.keys.signed(one):
                raise ValueError("nobody signed it who had a key")
            if one.event["type"] in hearings.TYPES:
                self.steps.append(hearings.step_of(offset, one, self.keys.holder(one), self.time_zone))
            fold(self, offset, one.event)
            if one.event["type"] in OF_PEOPLE and not self._trusting:
                self.people.apply(offset, one.event, str(one.signature["key_id"]))
        except (KeyError, TypeError, ValueError):
            # Went past intake: it has no effect, and the service's status names the offset.
            self.without_effect.append(offset)

    def _announced(self, offset: int, event: Mapping[str, Any]) -> None:
        data, period = event["data"], event["data"]["period"]
        said = (str(data["regime"]), str(period["first"]), str(period["last"]), str(data["evaluation_date"]))
        self.announcements.append((offset, said))

    def _went_live(self, offset: int, event: Mapping[str, Any]) -> None:
        self.go_lives.append((offset, str(event["data"]["regime"]), date.fromisoformat(event["data"]["occurred_on"])))

    def _outage(self, offset: int, event: Mapping[str, Any]) -> None:
        scheme, _, office = str(event["subject"]).partition(":")
        outage = Outage(event["data"]["started"], event["data"]["ended"], office if scheme == "office" else None)
        for end in (outage.started, outage.ended):
            if datetime.fromisoformat(end).tzinfo is None:
                raise ValueError("an instant has no zone")
        self.outages.append((offset, outage))

    def _activated(self, offset: int, event: Mapping[str, Any]) -> None:
        self.activations.append((offset, str(event["data"]["regime"]), str(event["data"]["sha256"])))

    def _closed(self, offset: int, event: Mapping[str, Any]) -> None:
        self.closings.append((offset, date.fromisoformat(event["data"]["through"]).isoformat()))

    def rulebooks(self) -> dict[str, str]:
        """The digest of each regime's rulebook, by its latest activation."""
        return {regime: digest for _, regime, digest in self.activations}

    def _key(self, offset: int, event: Mapping[str, Any]) -> None:
        self.keys.apply(offset, event)

    def _of_people(self, offset: int, event: Mapping[str, Any]) -> None:
        """Nothing besides ``people``."""

    def _step(self, offset: int, event: Mapping[str, Any]) -> None:
        """Nothing besides ``steps``."""

    def at(self, offset: int) -> Known:
        """The registry up to and with ``offset``; of two go-live dates of a regime the later declaration holds."""
        return Known(
            frozenset(regime for place, regime, _ in self.activations if place <= offset),
            {regime: day for place, regime, day in self.go_lives if place <= offset},
            tuple(outage for place, outage in self.outages if place <= offset),
        )


def hearings_of(
    registry: Registry,
    people: Mapping[hearings.Name, frozenset[str]] | None = None,
    *,
    matters: Container[str] | None = None,
    upto: int | None = None,
) -> Mapping[str, Hearing]:
    """The hearings by matter, as of the last closed day. ``people``: see ``hearings.hearings``; ``matters``: only on these; ``upto``: as of
    that offset."""
    through = max((day for offset, day in registry.closings if upto is None or offset <= upto), default=None)
    steps = (one for one in registry.steps if (matters is None or one.matter in matters) and (upto is None or one.offset <= upto))
    return hearings.hearings(steps, through=date.fromisoformat(through) if through else None, people=people)


def acted_in(registry: Registry, entries: Iterable[Opened]) -> dict[hearings.Name, frozenset[str]]:
    """Who entered or acted in entries, and who signed them, as far as a key that the registry has says so."""
    found = {}
    for one in entries:
        signed = frozenset((registry.keys.holder(one),)) if registry.keys.made(one) else frozenset[str]()
        found[one.event["source"], one.event["id"]] = acting(one.event["data"]) | signed
    return found


_FOLDS = {
    **dict.fromkeys(OF_PEOPLE, Registry._of_people),
    **dict.fromkeys(hearings.TYPES, Registry._step),
    ACTIVATED: Registry._activated,
    ANNOUNCED: Registry._announced,
    DAY_CLOSED: Registry._closed,
    GO_LIVE: Registry._went_live,
    OUTAGE: Registry._outage,
    **dict.fromkeys(keys.TYPES, Registry._key),
}
