"""``mingjian hearing``: how the hearing on a finding stands, what is due by when, and which steps count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.audit.cli_options import fail, language_of
from services.audit.cli_supervision import FAILED, NOT_READ, source
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.found import Findings, Matter
from services.audit.domain.hearing_terms import Due, TooShort, dues, rule_for, too_short
from services.audit.domain.hearings import REASONS, Heard, Hearing, Taken
from services.audit.domain.registry import hearings_of
from services.audit.supervision import making, words

NO_SUCH_THING = 6
_KINDS = {
    "notified": ("告知", "notified"),
    "replied": ("答复", "replied"),
    "decided": ("决定", "decided"),
    "appealed": ("申诉", "appealed"),
}
_DUES = {
    "reply": ("答复", "reply"),
    "decision": ("作出决定", "decision"),
    "appeal": ("申诉", "appeal"),
    "appeal_decision": ("对申诉作出决定", "decision on the appeal"),
}
_STATES = {
    "done": ("已完成", "done"),
    "done_late": ("逾期完成", "done after the term"),
    "running": ("期限内", "running"),
    "ran_out": ("期满", "ran out"),
    "overdue": ("逾期未办", "overdue"),
}
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command("hearing")
def hearing(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="MATTER_OR_FINDING", help="The id of a matter, or of one of its findings.")],
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="DIR", help="A bundle of `mingjian export` in place of Kafka.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Kafka's address; default the embedded broker.")] = None,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks with their editions; default the shipped ones.")
    ] = None,
    entries: Annotated[
        bool, typer.Option("--entries", help="Also look up who entered the entries named, in all facts: none of them may have decided.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the hearing on a finding: steps, standing, outcome, terms. `mingjian notice` writes the one that begins it, the others are made
    with `mingjian event new finding.replied` and so on; each is signed with `mingjian sign` and entered with `mingjian send`."""
    chinese = language_of(context) == "zh"
    try:
        records = source(bundle, kafka, rulebooks)
        known = making.register(records)
        found = making.findings(records, known.registry.time_zone)
        hearings = hearings_of(known.registry, making.people(records, known) if entries else None)
    except NOT_READ as error:
        fail(f"the hearing can't be shown: {error}", FAILED)
    matter = _matter(name, hearings, found)
    if matter is None:
        fail(f"there is no matter and no finding {name}; `mingjian findings` lists them", NO_SUCH_THING)
    one, about = hearings.get(matter, Hearing(matter, ())), found.matters.get(matter)
    rule = rule_for(known.hearing_rules(), about.regime if about else None)
    parts = [
        (part, dues(part, rule, known.calendar, known.through) if rule else (), too_short(part, rule, known.calendar) if rule else ())
        for part in one.parts
    ]
    if as_json:
        typer.echo(json.dumps(_json(one, about, parts), ensure_ascii=False, indent=1, default=str))
        return
    for line in _lines(one, about, parts, 0 if chinese else 1):
        typer.echo(line)


def _matter(name: str, hearings: Mapping[str, Hearing], found: Findings) -> str | None:
    """The matter that this is the name of, or of a finding of which."""
    if name in hearings:
        return name
    if (about := found.matter_of(name)) is not None:
        return about.matter
    return next((one.matter for one in hearings.values() if name in one.findings), None)


_Part = tuple[Heard, tuple[Due, ...], tuple[TooShort, ...]]


def _json(one: Hearing, about: Matter | None, parts: list[_Part]) -> dict[str, Any]:
    return {
        "matter": one.matter,
        "finding": about.findings[-1] if about else next(iter(sorted(one.findings)), None),
        "kind": about.kind if about else None,
        "office": about.office if about else None,
        "standing": one.standing,
        "outcome": one.outcome,
        "cleared": one.cleared,
        "heard": [
            {
                "subject": part.subject,
                "standing": part.standing,
                "outcome": part.outcome,
                "steps": [_step(taken) for taken in part.taken],
                "due": [asdict(due) for due in due_parts],
                "faults": [asdict(short) for short in short_parts],
            }
            for part, due_parts, short_parts in parts
        ],
    }


def _step(taken: Taken) -> dict[str, Any]:
    step = taken.step
    fields = {name: getattr(step, name) for name in ("id", "kind", "source", "signer", "occurred_on", "received_on", "offset")}
    why = REASONS[taken.void] if taken.void else None
    return fields | {"round": taken.round, "void": taken.void, "why_zh": why and why[0], "why_en": why and why[1], "data": step.data}


def _lines(one: Hearing, about: Matter | None, parts: list[_Part], to: int) -> Iterator[str]:
    """The text. ``to``: 0 Chinese, 1 English."""
    comma, colon = ("；", "; ")[to], ("：", ": ")[to]
    day = zh_day if to == 0 else en_day
    yield f"{('事项', 'matter')[to]} {one.matter}"
    if about is not None:
        yield f"{words.kind(about.kind)[to]} · {about.office or '–'} · {day(about.raised_on)}"
        if not one.cleared:
            yield about.detail[to]
    if not parts:
        yield (
            "还没有告知，听取意见未开始；`mingjian notice` 写出告知。",
            "Nobody was notified: no hearing has begun. `mingjian notice` writes the notice.",
        )[to]
    for part, due_parts, short_parts in parts:
        outcome = f"{comma}{words.OUTCOMES[part.outcome][to]}" if part.outcome else ""
        yield ""
        yield f"{part.subject}{colon}{words.STANDINGS[part.standing][to]}{outcome}"
        for taken in part.taken:
            said = f"{taken.step.data['outcome']}, " if taken.step.kind == "decided" else ""
            void = f" — {('不生效', 'void')[to]}{colon}{REASONS[taken.void][to]}" if taken.void else ""
            yield f"  {day(taken.step.occurred_on)}  {_KINDS[taken.step.kind][to]}  ({said}{taken.step.signer}, {taken.step.id}){void}"
        for due in due_parts:
            terms = ("至", "by")[to], day(due.by), f"{due.working_days} {('个工作日', 'working days')[to]}", _STATES[due.state][to]
            marks = ", ".join(
                word
                for holds, word in (
                    (due.set_by == "operator", ("由运行单位设定", "set by the operator")[to]),
                    (due.provisional, ("日历未发布，暂定", "provisional: calendar not issued")[to]),
                )
                if holds
            )
            yield f"  {_DUES[due.what][to]}{colon}{terms[0]} {terms[1]}, {terms[2]}, {terms[3]}{f' ({marks})' if marks else ''}"
        for short in short_parts:
            yield f"  ! {(short.zh, short.en)[to]}"
