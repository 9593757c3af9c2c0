"""``mingjian proposals``: the approver's list, read from Kafka by whoever runs the stack. Pages don't show it: R8 keeps it from the public.

Exit codes as in the whole command line: 0 done, 1 failed, 2 wrong use, 5 no answer."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas import topics
from services.rating.cli import BASE, Kafka, PortBase, TlsDir, default_broker, language_of
from services.rating.proposals import Open, draft

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command()
def proposals(
    context: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="Only this subject's.")] = None,
    regime: Annotated[str | None, typer.Option(help="Only this regime's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole events, one a line.")] = False,
    approver: Annotated[
        str | None, typer.Option("--draft", metavar="APPROVER", help="Print approvals for this approver to sign instead of the list.")
    ] = None,
    kafka: Kafka = None,
    tls_dir: TlsDir = None,
    port_base: PortBase = BASE,
) -> None:
    """Grades that await approval: who, from which grade to which, since when, by which clause."""
    from services.rating.replaying import Source
    from services.rating.telling import told

    source = Source(kafka or default_broker(port_base), tls_dir)
    found = told(source, topics.GRADES, Open()).found(subject, regime)
    if as_json or approver:
        for one in found:
            typer.echo(orjson.dumps(draft(one, approver) if approver else one).decode())
    else:
        _show(found, zh=language_of(context) == "zh")


def _show(found: list[dict[str, Any]], *, zh: bool) -> None:
    table = Table(title=f"{len(found)} 个等级待批准" if zh else f"{len(found)} grades await approval", title_justify="left")
    for name in ("主体", "制度", "现为", "拟定", "条件成立于", "条款", "理由") if zh else _HEADS:
        table.add_column(name, overflow="fold")
    for one in found:
        data = one["data"]
        reason = data["reasons"][0] if data["reasons"] else {"zh": "", "en": ""}
        was = data["previous_grade"] or data["previous_status"] or ""
        clauses = ", ".join(data["clauses"])
        table.add_row(
            one["subject"], data["regime"], was, data["grade"], data["in_force_from"] or "", clauses, reason["zh" if zh else "en"]
        )
    Console(highlight=False).print(table)


_HEADS = ("subject", "regime", "in force", "proposed", "met since", "clauses", "why")
