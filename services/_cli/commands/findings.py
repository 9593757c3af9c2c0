"""Findings on the command line: the list, by order of raising or gravity, and one whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import orjson
import typer

from schemas.events import CATALOGUE
from services._cli.errors import USAGE, CliError
from services._cli.looking import all_findings, one_finding
from services._cli.session import rulebooks_folder, session_of
from services._cli.telling import finding_line
from services.audit.domain.consequence import CLEARED
from services.audit.domain.notices import proposes_hearing
from services.audit.effect_text import lines as effect_lines
from services.audit.evidence.words import explanations

_ID = re.compile(r"[0-9a-f-]{8,64}")
_STATES = {
    "open": ("待处理", "open"),
    "hearing": ("听取意见中", "in hearing"),
    "confirmed": ("已认定", "confirmed"),
    "cleared": ("已澄清", "cleared"),
    "retracted": ("已撤回", "retracted"),
}


def findings(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Such as late_entry.")] = None,
    office: Annotated[str | None, typer.Option(help="/departments/<department>/offices/<office>")] = None,
    officer: Annotated[str | None, typer.Option(help="Whose entries they are, by pseudonym; with --gravest.")] = None,
    subject: Annotated[str | None, typer.Option(help="Such as uscc:…; with --gravest.")] = None,
    state: Annotated[str | None, typer.Option(help="open, hearing, confirmed, cleared or retracted; with --gravest.")] = None,
    gravest: Annotated[bool, typer.Option("--gravest", help="Those with most days of a wrong grade first, with the days.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Each finding whole, one a line.")] = False,
) -> None:
    """What audit found about entries and about the running of the system. Findings are findings until they are decided."""
    session = session_of(context)
    only = {"officer": officer, "subject": subject, "state": state}
    if not gravest and any(only.values()):
        raise CliError("--officer, --subject and --state go with --gravest", USAGE)
    if state is not None and state not in _STATES:
        raise CliError(f"--state is {state!r}; it is one of {', '.join(_STATES)}", USAGE)
    found = all_findings(session, gravest=gravest, kind=kind, office=office, **only)
    for one in found:
        if as_json:
            session.voice.say(orjson.dumps(one).decode())
        else:
            days = _days(one, session.voice.lang) if gravest else ""
            session.voice.say(f"{one['event']['id']}  {days}{finding_line(one, session.voice.lang)}")
    if not as_json:
        session.voice.mention(
            session.voice.pick(
                f"共 {len(found)} 条；`mingjian finding 编号` 看一条", f"{len(found)} findings; `mingjian finding ID` shows one"
            )
        )


def finding(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id of a finding, as `mingjian findings` and the console show it.")],
    as_json: Annotated[bool, typer.Option("--json", help="The finding, its effects and its state as one object.")] = False,
) -> None:
    """One finding: what, whose entry, what it did, what it rests on, and where it stands."""
    session = session_of(context)
    if not _ID.fullmatch(id):
        raise CliError(f"{id!r} is no id of a finding; `mingjian findings` shows them", USAGE)
    found = one_finding(session, id)
    if as_json:
        session.voice.say(orjson.dumps(found).decode())
        return
    for line in _told(found, session.voice.lang):
        session.voice.say(line)


def _days(one: Mapping[str, Any], language: str) -> str:
    if one["most"] is None:
        counted = "–"
    else:
        counted = str(one["most"]) if one["least"] == one["most"] else f"{one['least']}–{one['most']}"
    return f"{counted:>9} {'日' if language == 'zh' else 'days'}  "


def _told(found: Mapping[str, Any], language: str) -> Iterator[str]:
    data, to = found["event"]["data"], 0 if language == "zh" else 1
    if found["state"] == "cleared":
        yield CLEARED[to]
    yield finding_line(found, language)
    yield f"{('状态', 'state')[to]}: {_STATES[found['state']][to]}"
    for officer in data.get("concerns") or ():
        yield f"{('人员（代号）', 'officer (pseudonym)')[to]}: {officer}"
    if data.get("clause"):
        yield f"{('依据', 'clause')[to]}: {' '.join([data['clause'], *data.get('readings', ())])}"
    # Loaded here: no other command needs the detectors, and each would wait for them.
    from schemas.rulebook import load_all_editions
    from services.audit.domain.detectors.all import every

    declared = {one.declared.kind: one.declared for one in every(load_all_editions(rulebooks_folder()))}
    for said, holds in explanations(data, declared.get(data["kind"])):
        supported = ("，记录支持", ", the records speak for it")[to] if holds else ""
        yield f"{('可能的解释', 'innocent explanation')[to]}: {said[to]}{supported}"
    for one in data.get("evidence") or [data.get("event") or data["cause"]]:
        yield f"{('证据', 'evidence')[to]}: {one['topic']} {one['partition']}:{one['offset']} {one['id']}"
    for effect, consequence in zip(found["effects"], found["consequences"], strict=True):
        yield ""
        row = CATALOGUE.get(data.get("event_type") or "")
        entry = (row.zh, row.en)[to] if row else data["kind"]
        yield from effect_lines(effect["data"], entry, consequence, cleared=found["state"] == "cleared", language=language)
    if found["state"] == "open" and proposes_hearing(data):
        yield ""
        yield f"{('开始听取意见', 'to begin the hearing')[to]}: mingjian notice {found['event']['id']}"
