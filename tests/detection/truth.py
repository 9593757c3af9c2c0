"""Findings held against what was sown: which are about a planted matter, which accuse a look-alike, which are about nothing sown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

By = Literal["entries", "subject", "number", "officer", "office"]


@dataclass(frozen=True)
class Answer:
    """The detector that a kind is for, and by what its findings and matters are about the same."""

    detector: str
    by: By = "entries"
    exact: bool = True


@dataclass
class Tally:
    """Counts of one kind, over towns. ``true``, ``false``: findings about something planted, and not. ``explained``: of the look-alikes
    accused those where the finding says itself that the records speak for an innocent explanation."""

    planted: int = 0
    found: int = 0
    true: int = 0
    false: int = 0
    lookalikes: int = 0
    accused: int = 0
    explained: int = 0
    scans: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


@dataclass(frozen=True)
class Wrong:
    """A planted matter that was missed, or a finding about nothing planted, for whoever mends generator or detector."""

    kind: str
    what: Literal["missed", "accused", "stray"]
    why: str
    about: Mapping[str, Any]


def standing(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of each matter the last finding, without those that were retracted."""
    last = {one["matter"]: one for one in findings}
    return [one for one in last.values() if not one.get("retracted")]


def tally(
    kind: str, answer: Answer, matters: Sequence[Mapping[str, Any]], findings: Sequence[Mapping[str, Any]]
) -> tuple[Tally, list[Wrong]]:
    """``findings``: data of those that stand, of all detectors. ``matters``: the lines of the truth; ``planted`` None: by chance, and
    counted neither way."""
    found = [one for one in findings if one["kind"] == answer.detector]
    own = [one for one in matters if one["kind"] == kind]
    # What a falsehood of another kind brings along is no false alarm, where the truth says so.
    true = [one for one in matters if one["planted"] is not False and (one["kind"] == kind or kind in one.get("also", ()))]
    counts, wrong = Tally(), []
    for matter in own:
        hits = [one for one in found if about(answer.by, matter, one)]
        if matter["planted"]:
            counts.planted += 1
            counts.found += bool(hits)
            wrong += [] if hits else [Wrong(kind, "missed", matter["why"], matter)]
        elif matter["planted"] is False:
            counts.lookalikes += 1
            hits = [one for one in hits if not any(about(answer.by, other, one) for other in true)]
            counts.accused += bool(hits)
            counts.explained += bool(hits) and all(any(word["supported"] for word in one.get("explanations", ())) for one in hits)
            wrong += [Wrong(kind, "accused", matter["why"], hits[0])] if hits else []
    named = [one for one in own if one["planted"] is False]
    for one in found:
        if any(about(answer.by, matter, one) for matter in true):
            counts.true += 1
        else:
            counts.false += 1
            if not any(about(answer.by, matter, one) for matter in named):
                wrong.append(Wrong(kind, "stray", one["detail_en"], one))
    return counts, wrong


def about(by: By, matter: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    """Whether a finding is about the matter."""
    if by == "entries":
        named = {one["id"] for one in finding.get("evidence") or ()} | {(finding.get("event") or {}).get("id")}
        return bool(named & {one["id"] for one in matter["entries"]})
    if by == "subject":
        return finding.get("subject_of") in matter["subjects"]
    if by == "number":
        return finding.get("subject_of") in matter["subjects"] and matter["document_no"] in finding["detail_en"]
    if by == "officer":
        concerns = set(finding.get("concerns") or ())
        return finding["office"] == matter["office"] and (not concerns or bool(concerns & set(matter["officers"])))
    return finding["office"] == matter["office"] and _same_days(matter, finding)


def _same_days(matter: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    """Whether a day that the finding names lies within the matter's."""
    first, last = matter.get("first"), matter.get("last")
    if first is None or last is None:
        return True
    days = [one["value"] for one in finding.get("values") or () if len(one["value"]) == 10 and one["value"][4] == "-"]
    return any(first <= day <= last for day in days) if days else True


def of_kinds(lines: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, bool]]:
    """How many of each kind were sown, planted or not."""
    return Counter((one["kind"], one["planted"]) for one in lines)
