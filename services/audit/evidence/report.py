"""``report.html``: the finding as people read it, Chinese first and English after it, made from the pack's records alone.

It says what was found and when, which time is which, what speaks for those concerned, what became of it, what the pack shows and what it
does not. It blames nobody: a finding is a finding until a hearing decided it. How that stands is what the one fold of hearings says.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
from markupsafe import Markup

from schemas.events import CATALOGUE
from schemas.times import instant, milliseconds
from services.audit.bundles import SAMPLE
from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.consequence import as_it_stands
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import wording
from services.audit.domain.detectors.model import Declared
from services.audit.domain.hearings import REASONS, Hearing
from services.audit.evidence import drawing, people, words
from services.audit.evidence.archive import Broken
from services.audit.evidence.case import Case
from services.audit.evidence.records import Held

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "evidence"
_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class About:
    """What the report is made of. ``hearing``: on the matter, as the one fold of its steps has it; ``counts``: records by file;
    ``rulebooks``: regime, version, digest; ``receipts``: how many there are."""

    case: Case
    hearing: Hearing
    software: str
    point: Checkpoint
    fingerprint: str
    sample: bool
    time_zone: str
    counts: Mapping[str, int]
    registry: Sequence[Held]
    rulebooks: Sequence[tuple[str, str, str]]
    receipts: int
    declared: Mapping[str, Declared]


def page(about: About) -> str:
    """The whole page. Raises ``Broken`` where the records can't be told."""
    try:
        return _page(about)
    except TemplateError as error:
        raise Broken("report.html", f"can't be made of these records: {error}") from None


def _page(about: About) -> str:
    case, zone = about.case, ZoneInfo(about.time_zone)
    data, declared = case.data, about.declared.get(case.data["kind"])
    return _environment.get_template("report.html").render(
        about=about,
        case=case,
        data=data,
        late=data.get("late"),
        kind=words.kind(data["kind"], declared),
        rows=drawing.ROWS,
        what=drawing.what_words,
        explanations=words.explanations(data, declared),
        clears=words.clears(data["kind"], declared),
        excuses=words.EXCUSES,
        outcomes=words.OUTCOMES,
        consequences=words.CONSEQUENCES,
        supposing=words.SUPPOSING,
        steps=words.STEPS,
        standings=words.STANDINGS,
        intents=words.INTENTS,
        reasons=REASONS,
        marks=words.MARKS,
        effects=[_effect(one.event["data"], about) for one in case.effects],
        called=wording.called,
        role_of=wording.role_of,
        worded=wording.said,
        times=_times(case),
        evidence=_evidence(case),
        concerned=_concerned(about),
        hearing=about.hearing.parts,
        cleared=about.hearing.cleared,
        superseded=case.standing.event["id"] != case.finding.event["id"],
        standing=case.standing.event,
        rederives=words.rederives(data),
        type_words=type_words,
        day=_day,
        moment=lambda text, lang: _moment(text, lang, zone),
        zone=about.time_zone,
    )


def _effect(data: Mapping[str, Any], about: About) -> dict[str, Any]:
    stands = as_it_stands(data["consequence"], about.hearing.word)
    return {"data": data, "picture": Markup(drawing.paths(data)), "stands": stands, "whole": data["affected"] != data["subject_of"]}


def readme(about: About) -> str:
    """``README.txt``: what the pack is and how it is checked with other tools."""
    return string.Template((_TEMPLATES / "README.txt").read_text(encoding="utf-8")).substitute(
        finding=about.case.finding.event["id"],
        matter=about.case.matter,
        origin=about.point.origin,
        size=about.point.size,
        root=about.point.root.hex(),
        genesis=about.fingerprint,
        software=about.software,
        sample=f"\n{SAMPLE}\n" if about.sample else "",
    )


def type_words(name: str | None, lang: str) -> str:
    """An event type as people call it."""
    row = CATALOGUE.get(name or "")
    return (row.zh if lang == "zh" else row.en) if row is not None else (name or "")


def _day(text: str | None, lang: str) -> str:
    if text is None:
        return "–"
    return zh_day(text) if lang == "zh" else en_day(text)


def _moment(text: str | None, lang: str, zone: ZoneInfo) -> str:
    if text is None:
        return "–"
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{_day(local.date().isoformat(), lang)} {local:%H:%M:%S}"


def _times(case: Case) -> list[dict[str, Any]]:
    """Every time of the entry in question: what it is, whose clock or whose word it is, and its value as day or instant."""
    entry = case.entry
    if entry is None or entry.one is None:
        return []
    data = entry.event["data"]
    rows: list[tuple[str, str | None, bool]] = [
        ("occurred_on", data.get("occurred_on"), True),
        ("ended_at", data.get("ended_at"), False),
        ("result_on", data.get("result_on"), True),
        ("served_on", (data.get("service") or {}).get("served_on") or data.get("served_on"), True),
        ("signed", entry.event.get("time"), False),
        ("received_at", entry.one.entry.get("received_at"), False),
        ("record", instant(entry.record.timestamp), False),
        ("known_from", next((one["known_from"] for one in case.data.get("evidence") or () if one["id"] == entry.event["id"]), None), False),
    ]
    return [{"name": words.TIMES[name], "value": value, "is_day": is_day} for name, value, is_day in rows if _is_time(value, is_day)]


def _is_time(value: Any, is_day: bool) -> bool:
    """Whether it can be shown as one: what went past intake may be anything."""
    try:
        (date.fromisoformat if is_day else milliseconds)(value)
    except (TypeError, ValueError):
        return False
    return True


def _evidence(case: Case) -> list[dict[str, Any]]:
    """The records that the finding names, each with its leaf; the entry in question first."""
    rows = []
    said = case.data.get("evidence") or ()
    roles = [(one["role"], one) for one in said]
    named = {(one["topic"], one["partition"], one["offset"]) for one in said}
    for role in ("event", "cause"):
        one = case.data.get(role)
        if one and (one["topic"], one["partition"], one["offset"]) not in named:
            roles.append((role, one))
    for role, one in roles:
        found = case.named.get((one["topic"], one["partition"], one["offset"]))
        row = {"role": role, "topic": one["topic"], "partition": one["partition"], "offset": one["offset"], "id": one["id"]}
        kind = str(found.event.get("type", "")) if found else one.get("type", "")
        rows.append(row | {"leaf": found.leaf if found else None, "type": kind})
    return rows


def _concerned(about: About) -> list[dict[str, Any]]:
    """The officers concerned, with what the registry says of them; who signed what the finding names, where they are others."""
    keys = {one["key_id"]: one["holder"] for one in people.keys(about.registry)}
    signers = [keys.get(one, one) for one in sorted(about.case.wanted.signers)]
    wanted = dict.fromkeys([*(about.case.data.get("concerns") or ()), *signers])
    said = {one["officer"]: one["said"] for one in people.officers(about.registry)}
    return [{"officer": one, "said": [_word(row) for row in said.get(one, [])]} for one in sorted(wanted)]


def _word(row: Mapping[str, Any]) -> dict[str, Any]:
    said = row["said"]
    about = [str(said[name]) for name in ("role", "office") if name in said]
    return {"offset": row["offset"], "type": row["what"], "on": said.get("occurred_on"), "about": " · ".join(about)}
