"""Hearings as far as intake judges by them: a fold over the steps in the registry.

Invariants
1. A step that doesn't fit what stands changes nothing: of two that crossed each other the one that stands first in the registry counts.
2. A new notice takes the place of one that nobody replied to and begins anew what is over; in between it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

NOTIFIED, REPLIED = "mingjian.finding.notified.v1", "mingjian.finding.replied.v1"
DECIDED, APPEALED = "mingjian.finding.decided.v1", "mingjian.finding.appealed.v1"


@dataclass(frozen=True, slots=True)
class Decision:
    """A first decision. ``appeal_by``: the last day to appeal, None where it names none."""

    id: str
    outcome: str
    appeal_by: date | None


@dataclass(frozen=True, slots=True)
class Round:
    """A hearing of one officer or office on one matter, from its newest notice on. ``involved``: whom it concerns and who took a step.

    ``appeal``: id of the appeal; ``over``: nothing can follow but a new notice."""

    entries: tuple[tuple[str, str], ...]
    involved: frozenset[str]
    reply_by: date
    replied_on: date | None = None
    decision: Decision | None = None
    appeal: str | None = None
    over: bool = False

    def may_begin_anew(self, today: date) -> bool:
        """Whether a new notice may be given: nobody has replied yet, or this round is over."""
        if self.decision is None:
            return self.replied_on is None
        last = self.decision.appeal_by
        return self.over or (self.appeal is None and last is not None and today > last)


@dataclass
class Rounds:
    """By matter and who is heard."""

    _rounds: dict[tuple[str, str], Round] = field(default_factory=dict)

    def of(self, matter: str, subject: str) -> Round | None:
        """The newest round; None where nobody was notified."""
        return self._rounds.get((matter, subject))

    def take(self, event: Mapping[str, Any], holder: str, received_on: date) -> None:
        """Fold a step by ``holder``. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where it has not the form of one."""
        name = (event["data"]["matter"], event["subject"])
        made = _after(self._rounds.get(name), event, holder, received_on)
        if made is not None:
            self._rounds[name] = made


def _after(known: Round | None, event: Mapping[str, Any], holder: str, received_on: date) -> Round | None:
    kind, data = event["type"], event["data"]
    if kind == NOTIFIED:
        if known is not None and not known.may_begin_anew(received_on):
            return None
        entries = tuple((one["source"], one["id"]) for one in data["entries"])
        return Round(entries, frozenset({holder, *data["concerns"]}), date.fromisoformat(data["reply_by"]))
    if known is None or known.over:
        return None
    if kind == REPLIED:
        if known.decision is not None:
            return None
        return replace(known, replied_on=date.fromisoformat(data["occurred_on"]), involved=known.involved | {holder})
    if kind == APPEALED:
        fits = known.decision is not None and known.decision.id == data["decision"] and known.appeal is None
        return replace(known, appeal=event["id"], involved=known.involved | {holder}) if fits else None
    return _decided(known, event, holder)


def _decided(known: Round, event: Mapping[str, Any], holder: str) -> Round | None:
    data, outcome, involved = event["data"], event["data"]["outcome"], known.involved | {holder}
    if holder in known.involved:
        return None
    if data["instance"] == "appeal":
        if known.appeal is None or data["appeal"] != known.appeal:
            return None
        if outcome == "remitted":
            # Back to the first instance, where somebody else decides.
            return replace(known, decision=None, appeal=None, involved=involved)
        return replace(known, over=True, involved=involved)
    if known.decision is not None:
        return None
    appeal_by = date.fromisoformat(data["appeal_by"]) if data.get("appeal_by") else None
    return replace(known, decision=Decision(event["id"], outcome, appeal_by), over=outcome != "confirmed", involved=involved)
