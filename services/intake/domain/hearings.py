"""May this step of a hearing be taken? Who speaks, in which order, and that nobody decides who was involved.

Invariants
1. The rounds follow from the registry's records alone, in their order; a step that doesn't fit changes nothing.
2. A reply and an appeal are the word of who is heard: of the officer, who needs no role for it and may have left; of an office,
   through someone who has a role there. Notices and decisions need a role like all other entries.
3. Who decides has a key of their own in it (``decided_by`` signs), and is none of: who is heard, whom the notice says it concerns,
   who notified, who replied, who decided before, who entered or acted in the entries named, anyone of the office heard.
4. Terms here are the days that the steps themselves name. Whether they are as long as the rules want is judged by audit, which has
   rulebooks and calendars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import orjson

from services.intake.domain.faults import Fault, fault
from services.intake.domain.registry import Registry
from services.intake.domain.rounds import APPEALED, DECIDED, NOTIFIED, REPLIED, Round

_OWN_WORD = {REPLIED: "replied_by", APPEALED: "appealed_by"}
_SIGNS = {**_OWN_WORD, DECIDED: "decided_by"}
_PEOPLE = ("entered_by", "on_behalf_of", "reviewed_by")
TYPES = frozenset({NOTIFIED, REPLIED, DECIDED, APPEALED})
# Codes of faults that another state of the registry could lift.
HANGING = frozenset({"hearing-not-notified", "hearing-not-named", "hearing-term-runs"})


def own_word(event: Mapping[str, Any], holder: str) -> bool:
    """Whether ``holder`` speaks for themselves here; for any JSON of an event's form."""
    kind = event.get("type")
    return isinstance(kind, str) and kind in _OWN_WORD and event.get("subject") == holder


def entries_named(event: Any, registry: Registry) -> tuple[tuple[str, str], ...]:
    """Source and id of the entries that the hearing is about which a decision would end; none for other events, whatever was sent."""
    if not isinstance(event, dict) or event.get("type") != DECIDED or not isinstance(event.get("data"), dict):
        return ()
    matter, subject = event["data"].get("matter"), event.get("subject")
    if not isinstance(matter, str) or not isinstance(subject, str):
        return ()
    found = registry.rounds.of(matter, subject)
    return found.entries if found else ()


def people_of(envelopes: Iterable[bytes], registry: Registry) -> frozenset[str]:
    """Who entered or acted in these entries, by pseudonym. ``envelopes``: as intake stored them."""
    found: set[str] = set()
    for value in envelopes:
        one = orjson.loads(value)
        data, key = one["event"]["data"], registry.key(one["signature"].get("key_id", ""))
        found |= set(data.get("officers") or ()) | {data[name] for name in _PEOPLE if data.get(name)}
        found |= {key.holder} if key else set()
    return frozenset(found)


def speaking_fault(event: Mapping[str, Any], holder: str, registry: Registry) -> Fault | None:
    """Who may say what who is heard says (invariant 2). None for events that need a role."""
    scheme, _, name = event["subject"].partition(":")
    if scheme == "officer":
        if event["subject"] != holder:
            return fault("heard-is-another", field="/event/subject", value=event["subject"])
        return None if event["source"] in registry.ever_at(holder) else fault("office-not-granted", field="/event/source")
    if event["source"] != name:
        return fault("heard-is-another", field="/event/source", value=event["source"])
    there = any(one.office == name for one in registry.grants(holder))
    return None if there else fault("office-not-granted", field="/event/source", value=event["source"])


def said_by_heard(event: Mapping[str, Any]) -> bool:
    """True of the types that are the word of who is heard."""
    return event["type"] in _OWN_WORD


def step_fault(event: Mapping[str, Any], holder: str, registry: Registry, today: date, involved: frozenset[str]) -> Fault | None:
    """What keeps a well-formed step from being taken; None for every other event. ``today``: the day of receipt; ``involved``: who
    entered or acted in the entries that it is about, as far as that is known."""
    kind, data = event["type"], event["data"]
    if kind not in TYPES:
        return None
    if (name := _SIGNS.get(kind)) and data[name] != holder:
        return fault("step-by-another", field=f"/event/data/{name}", value=data[name])
    known = registry.rounds.of(data["matter"], event["subject"])
    if kind == NOTIFIED:
        return fault("hearing-under-way", field="/event/data/matter") if known and not known.may_begin_anew(today) else None
    if known is None:
        return fault("hearing-not-notified", field="/event/data/matter", value=data["matter"])
    if kind == REPLIED:
        return fault("hearing-decided", field="/event/data/matter") if known.decision else None
    if kind == APPEALED:
        return _appeal_fault(known, data, today)
    return _order_fault(known, data) or _involved_fault(event, holder, registry, known, involved)


def _appeal_fault(known: Round, data: Mapping[str, Any], today: date) -> Fault | None:
    if known.decision is None or known.decision.id != data["decision"] or known.decision.outcome != "confirmed":
        return fault("hearing-not-named", field="/event/data/decision", value=data["decision"])
    if known.over or known.appeal is not None:
        return fault("hearing-decided", field="/event/data/decision")
    last = known.decision.appeal_by
    return fault("appeal-too-late", field="/event/data/decision", day=last) if last is not None and today > last else None


def _order_fault(known: Round, data: Mapping[str, Any]) -> Fault | None:
    if data["instance"] == "appeal":
        wanted = known.appeal if not known.over else None
        return fault("hearing-not-named", field="/event/data/appeal", value=data["appeal"]) if data["appeal"] != wanted else None
    if known.decision is not None:
        return fault("hearing-decided", field="/event/data/instance")
    runs = known.replied_on is None and date.fromisoformat(data["occurred_on"]) <= known.reply_by
    return fault("hearing-term-runs", field="/event/data/occurred_on", value=data["occurred_on"], day=known.reply_by) if runs else None


def _involved_fault(event: Mapping[str, Any], holder: str, registry: Registry, known: Round, involved: frozenset[str]) -> Fault | None:
    scheme, _, office = event["subject"].partition(":")
    of_the_office = scheme == "office" and office in registry.ever_at(holder)
    if of_the_office or holder in known.involved | involved or holder == event["subject"]:
        return fault("decided-by-involved", field="/event/data/decided_by", value=holder)
    return None
