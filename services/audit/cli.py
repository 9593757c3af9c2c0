"""Audit's commands: ``verify`` (mounted by ``mingjian``), ``calendar-table``; and what other ways in need of audit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.console import Console

from schemas.rulebook import RulebookError
from services._bus.kafka import Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.adapters import calendars
from services.audit.domain.note import ED25519, NoteError, VerifierKey
from services.audit.domain.policy import Policy, PolicyError
from services.audit.grades_check import Grades, check_with_bar
from services.audit.regrading import Source
from services.audit.verifying import Report, Trust, run_verify
from services.audit.wiring import CALENDAR_FILE, RULEBOOKS, broker, cores, default_home, genesis_event, patience, policy_of
from services.audit.wiring import kafka as connection_to

_SHOWN = 50

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def log_vkey(origin: str, raw_public: bytes) -> str:
    """The verifier key of a log, as it stands in genesis. ``raw_public``: 32 bytes, Ed25519."""
    return VerifierKey(origin, ED25519, raw_public).text


def calendar_tables(path: Path = CALENDAR_FILE) -> list[dict[str, Any]]:
    """The ``data`` of one ``calendar.issued`` event a year, oldest first, from the checked-in tables."""
    return calendars.calendar_events(path)


@app.command()
def verify(
    context: typer.Context,
    log_dir: Annotated[Path | None, typer.Option(envvar="MINGJIAN_LOG_DIR", help="The log's folder; default <home>/log.")] = None,
    vkey: Annotated[str | None, typer.Option(help="The log's verifier key; default the one in <home>/genesis.json.")] = None,
    genesis: Annotated[Path | None, typer.Option(help="The pinned genesis; default <home>/genesis.json, with --vkey none.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Broker; default the embedded one.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="The log alone, without Kafka.")] = False,
    memory: Annotated[Path | None, typer.Option(help="Where the checkpoint seen last is kept; default <home>/seen.")] = None,
    witness: Annotated[list[str] | None, typer.Option(help="Verifier key of a witness that has to cosign; may be repeated.")] = None,
    quorum: Annotated[int | None, typer.Option(help="How many of them have to; default all.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Witnesses and quorum from a file (C2SP tlog-policy), which then have to cosign.")
    ] = None,
    against: Annotated[list[Path] | None, typer.Option(help="A checkpoint that somebody else was shown; may be repeated.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a checkpoint of all that Kafka has now.")] = 15.0,
    grades: Annotated[
        bool, typer.Option("--grades", help="Work every grade, duty and word of a part out again, too, and hold it against Kafka.")
    ] = False,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="With --grades: folder of rulebooks; default the shipped ones.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Recompute the whole log: bundles, tiles, root, every signature, every record on Kafka, and the checkpoint seen last."""
    if grades and offline:
        raise typer.BadParameter(
            "reads Kafka, which --offline leaves out; `mingjian verify --grades` without it does both", param_hint="--grades"
        )
    home = getattr(getattr(context.obj, "home", None), "root", None) or default_home()
    try:
        pinned = genesis_event(genesis or home / "genesis.json") if genesis or not vkey else None
        text = str(pinned["data"]["log_vkey"] if pinned and not vkey else vkey)
        report = run_verify(
            log_dir=log_dir or home / "log",
            verifier=VerifierKey.parse(text),
            genesis=pinned,
            kafka=None if offline else connection_to(kafka),
            trust=Trust(*_policy(witness, quorum, policy, home), memory or home / "seen", [one.read_bytes() for one in against or []]),
            patience=patience(wait),
            console=Console(stderr=True),
            cores=cores(),
        )
        regraded = _grades(report, kafka, rulebooks) if grades else None
    except (NoteError, NotConfigured, PolicyError, KafkaError, UnusableCertificates, Unavailable, RulebookError) as error:
        typer.echo(json.dumps({"verified": False, "error": str(error)}) if as_json else f"not verified: {error}", err=not as_json)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"verified": report.verified, **asdict(report), "grades": regraded and regraded.as_json()}))
    else:
        _tell(report, regraded)
    if not report.verified:
        raise typer.Exit(1)


def _policy(witness: list[str] | None, quorum: int | None, path: Path | None, home: Path) -> tuple[Policy, bool]:
    """The policy, and whether it has to be met: one that was asked for has; the home's own is only told.

    Raises ``NoteError``, ``PolicyError``, ``NotConfigured``."""
    if witness or quorum is not None:
        if path:
            raise PolicyError("--policy says all that --witness and --quorum would")
        return Policy.of([VerifierKey.parse(text) for text in witness or []], quorum), True
    if path:
        return policy_of(path), True
    own = home / "witnesses"
    return policy_of(own if own.is_file() else None), False


def _grades(report: Report, kafka: str | None, rulebooks: Path | None) -> Grades:
    """Work all grades out again; what differs is the report's as well."""
    found = check_with_bar(Source(*broker(kafka)), rulebooks or RULEBOOKS, cores=cores(), console=Console(stderr=True))
    report.faults += found.faults
    return found


def _tell(report: Report, grades: Grades | None = None) -> None:
    for fault in report.faults[:_SHOWN]:
        typer.echo(f"{fault.code}: {fault.where}: {fault.what}", err=True)
    if len(report.faults) > _SHOWN:
        typer.echo(f"… and {len(report.faults) - _SHOWN} more", err=True)
    typer.echo(f"log {report.origin}: {report.size:,} leaves of {report.partitions} partitions, root {report.root}")
    if report.cosigned_by or not report.cosigned_enough:
        typer.echo(
            f"cosigned by {', '.join(report.cosigned_by) or 'no witness'}{'' if report.cosigned_enough else ': too few for the policy'}"
        )
    if report.pending is not None:
        typer.echo(f"Kafka: {report.compared:,} records compared, {report.pending:,} newer than the checkpoint")
    if grades is not None:
        typer.echo(grades.told())
    if report.seen_before is not None:
        typer.echo(f"the checkpoint seen last, of {report.seen_before:,} leaves, is a prefix of this log" if report.verified else "")
    typer.echo("verified \u2713" if report.verified else f"not verified: {len(report.faults)} faults")


@app.command("calendar-table")
def calendar_table(path: Annotated[Path, typer.Argument(help="The file to write.")] = CALENDAR_FILE) -> None:
    """Make the working-day tables again from the package holidays."""
    path.write_text(calendars.generate(), encoding="utf-8")
    typer.echo(f"{path}: {len(calendars.calendar_events(path))} years")


if __name__ == "__main__":
    app()
