"""What a pack's records say of the finding: the finding that was asked for, the entry in question, its effect, the hearing so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.audit.domain.findings import TYPE
from services.audit.evidence.archive import Broken
from services.audit.evidence.records import (
    ASSESSED,
    FACTS_FILE,
    FILES,
    HEARING,
    MATTER_FILE,
    OTHERS_FILE,
    REGISTRY_FILE,
    Held,
    Wanted,
    matter_of,
    place_in,
    places_named,
    wanted,
)


@dataclass(frozen=True)
class Case:
    """``finding``: the record asked for; ``standing``: the last one of its matter; ``earlier``: all of the matter, in order.

    ``entry``: the record in question, None where the finding is about none; ``named``: all that it names; ``effects``: the newest
    assessments, of each whose grades they are about and each regime one, those of the entry's subject first; ``hearing``: its steps in
    order; ``wanted``: what belongs into the pack."""

    finding: Held
    standing: Held
    matter: str
    earlier: Sequence[Held]
    entry: Held | None
    named: Mapping[tuple[str, int, int], Held]
    effects: Sequence[Held]
    hearing: Sequence[Held]
    wanted: Wanted

    @property
    def data(self) -> Mapping[str, Any]:
        """Of the finding."""
        found: Mapping[str, Any] = self.finding.event["data"]
        return found

    @staticmethod
    def of(finding: str, records: Mapping[str, Sequence[Held]]) -> Case:
        """Raises ``Broken`` where the records hold no such finding."""
        matter = records.get(MATTER_FILE, [])
        raised = [one for one in matter if one.event.get("type") == TYPE]
        found = next((one for one in raised if one.event["id"] == finding), None)
        if found is None:
            raise Broken(MATTER_FILE, f"holds no finding with the id {finding}, which manifest.json names")
        places = places_named(found.event)
        named = {one.place: one for name in FILES for one in records.get(name, []) if one.place in places}
        at = place_in(found.event["data"].get("event"))
        effects = [one for one in matter if one.event.get("type") == ASSESSED]
        known = [*matter, *records.get(OTHERS_FILE, []), *records.get(REGISTRY_FILE, [])]
        asked = wanted(found.event, named.values(), known, records.get(FACTS_FILE, []))
        return Case(
            finding=found,
            standing=raised[-1],
            matter=matter_of(found.event),
            earlier=raised,
            entry=named.get((at.topic, at.partition, at.offset)) if at else None,
            named=named,
            effects=_newest(effects),
            hearing=[one for one in records.get(REGISTRY_FILE, []) if one.event.get("type") in HEARING and asked.of_hearing(one)],
            wanted=asked,
        )

    @property
    def known(self) -> int:
        """The registry's offset up to which what was judged was known: the stamp of the entry; −1 where there is none."""
        stamp = self.entry.one.entry.get("registry_offset") if self.entry and self.entry.one else None
        return stamp if type(stamp) is int else -1


def _newest(effects: Sequence[Held]) -> list[Held]:
    """Of each whose grades they are about and each regime the last one in the log."""
    last = {(one.event["data"]["affected"], one.event["data"]["regime"]): one for one in effects}
    about = {name: one.event["data"]["subject_of"] != name[0] for name, one in last.items()}
    return [last[name] for name in sorted(last, key=lambda name: (about[name], name))]
