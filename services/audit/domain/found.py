"""What stands on the findings topic, matter by matter: what was found, what it did as far as that was worked out, which scans ran.

Invariants
1. Of a matter's findings the last one stands; one that is retracted ends the matter.
2. Of a matter's assessments the one with the newest cause stands, for each whose grades it is about and each regime; the matter is told
   by the most days of any, for those of a shop and of its chain may be the same days and are not added up, and by the gravest of what
   follows from any. Where there is none it is not assessed, which is not nothing.
3. What became of a matter is the hearing's to say. Cleared is cleared wherever it is shown, and counts nowhere as standing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from schemas.times import civil_date
from services.audit.domain.findings import TYPE as RAISED
from services.audit.domain.hearings import Heard, Hearing, Outcome, Standing
from services.audit.domain.late import KIND as LATE
from services.audit.domain.late import RETRACTED as LATE_RETRACTED

ASSESSED, SCANNED = "mingjian.finding.assessed.v1", "mingjian.scan.ran.v1"
_CONSEQUENCES = ("none", "circulated_criticism", "referral_for_accountability")
Fate = Literal["undecided", "hearing", "confirmed", "cleared", "retracted"]
FATES: tuple[Fate, ...] = ("undecided", "hearing", "confirmed", "cleared", "retracted")


@dataclass(frozen=True, slots=True)
class Assessed:
    """Days with another grade than supposed, at least and at most; evaluations changed; the consequence the rules would have.

    ``told_at``: time of its cause."""

    least: int
    most: int
    stands_least: int
    stands_most: int
    evaluations: int
    consequence: str
    told_at: str

    @property
    def grave(self) -> int:
        """Of what follows: the more, the graver."""
        return _CONSEQUENCES.index(self.consequence) if self.consequence in _CONSEQUENCES else -1


@dataclass(slots=True)
class Matter:
    """``findings``: ids, the last one stands; ``raised_on``: day of the first; ``entry``: office and id of the entry in question."""

    matter: str
    findings: list[str]
    kind: str
    about: str
    raised_on: date
    office: str | None = None
    entry: tuple[str, str] | None = None
    subject_of: str | None = None
    regime: str | None = None
    concerns: tuple[str, ...] = ()
    detail: tuple[str, str] = ("", "")
    retracted: bool = False
    false_alarms: str | None = None
    assessed: Assessed | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A detector's run over a period. ``alpha``: level of the whole scan as text, None: what it finds follows for certain."""

    detector: str
    version: int
    first: date
    through: date
    looked_at: int
    units: int
    hits: int
    alpha: str | None


@dataclass
class Findings:
    """``take`` the events of the topic, each partition in its own order. ``zone``: the stack's."""

    zone: str
    matters: dict[str, Matter] = field(default_factory=dict)
    scans: dict[str, Scan] = field(default_factory=dict)
    unreadable: int = 0
    _of_entry: dict[tuple[str, str], str] = field(default_factory=dict)
    # By matter, and there by affected and regime.
    _assessed: dict[str, dict[tuple[str, str], Assessed]] = field(default_factory=dict)

    def take(self, event: Mapping[str, Any]) -> None:
        """The next event; what can't be read is counted."""
        fold = {RAISED: self._raised, ASSESSED: self._assess, SCANNED: self._scan}.get(event["type"])
        if fold is None:
            return
        try:
            fold(event, event["data"])
        except (KeyError, TypeError, ValueError):
            self.unreadable += 1

    def matter_of(self, name: str) -> Matter | None:
        """The matter that this is the id of, or of one of its findings."""
        return self.matters.get(name) or next((one for one in self.matters.values() if name in one.findings), None)

    def _raised(self, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        name = self._matter(event, data)
        on = civil_date(event["time"], self.zone)
        made = self.matters.get(name) or Matter(name, [], str(data["kind"]), str(data["about"]), on)
        made.findings.append(event["id"])
        if data["kind"] != LATE_RETRACTED:
            made.kind = str(data["kind"])
        made.office, made.subject_of, made.regime = (data.get(one) for one in ("office", "subject_of", "regime"))
        made.entry = (str(made.office), data["event"]["id"]) if data.get("event") and made.office else None
        made.concerns = tuple(data.get("concerns") or ())
        made.detail = (str(data["detail_zh"]), str(data["detail_en"]))
        made.retracted = bool(data.get("retracted")) or data["kind"] == LATE_RETRACTED
        made.false_alarms = (data.get("statistic") or {}).get("false_alarms")
        made.assessed = self._gravest(name)
        self.matters[name] = made

    def _matter(self, event: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        """The matter that it names; of a late entry that names none, the id that its first verdict has."""
        if data.get("matter"):
            return str(data["matter"])
        if data["kind"] in (LATE, LATE_RETRACTED) and data.get("event"):
            return self._of_entry.setdefault((event["subject"], data["event"]["id"]), event["id"])
        return str(event["id"])

    def _assess(self, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        counts = [int(data[one]) for one in ("least", "most", "stands_least", "stands_most")]
        made = Assessed(*counts, len(data["evaluations"]), str(data["consequence"]["kind"]), event["time"])
        answers, about = self._assessed.setdefault(data["matter"], {}), (str(data["affected"]), str(data["regime"]))
        before = answers.get(about)
        if before is None or made.told_at >= before.told_at:
            answers[about] = made
            if (matter := self.matters.get(data["matter"])) is not None:
                matter.assessed = self._gravest(matter.matter)

    def _gravest(self, matter: str) -> Assessed | None:
        answers = list(self._assessed.get(matter, {}).values())
        if not answers:
            return None
        counts = (max(getattr(one, name) for one in answers) for name in ("least", "most", "stands_least", "stands_most", "evaluations"))
        return Assessed(*counts, max(answers, key=lambda one: one.grave).consequence, max(one.told_at for one in answers))

    def _scan(self, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        days = [date.fromisoformat(data[one]) for one in ("first", "through")]
        counts = [int(data[one]) for one in ("looked_at", "units", "hits")]
        self.scans[event["id"]] = Scan(str(data["detector"]), int(data["version"]), *days, *counts, data.get("alpha"))


def fate(matter: Matter, hearing: Hearing | None, officer: str | None = None) -> Fate:
    """What became of a matter; ``officer``: for them, where they were heard themselves. A decision that can still be appealed against,
    or that was, is not final: the hearing goes on."""
    if hearing is not None and hearing.parts:
        own: Hearing | Heard = next((one for one in hearing.parts if one.subject == officer), hearing)
        return _fate(own.standing, own.outcome, retracted=matter.retracted)
    return "retracted" if matter.retracted else "undecided"


def _fate(standing: Standing, outcome: Outcome | None, *, retracted: bool) -> Fate:
    if standing == "final" and outcome == "cleared":
        return "cleared"
    if retracted:
        return "retracted"
    if standing == "final" and outcome == "confirmed":
        return "confirmed"
    return "undecided" if standing in ("open", "final") else "hearing"
