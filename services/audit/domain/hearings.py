"""Hearings on findings: a fold over the steps in the registry. Who was heard on which matter, what was decided, and which steps count.

Invariants
1. The order of the registry alone decides: of two steps that crossed each other the first counts, whatever else arrives and when.
2. A hearing is of one officer or office on one matter. A step that doesn't fit what stands is void, changes nothing, and stays in
   sight with the reason.
3. Nobody decides who was involved: who is heard, whom the notice concerns, who notified or replied, who decided before, who entered
   or acted in the entries (where the caller knows them). Such a decision is void.
4. Cleared is an outcome like the others. It binds the matter until a new notice begins a new round.
5. Purpose is found by the decision that holds: on appeal the last word counts. Who was never notified changes nothing of a matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from schemas.envelope import Opened
from schemas.times import civil_date, milliseconds

Kind = Literal["notified", "replied", "decided", "appealed"]
Standing = Literal["open", "notified", "replied", "waived", "decided", "appealed", "final"]
Outcome = Literal["confirmed", "cleared", "remitted"]
Name = tuple[str, str]
"""An event's source and id."""

TYPES: dict[str, Kind] = {
    f"mingjian.finding.{kind}.v1": kind  # type: ignore[misc]
    for kind in ("notified", "replied", "decided", "appealed")
}
_ORDER: tuple[Standing, ...] = ("open", "notified", "replied", "waived", "decided", "appealed", "final")
_OWN_WORD = {"replied": "replied_by", "appealed": "appealed_by", "decided": "decided_by"}

# Why a step changes nothing.
REASONS: dict[str, tuple[str, str]] = {
    "not_notified": ("此前没有向该主体告知这一事项", "nobody had notified this subject of the matter"),
    "under_way": ("听取意见正在进行，不能重新告知", "the hearing was under way; it can't be notified anew"),
    "decided_before": ("此前已有决定或申诉", "a decision or an appeal stood already"),
    "term_runs": ("答复期限未满，也没有答复或放弃", "the term to reply was running, and there was neither a reply nor a waiver"),
    "not_named": ("所指的决定或申诉不是待处理的那一个", "it names another decision or appeal than the one that was open"),
    "too_late": ("申诉期限已过", "the term to appeal had run out"),
    "involved": ("决定人参与过此事", "who decided was involved"),
    "of_another": ("不是写明的人签名", "it was not signed by the one whom it names"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it stands in the registry. ``signer``: who signed, by pseudonym; ``received_on``: day in the stack's time zone;
    ``received``: the same as an instant, epoch ms."""

    offset: int
    source: str
    id: str
    kind: Kind
    subject: str
    matter: str
    finding: str
    signer: str
    occurred_on: date
    received_on: date
    data: Mapping[str, Any]
    received: int = 0

    def day(self, name: str) -> date | None:
        """A day that the step names."""
        value = self.data.get(name)
        return date.fromisoformat(value) if isinstance(value, str) else None

    @property
    def served_on(self) -> date:
        """Of a notice or a decision."""
        return date.fromisoformat(self.data["service"]["served_on"])


@dataclass(frozen=True, slots=True)
class Taken:
    """A step and what became of it. ``void``: why it changes nothing (a key of ``REASONS``), None where it counts; ``round``: from 1."""

    step: Step
    round: int
    void: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A hearing of one officer or office on one matter; the steps named are those of the newest round that count.

    ``decision``: the first one that stands; ``on_appeal``: the decision on the appeal; ``sent_back``: one that had it decided anew.
    ``outcome``: as it stands, final or not."""

    matter: str
    subject: str
    standing: Standing
    outcome: Outcome | None
    taken: tuple[Taken, ...]
    notice: Step | None = None
    reply: Step | None = None
    decision: Step | None = None
    appeal: Step | None = None
    on_appeal: Step | None = None
    sent_back: Step | None = None

    @property
    def cleared(self) -> bool:
        return self.standing == "final" and self.outcome == "cleared"

    @property
    def deciding(self) -> Step | None:
        """The decision that holds."""
        return self.on_appeal or self.decision

    def may_begin_anew(self, day: date) -> bool:
        """Whether a new notice on ``day`` would count: nobody has replied or decided yet, or this round is over."""
        return _untouched(self) or _over(self, day)

    @property
    def purpose(self) -> bool:
        """Whether the decision that holds, final or not, found that what was entered was false on purpose (五(三) ¶4)."""
        decision = self.deciding
        return self.outcome == "confirmed" and decision is not None and decision.data.get("intent") == "on_purpose"


@dataclass(frozen=True, slots=True)
class Word:
    """What the hearing on a matter says of what follows from it. ``purpose``: a decision that holds found purpose; ``final``: nobody can
    have that set aside any more; ``cleared``: of everybody who was heard. ``turned``: the newest step by which any of it changed."""

    purpose: bool = False
    final: bool = False
    cleared: bool = False
    turned: Step | None = None


SILENT = Word()
"""Of a matter on which nothing was decided."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that was heard on a matter: one part for each officer or office. ``turned``: see ``Word``."""

    matter: str
    parts: tuple[Heard, ...]
    turned: Step | None = None

    @property
    def heard(self) -> tuple[Heard, ...]:
        """Those who were notified: a void step alone makes nobody a party."""
        return tuple(one for one in self.parts if one.notice is not None)

    @property
    def standing(self) -> Standing:
        """That of the part which is least far."""
        return min((one.standing for one in self.heard), key=_ORDER.index, default="open")

    @property
    def outcome(self) -> Outcome | None:
        """Confirmed where it is of anybody; cleared where it is of all; None while that is open."""
        found = [one.outcome for one in self.heard]
        if "confirmed" in found:
            return "confirmed"
        if found and all(one == "cleared" for one in found):
            return "cleared"
        return "remitted" if "remitted" in found else None

    @property
    def cleared(self) -> bool:
        return bool(self.heard) and all(one.cleared for one in self.heard)

    @property
    def word(self) -> Word:
        found = [one for one in self.heard if one.purpose]
        return Word(bool(found), any(one.standing == "final" for one in found), self.cleared, self.turned)

    @property
    def findings(self) -> frozenset[str]:
        """Ids of the findings that steps name: those of one matter."""
        return frozenset(taken.step.finding for one in self.parts for taken in one.taken)


def step_of(offset: int, one: Opened, signer: str, time_zone: str) -> Step:
    """A record of the registry as a step. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where it has not the form of one."""
    event, data = one.event, one.event["data"]
    made = Step(
        offset=offset,
        source=event["source"],
        id=event["id"],
        kind=TYPES[event["type"]],
        subject=event["subject"],
        matter=str(data["matter"]),
        finding=str(data["finding"]),
        signer=signer,
        occurred_on=date.fromisoformat(data["occurred_on"]),
        received_on=civil_date(one.entry["received_at"], time_zone),
        data=data,
        received=milliseconds(one.entry["received_at"]),
    )
    if made.kind in ("notified", "decided"):
        _ = made.served_on
    if made.kind == "notified":
        _ = date.fromisoformat(data["reply_by"]), [(named["source"], named["id"]) for named in data["entries"]], [*data["concerns"]]
    if made.kind == "decided":
        _ = made.day("appeal_by"), data["outcome"], data["instance"]
    return made


def hearings(
    steps: Iterable[Step], *, through: date | None = None, people: Mapping[Name, frozenset[str]] | None = None
) -> dict[str, Hearing]:
    """By matter. ``steps``: by offset. ``through``: the last closed day, by which a term to appeal has run out; ``people``: who entered
    or acted in entries, by source and id, as far as that is known."""
    rounds: dict[str, dict[str, _Rounds]] = {}
    words: dict[str, tuple[bool, bool]] = {}
    turned: dict[str, Step] = {}
    for step in steps:
        parts = rounds.setdefault(step.matter, {})
        parts.setdefault(step.subject, _Rounds(people or {})).take(step)
        said = _heard(step.matter, parts, through).word
        if words.get(step.matter, (False, False)) != (said.purpose, said.cleared):
            words[step.matter], turned[step.matter] = (said.purpose, said.cleared), step
    return {matter: _heard(matter, parts, through, turned.get(matter)) for matter, parts in rounds.items()}


def _heard(matter: str, parts: Mapping[str, _Rounds], through: date | None, turned: Step | None = None) -> Hearing:
    return Hearing(matter, tuple(one.heard(matter, subject, through) for subject, one in parts.items()), turned)


class _Rounds:
    """The steps on one matter about one officer or office."""

    def __init__(self, people: Mapping[Name, frozenset[str]]) -> None:
        self._people = people
        self.taken: list[Taken] = []
        self.number = 0
        self.notice: Step | None = None
        self._begin(None)

    def _begin(self, notice: Step | None) -> None:
        self.notice = notice
        self.reply: Step | None = None
        self.decision: Step | None = None
        self.appeal: Step | None = None
        self.on_appeal: Step | None = None
        self.sent_back: Step | None = None
        self.outcome: Outcome | None = None
        self.involved: set[str] = set()
        if notice is not None:
            self.number += 1
            named = [(one["source"], one["id"]) for one in notice.data["entries"]]
            self.involved = {notice.subject, notice.signer, *notice.data["concerns"]}
            self.involved |= {person for one in named for person in self._people.get(one, ())}

    def take(self, step: Step) -> None:
        name = _OWN_WORD.get(step.kind)
        void = "of_another" if name and step.data.get(name) != step.signer else getattr(self, f"_{step.kind}")(step)
        self.taken.append(Taken(step, max(1, self.number), void))
        if void is None and step.kind != "notified":
            self.involved.add(step.signer)

    def _notified(self, step: Step) -> str | None:
        if not _untouched(self) and not _over(self, step.received_on):
            return "under_way"
        self._begin(step)
        return None

    def _replied(self, step: Step) -> str | None:
        if self.notice is None:
            return "not_notified"
        if self.decision is not None:
            return "decided_before"
        self.reply = step
        return None

    def _appealed(self, step: Step) -> str | None:
        if self.notice is None:
            return "not_notified"
        if self.decision is None or step.data.get("decision") != self.decision.id or self.outcome != "confirmed":
            return "not_named"
        if self.appeal is not None:
            return "decided_before"
        if _over(self, step.received_on):
            return "too_late"
        self.appeal = step
        return None

    def _decided(self, step: Step) -> str | None:
        if self.notice is None:
            return "not_notified"
        if step.signer in self.involved:
            return "involved"
        outcome: Outcome = step.data["outcome"]
        if step.data["instance"] == "appeal":
            if self.appeal is None or self.on_appeal is not None or step.data.get("appeal") != self.appeal.id:
                return "not_named"
            if outcome == "remitted":
                # Back to the first instance, where somebody else decides.
                self.decision = self.appeal = None
                self.sent_back = step
            else:
                self.on_appeal = step
            self.outcome = outcome
            return None
        if self.decision is not None:
            return "decided_before"
        reply_by = self.notice.day("reply_by")
        if self.reply is None and reply_by is not None and step.occurred_on <= reply_by:
            return "term_runs"
        self.decision, self.outcome = step, outcome
        return None

    def heard(self, matter: str, subject: str, through: date | None) -> Heard:
        steps = (self.notice, self.reply, self.decision, self.appeal, self.on_appeal, self.sent_back)
        return Heard(matter, subject, self._standing(through), self.outcome, tuple(self.taken), *steps)

    def _standing(self, through: date | None) -> Standing:
        if self.notice is None:
            return "open"
        if self.decision is not None:
            last = self.decision.day("appeal_by")
            ran_out = self.appeal is None and last is not None and through is not None and through >= last
            if self.on_appeal is not None or self.outcome != "confirmed" or ran_out:
                return "final"
            return "appealed" if self.appeal is not None else "decided"
        if self.reply is None:
            return "notified"
        return "waived" if self.reply.data.get("waived") else "replied"


def _untouched(one: _Rounds | Heard) -> bool:
    """Whether nobody was notified, or nothing has followed the notice."""
    return one.notice is None or (one.reply is None and one.decision is None)


def _over(one: _Rounds | Heard, day: date) -> bool:
    """Whether nothing can follow on ``day`` but a new notice."""
    if one.decision is None:
        return False
    last = one.decision.day("appeal_by")
    ran_out = one.appeal is None and last is not None and day > last
    return one.on_appeal is not None or one.outcome != "confirmed" or ran_out


def voided(hearing: Hearing) -> Sequence[Taken]:
    """Steps that change nothing, in the registry's order."""
    return sorted((one for part in hearing.parts for one in part.taken if one.void), key=lambda one: one.step.offset)
