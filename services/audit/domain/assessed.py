"""The answer about one matter → ``mingjian.finding.assessed.v1``: no clock, the same bytes on every run.

Its cause is the newest record that it rests on, of the subject, a control, what led another part of a whole to its word, or the step by
which a hearing turned it; while paths still differ, the close of the last day. The id follows from matter, affected, regime, cause, answer
and that step: what a hearing sets aside may leave the very answer that stood before. ``digest_of`` is the same wherever and whenever the
same answer is given, by whatever software; an answer is put on record where its digest is another than that of the one on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.canonical import canonical_bytes
from schemas.envelope import derived_bytes, derived_event
from schemas.ids import derived_id
from schemas.topics import FACTS, REGISTRY
from services.audit.domain.assessing import Assessed, operation_days, outage_days, stayed_days
from services.audit.domain.consequence import CLEARED, OF_WHOLE, Counted, Proposed, Weighed, consequence
from services.audit.domain.findings import moment
from services.audit.domain.hearings import SILENT, Step, Word
from services.audit.domain.joint import Joint, Together
from services.audit.domain.matters import Matter
from services.audit.domain.replay import NOTHING, Fact
from services.audit.domain.shown import Piece, displayed
from services.audit.domain.supposing import place
from services.audit.domain.worlds import World
from services.audit.domain.wrong_days import editions, evaluations_changed, wrong_days

TYPE = "mingjian.finding.assessed.v1"
KIND = "finding.assessed"
# The contract's sizes (schemas.events.findings).
MOST_DAYS, MOST_EVALUATIONS, MOST_WRONG, MOST_JOINT, MOST_RULEBOOKS, MOST_WITHOUT = 60, 20, 60, 10, 10, 50
_NOT_RATED = "not_rated"
# Of the answer: when it was asked, and by which software, make no other one of it.
_BESIDE = ("cut", "cause", "software")


@dataclass(frozen=True, slots=True)
class Answer:
    """An assessment's event. ``digest``: of the answer, lower-case hex SHA-256."""

    id: str
    digest: str
    event: Mapping[str, Any]
    value: bytes

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event["data"]  # type: ignore[no-any-return]


def answer(found: Assessed, joint: Joint, *, software: str, words: Mapping[str, Word] | None = None) -> Answer:
    """``joint``: of the same scene; ``words``: what hearings say, by matter. Raises what the fold raises."""
    said = words or {}
    step = _turned(joint.of_matter(found.matter), found.matter, said)
    cause, stamp = _because(found)
    if step is not None and step.received >= stamp:
        cause, stamp = {"topic": REGISTRY, "partition": 0, "offset": step.offset, "id": step.id}, step.received
    data = _data(found, joint, software, said) | {"cause": cause}
    digest, matter = digest_of(data), found.matter
    kind = f"{KIND} {matter.id} {matter.supposing} {digest[:32]}" + (f" {step.id}" if step else "")
    id = derived_id(cause=data["cause"]["id"], kind=kind, subject=data["affected"], regime=matter.regime)
    event = derived_event(id=id, service="audit", type=TYPE, subject=f"office:{matter.office}", time=moment(stamp), data=data)
    return Answer(id, digest, event, derived_bytes(event))


def digest_of(data: Mapping[str, Any]) -> str:
    """Of what an assessment's data say, but for when it was asked and by which software. Lower-case hex SHA-256."""
    return hashlib.sha256(canonical_bytes({name: value for name, value in data.items() if name not in _BESIDE})).hexdigest()


def _turned(sets: Sequence[Together], matter: Matter, words: Mapping[str, Word]) -> Step | None:
    """The newest step by which a hearing turned what follows: the matter's own, or one on a matter that it moved grades with."""
    concerned = {matter.id, *(id for one in sets for id in one.matters)}
    steps = [word.turned for id in concerned if (word := words.get(id)) is not None and word.turned is not None]
    return max(steps, key=lambda one: one.offset, default=None)


def _data(found: Assessed, joint: Joint, software: str, words: Mapping[str, Word]) -> dict[str, Any]:
    scene, matter, days = found.scene, found.matter, found.differing
    sets, worlds = joint.of_matter(matter), _worlds(found)
    supposed = [_supposed(found, name, world) for name, world in worlds.items()]
    evaluations, wrong, without = evaluations_changed(found), wrong_days(found), [one.id for one in found.dropped]
    proposed = _proposed(found, joint, sets, {one["approvals"]: one for one in supposed}, words)
    shown = _path(found, found.shown)
    long = ((shown, MOST_DAYS), (evaluations, MOST_EVALUATIONS), (wrong, MOST_WRONG), (sets, MOST_JOINT), (without, MOST_WITHOUT))
    return {
        "finding": matter.finding,
        "matter": matter.id,
        "kind": matter.kind,
        "subject_of": scene.life.subject,
        "affected": scene.affected,
        "regime": matter.regime,
        "event": {"topic": matter.entry.topic, "partition": matter.entry.partition, "offset": matter.entry.offset, "id": matter.entry.id},
        "supposing": matter.supposing,
        "from_day": found.first.isoformat(),
        "to_day": found.to.isoformat(),
        "shown": shown[:MOST_DAYS],
        "supposed": [one | {"path": one["path"][:MOST_DAYS]} for one in supposed],
        **({"without": without[:MOST_WITHOUT]} if without else {}),
        "cut_short": any(len(many) > most for many, most in long) or any(len(one["path"]) > MOST_DAYS for one in supposed),
        "least": days.least,
        "most": days.most,
        "stands_least": days.stands_least,
        "stands_most": days.stands_most,
        "bounds": "exact" if days.exact else "outer",
        "operation_days": len(operation_days(found)),
        "outage_days": len(outage_days(found)),
        "stayed_days": len(stayed_days(found)),
        "evaluations": [_row(one) for one in evaluations[:MOST_EVALUATIONS]],
        "wrong": [_row(one) for one in wrong[:MOST_WRONG]],
        "joint": [{"matters": list(one.matters), "least": one.least, "most": one.most} for one in sets[:MOST_JOINT]],
        "joint_complete": joint.complete,
        "marks": _marks(found, sets),
        "consequence": _consequence(proposed),
        "rulebooks": [
            {"regime": regime, "version": version, "sha256": sha256} for regime, version, sha256 in editions(found)[-MOST_RULEBOOKS:]
        ],
        "software": software,
        "cut": {"topic": FACTS, "partition": scene.life.partition, "offset": scene.cut.offset, "id": scene.cut.id},
    }


def _worlds(found: Assessed) -> dict[str, World | None]:
    """By what is supposed of approvals."""
    worlds = found.worlds
    if worlds is None or len(worlds.all) == 1:
        return {"no_approval": worlds.unsaid if worlds else None}
    return {"soonest": worlds.soonest(), "as_long": worlds.as_long(found.scene.until(found.matter)), "never": worlds.unsaid}


def _supposed(found: Assessed, approvals: str, world: World | None) -> dict[str, Any]:
    if world is None or found.worlds is None:
        return {"approvals": approvals, "path": _path(found, found.shown), "days": 0, "stands": 0}
    wrong, stands = found.worlds.wrong(world), found.worlds.stands(world)
    return {"approvals": approvals, "path": _path(found, world.found), "days": len(wrong), "stands": len(stands)}


def _path(found: Assessed, path: Sequence[Piece]) -> list[dict[str, Any]]:
    """The window's stretches; the last goes on where paths still differ at the cut."""
    some = [one.between(found.first, found.to) for one in path if one.last >= found.first and one.first <= found.to]
    rows = []
    for one in displayed(some, found.scene.stays, found.scene.life.zone):
        grade, status = one.pair
        open_ended = found.ongoing and one.last == found.to
        rows.append(
            {
                "first": one.first.isoformat(),
                "last": None if open_ended else one.last.isoformat(),
                "grade": grade,
                "status": (status or _NOT_RATED) if one.pair != NOTHING else _NOT_RATED,
                "displayed": one.displayed,
            }
        )
    return rows


def _proposed(
    found: Assessed, joint: Joint, sets: Sequence[Together], supposed: Mapping[str, Mapping[str, Any]], words: Mapping[str, Word]
) -> Proposed:
    days, matter = found.differing, found.matter
    if found.scene.affected != found.scene.life.subject:
        return Proposed("none", None, 0, (), *(CLEARED if words.get(matter.id, SILENT).cleared else OF_WHOLE))
    plain = supposed.get("as_long") or supposed["no_approval"]
    offices = {one.id: one.office for one in joint.scene.matters}
    # What was cleared counts against nobody, so neither does what another did only together with it.
    together = [one for one in sets if len(one.matters) > 1 and not any(words.get(id, SILENT).cleared for id in one.matters)]
    own = [one for one in together if {offices[id] for id in one.matters} == {matter.office}]

    def counted(shown: int, standing: int, name: str) -> Counted:
        days = [len(frozenset().union(*(getattr(one, name) for one in some))) for some in (own, together)]
        return Counted(shown, standing, *days)

    weighed = Weighed(
        certain=counted(days.least, days.stands_least, "certain"),
        as_long=counted(plain["days"], plain["stands"], "as_long"),
        possible=counted(days.most, days.stands_most, "possible"),
        determined=matter.kind in DETERMINED,
        word=words.get(matter.id, SILENT),
    )
    return consequence(found.scene.life.book.rulebook, matter.deadline or found.first, weighed)


DETERMINED = frozenset(("late_entry", "entry_untrue"))
"""Kinds that say what is so; any other is a sign."""


def _consequence(found: Proposed) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": found.kind, "clause": found.clause, "days": found.days, "readings": list(found.readings)}
    return row | {"why_zh": found.zh, "why_en": found.en}


def _marks(found: Assessed, sets: Iterable[Together]) -> list[str]:
    days = found.differing
    marks = [*found.matter.marks]
    marks += ["ongoing"] if found.ongoing else []
    marks += ["undone_since"] if days.most and not days.stands_most else []
    marks += ["joint"] if any(len(one.matters) > 1 for one in sets) else []
    marks += ["truth_unknown"] if found.move is None and found.matter.supposing == "true" else []
    return marks


def _row(one: Any) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value := getattr(one, name), date) else value for name in one.__dataclass_fields__}


def _because(found: Assessed) -> tuple[dict[str, Any], int]:
    """The newest record that the answer rests on, and its time (epoch ms, 0 where there is none): of the subject, a control, or what led
    another part of the whole to its last word."""
    life, cut, newest = found.scene.life, found.scene.cut, _cause(found)
    word = found.scene.whole.newest() if found.scene.whole else None
    if word is not None and (newest is None or word.cause.known > newest.known):
        return {"topic": FACTS, "partition": word.cause.partition, "offset": word.cause.offset, "id": word.cause.id}, word.cause.stamp
    if newest is None:
        return {"topic": FACTS, "partition": life.partition, "offset": cut.offset, "id": cut.id}, 0
    return {"topic": FACTS, "partition": life.partition, "offset": place(newest.offset), "id": newest.id}, newest.stamp


def _cause(found: Assessed) -> Fact | None:
    """Of the subject or a control; None where it rests on none."""
    life, matter = found.scene.life, found.matter
    # While paths differ the last day's close counts as well; adoptions, notices and calendars change no path.
    names = ("rulebook.activated", "evaluation.closed", *(("day.closed",) if found.ongoing else ()))
    controls = (one for one in life.controls.facts if one.name in names and one.data.get("regime", matter.regime) == matter.regime)
    return max((*life.facts, *controls, *found.scene.asides), key=lambda one: one.offset, default=None)
