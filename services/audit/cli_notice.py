"""``mingjian notice``: the event that begins a hearing, filled in from its finding; what a person decides is left open."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from services.audit.cli_options import fail, language_of
from services.audit.cli_supervision import FAILED, NOT_READ, USAGE, source
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.found import Matter
from services.audit.domain.hearing_terms import reply_term, rule_for
from services.audit.domain.hearings import Heard
from services.audit.domain.notices import (
    METHODS,
    Decided,
    NoNotice,
    Notice,
    check_may_begin,
    day_of_notice,
    notice,
    proposes_hearing,
    subject_of,
    text,
)
from services.audit.domain.registry import hearings_of
from services.audit.evidence.archive import MAX_BYTES, Broken, unpack
from services.audit.evidence.contents import FINDING
from services.audit.supervision import making, words
from services.audit.supervision.reading import Records
from services.audit.wiring import today

NO_SUCH_THING = 6
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@dataclass(frozen=True)
class _Standing:
    """What the records say: the matter, the finding of it that stands, the register, and the day that it is there."""

    known: making.Register
    matter: Matter
    finding: Mapping[str, Any]
    today: date


@app.command("notice")
def write_notice(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FINDING", help="The finding's id, or its matter's; `mingjian findings` lists them.")],
    officer: Annotated[
        str | None, typer.Option(help="Who is heard, where the finding concerns several; each has a notice of their own.")
    ] = None,
    office: Annotated[bool, typer.Option("--office", help="Hear the finding's office, though it concerns officers.")] = False,
    served_on: Annotated[str | None, typer.Option(metavar="DAY", help="Day of service, from which the term runs; default today.")] = None,
    document_no: Annotated[str | None, typer.Option(metavar="NO", help="The document's number; else it stays open.")] = None,
    method: Annotated[str | None, typer.Option(help=f"How it is served: {', '.join(METHODS)}; else it stays open.")] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="FILE.zip", help="The pack of `mingjian evidence` that goes with it: its SHA-256 is filled in.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to write it; it must not be there. Default: print it.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="DIR", help="A bundle of `mingjian export` in place of Kafka.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Kafka's address; default the embedded broker.")] = None,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks with their editions; default the shipped ones.")
    ] = None,
) -> None:
    """Write the notice that begins the hearing on a finding: an event for `mingjian sign` and `mingjian send`. Matter, entries, clause, who
    is heard and the earliest last day to reply are filled in; the document's number and how it was served stay open unless they are given.
    Nothing is entered."""
    to_language = 0 if language_of(context) == "zh" else 1
    _check_use(officer, office, method, to)
    day = _day(served_on)
    try:
        stand = _read(source(bundle, kafka, rulebooks), name)
        if stand is None:
            fail(f"there is no finding and no matter {name}; `mingjian findings` lists them", NO_SUCH_THING)
        subject = subject_of(stand.finding["data"], stand.known.registry.people, officer, office=office)
        part = _part(stand, subject)
        check_may_begin(stand.matter.matter, subject, part, stand.today, retracted=stand.matter.retracted)
        rule = rule_for(stand.known.hearing_rules(), stand.matter.regime)
        served = day or stand.today
        decided = Decided(served, document_no, method, _pack(evidence, stand.matter) if evidence else None)
        term = reply_term(rule, served, stand.known.calendar) if rule else None
        made = notice(stand.finding, stand.matter.matter, subject, term, decided)
    except NOT_READ as error:
        fail(f"no notice was written: {error}", FAILED)
    except NoNotice as refused:
        fail(f"no notice was written: {(refused.zh, refused.en)[to_language]}", USAGE)
    _put(text(made, _about(stand)), to)
    for line in _told(stand, made, part, name, to):
        typer.echo(line[to_language], err=True)


def _check_use(officer: str | None, office: bool, method: str | None, to: Path | None) -> None:
    if officer and office:
        fail("--officer and --office name two who are heard; each has a notice of their own: leave one out", USAGE)
    if method is not None and method not in METHODS:
        fail(f"--method is {method!r}; it is one of {', '.join(METHODS)}", USAGE)
    if to is not None and (to.exists() or to.is_symlink()):
        fail(f"{to} is there already; name another file with --to", USAGE)


def _day(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        fail(f"--served-on is {given!r}; a date such as 2026-01-15 is expected", USAGE)


def _read(records: Records, name: str) -> _Standing | None:
    """None where there is no such finding. Raises what the source raises."""
    known = making.register(records)
    zone = known.registry.time_zone
    matter = making.findings(records, zone).matter_of(name)
    finding = making.finding(records, matter.findings[-1]) if matter else None
    if matter is None or finding is None:
        return None
    return _Standing(known, matter, finding, day_of_notice(today(zone), known.through))


def _part(stand: _Standing, subject: str) -> Heard | None:
    hearing = hearings_of(stand.known.registry, matters={stand.matter.matter}).get(stand.matter.matter)
    return next((one for one in hearing.parts if one.subject == subject), None) if hearing else None


def _pack(path: Path, matter: Matter) -> str:
    """The SHA-256 of a pack about the matter. Raises ``OSError``, ``NoNotice`` for any other file."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        about = json.loads(unpack(data)[FINDING])["event"]["id"]
    except (Broken, KeyError, TypeError, ValueError) as error:
        raise NoNotice(
            f"{path} 不是证据包（{error}）；`mingjian evidence` 制作",
            f"{path} is no evidence pack ({error}); `mingjian evidence` makes one",
        ) from None
    if about not in matter.findings:
        raise NoNotice(f"{path} 是另一发现 {about} 的证据包", f"{path} is the pack of another finding, {about}")
    return hashlib.sha256(data).hexdigest()


def _put(made: str, to: Path | None) -> None:
    """Print it, or write a new file for its owner alone: it names officers."""
    if to is None:
        typer.echo(made, nl=False)
        return
    try:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(made)
    except OSError as error:
        fail(f"{to} can't be written: {error.strerror}; name another file with --to", FAILED)


def _about(stand: _Standing) -> Iterator[str]:
    zh, en = words.kind(stand.matter.kind)
    yield f"{zh} · {en} · {stand.finding['id']}"
    yield from stand.matter.detail


def _told(stand: _Standing, made: Notice, part: Heard | None, name: str, to: Path | None) -> Iterator[tuple[str, str]]:
    """What to know of it, in both languages, and what comes next."""
    subject, file = made.event["subject"], str(to) if to else "FILE"
    served = date.fromisoformat(made.event["data"]["service"]["served_on"])
    yield f"{file}：告知 {subject}，事项 {stand.matter.matter}", f"{file}: notice to {subject} on the matter {stand.matter.matter}"
    yield made.basis
    if name in stand.matter.findings[:-1]:
        yield (
            f"该事项后来重新计算过，按现行发现 {stand.finding['id']} 填写",
            f"the matter was worked out again since: filled in from the finding that stands, {stand.finding['id']}",
        )
    if not proposes_hearing(stand.finding["data"]):
        yield "注意：这一发现本身并不建议听取意见，应先核查", "note: the finding itself does not propose a hearing; look into it first"
    if part is not None and part.notice is not None:
        before = part.notice.occurred_on
        yield (
            f"注意：{zh_day(before)}已有告知（{words.STANDINGS[part.standing][0]}），此告知重新开始听取意见",
            f"note: there is a notice of {en_day(before)} ({words.STANDINGS[part.standing][1]}); this one begins the hearing anew",
        )
    if served > stand.today:
        yield f"送达日尚未到来：{zh_day(served)}起方可提交", f"the day of service is to come: it can be sent from {en_day(served)} on"
    if made.open:
        left = ", ".join(f"data.{one}" for one in made.open)
        yield f"尚待填写：{left}", f"still to be filled in: {left}"
    yield (
        f"然后：mingjian sign {file} --officer 审计员 | mingjian send",
        f"then: mingjian sign {file} --officer AUDITOR | mingjian send",
    )
