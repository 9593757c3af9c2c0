"""What can't be, given what stands already: a second final score of a year, and a fact that names one that isn't there.

From an officer both are slips that can still be mended, so they are refused; from other systems they are evidence, taken with a
mark. What an event asks about is read off it before it is judged, so that one look at the table serves a whole request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.events import CATALOGUE
from schemas.ids import EVENT_ID
from services.intake.domain.faults import Fault, fault

SCORED = "mingjian.score.recorded.v1"
# Fields that hold the id of a signed fact about the same subject; the other ids in events are those of derived events.
_BY_ID = {
    "mingjian.document.served.v1": ("document",),
    "mingjian.stay.lifted.v1": ("stay",),
    "mingjian.repair.decided.v1": ("application",),
    "mingjian.objection.decided.v1": ("objection",),
    "mingjian.act.annulled.v1": ("decided_by_event",),
    "mingjian.act.changed.v1": ("decided_by_event",),
}
# What these have to be before anything is asked for them: the rest is refused by its form.
_SUBJECT = re.compile(r"[a-z]{1,10}:[!-~]{1,109}")
_REGIME = re.compile(r"[a-z0-9-]{1,41}")
# Of one event: as many as any type may name.
_MOST = 40

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """A fact as far as others refer to it. ``final``: regime and year where it is the year's final score."""

    source: str
    id: str
    subject: str
    final: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Another fact about the same subject, named at the JSON pointer ``where``; ``source`` None: by its id alone."""

    where: str
    id: str
    source: str | None = None


@dataclass
class Facts:
    """Facts by what they are asked for."""

    _sources: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _finals: dict[tuple[str, str], set[Name]] = field(default_factory=dict)

    @staticmethod
    def of(known: Sequence[Known]) -> Facts:
        """These."""
        made = Facts()
        for one in known:
            made.add(one)
        return made

    def add(self, one: Known) -> None:
        """One more."""
        self._sources.setdefault((one.subject, one.id), set()).add(one.source)
        if one.final:
            self._finals.setdefault((one.subject, one.final), set()).add((one.source, one.id))

    def drop(self, one: Known) -> None:
        """One less."""
        for held, key, value in (
            (self._sources, (one.subject, one.id), one.source),
            (self._finals, (one.subject, one.final or ""), (one.source, one.id)),
        ):
            if key in held:
                held[key].discard(value)  # type: ignore[arg-type]
                if not held[key]:
                    del held[key]  # type: ignore[arg-type]

    def has(self, subject: str, mention: Mention) -> bool:
        """Whether the fact is among these."""
        sources = self._sources.get((subject, mention.id), ())
        return bool(sources) if mention.source is None else mention.source in sources

    def finals(self, subject: str, final: str) -> frozenset[Name]:
        """The final scores of this regime and year."""
        return frozenset(self._finals.get((subject, final), ()))


def known(event: Mapping[str, Any]) -> Known | None:
    """What later events may ask of this one; None where nothing about it can be asked. For any JSON of an event's form."""
    subject = event.get("subject")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        return None
    return Known(event["source"], event["id"], subject, final(event))


def final(event: Mapping[str, Any]) -> str | None:
    """Regime and year of a year's final score, for any JSON of an event's form."""
    data = event.get("data")
    if event.get("type") != SCORED or not isinstance(data, dict) or data.get("final") is not True:
        return None
    regime, year = data.get("regime"), data.get("year")
    if not isinstance(regime, str) or not _REGIME.fullmatch(regime) or type(year) is not int or not 0 < year < 10_000:
        return None
    return f"{regime} {year}"


def asks(event: Any) -> bool:
    """Whether it has to be known what stands, to judge this event; for whatever may have been sent as one."""
    if not isinstance(event, dict) or not isinstance(event.get("subject"), str) or not _SUBJECT.fullmatch(event["subject"]):
        return False
    return bool(mentions(event) or final(event))


def mentions(event: Mapping[str, Any]) -> list[Mention]:
    """The signed facts about its subject that an event names, for any JSON of an event's form."""
    row, data = CATALOGUE.get(str(event.get("type"))), event.get("data")
    if row is None or row.route != "facts" or not isinstance(data, dict):
        return []
    return list(_mentions(row.type, data))[:_MOST]


def _mentions(kind: str, data: Mapping[str, Any]) -> Iterator[Mention]:
    for name in _BY_ID.get(kind, ()):
        if isinstance(data.get(name), str) and EVENT_ID.fullmatch(data[name]):
            yield Mention(f"/event/data/{name}", data[name])
    for name, value in data.items():
        if isinstance(value, dict) and "id" in value:
            yield from _reference(f"/event/data/{name}", value)
        elif isinstance(value, list):
            for place, one in enumerate(value):
                if isinstance(one, dict) and "id" in one:
                    yield from _reference(f"/event/data/{name}/{place}", one)


def _reference(where: str, value: Mapping[str, Any]) -> Iterator[Mention]:
    if isinstance(value["id"], str) and EVENT_ID.fullmatch(value["id"]) and isinstance(value.get("source"), str):
        yield Mention(where, value["id"], value["source"])


def standing_faults(event: Mapping[str, Any], standing: Sequence[Facts]) -> Iterator[Fault]:
    """What of a well-formed event contradicts what stands."""
    subject, name = event["subject"], (event["source"], event["id"])
    for one in mentions(event):
        if not any(facts.has(subject, one) for facts in standing):
            yield fault("counterpart-missing", field=one.where, value=one.id)
    if (year := final(event)) and any(facts.finals(subject, year) - {name} for facts in standing):
        yield fault("second-final-score", field="/event/data/final")
