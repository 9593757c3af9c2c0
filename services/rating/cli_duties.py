"""``mingjian duties``: what offices owe by the measures they adopted, read from Kafka by whoever runs the stack. Pages don't show it: a
duty is the office's, and an overdue one no mark against the enterprise.

Exit codes as in the whole command line: 0 done, 1 failed, 2 wrong use, 5 no answer."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas import topics
from services.rating.cli import BASE, USAGE, Kafka, PortBase, TlsDir, default_broker, language_of, stop
from services.rating.owed import Owed, is_late

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
_STATES = {"open": "待履行", "performed": "已履行", "overdue": "逾期", "lapsed": "已终止"}


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command()
def duties(
    context: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="Only about this subject.")] = None,
    office: Annotated[str | None, typer.Option(help="Only this office's: /departments/<department>/offices/<office>.")] = None,
    regime: Annotated[str | None, typer.Option(help="Only this regime's.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    state: Annotated[
        str | None, typer.Option(help="Only in this state: open, performed, overdue or lapsed; default open and overdue.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="In every state.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole events, one a line.")] = False,
    kafka: Kafka = None,
    tls_dir: TlsDir = None,
    port_base: PortBase = BASE,
) -> None:
    """Duties of offices: which office, about whom, by which clause, until when, and how it stands."""
    from services.rating.replaying import Source
    from services.rating.telling import told

    if state is not None and state not in _STATES:
        stop(f"--state is {state!r}; write one of {', '.join(_STATES)}", USAGE)
    if sum((overdue, state is not None, every)) > 1:
        stop("--overdue, --state and --all say which states: give one of them", USAGE)
    states = None if every else frozenset((state,)) if state else frozenset(("overdue",)) if overdue else frozenset(("open", "overdue"))
    source = Source(kafka or default_broker(port_base), tls_dir)
    owed = told(source, topics.DUTIES, Owed())
    found = owed.found(subject=subject, office=office, regime=regime, states=states)
    if as_json:
        for one in found:
            typer.echo(orjson.dumps(one).decode())
    else:
        every_state = owed.found(subject=subject, office=office, regime=regime)
        _show(found, Counter(one["data"]["state"] for one in every_state), zh=language_of(context) == "zh")


def _show(found: list[dict[str, Any]], counted: Counter[str], *, zh: bool) -> None:
    numbers = ", ".join(f"{_STATES[name] if zh else name} {counted[name]:,}" for name in _STATES)
    table = Table(title=f"{'职责' if zh else 'duties'}: {numbers}", title_justify="left")
    for name in ("机关", "主体", "条款", "等级", "期限", "状态", "已做") if zh else _HEADS:
        table.add_column(name, overflow="fold")
    for one in found:
        data = one["data"]
        marks = [
            (data["set_by_operator"], "运行单位设定", "set by the operator"),
            (data["provisional"], "暂定", "provisional"),
        ]
        due = data["due_on"] + "".join(f" ({words if zh else english})" for holds, words, english in marks if holds)
        state = _STATES[data["state"]] if zh else data["state"]
        if is_late(data):
            state += " (逾期履行)" if zh else " (late)"
        done = ", ".join(f"{'/'.join(need['acts'])} {need['found']}/{need['at_least']}" for need in data["needed"])
        table.add_row(data["office"], one["subject"], data["clause"], data["grade"] or "", due, state, done)
    Console(highlight=False).print(table)


_HEADS = ("office", "about", "clause", "grade", "due", "state", "done")
