"""Audit's commands: ``verify`` (mounted by ``mingjian``), ``calendar-table``; and what other ways in need of audit."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from services.audit.adapters.stored import NotReadable
from services.audit.checks.running import Report
from services.audit.cli_options import home_of
from services.audit.domain.handed_out import HandedOut, NoReceipts, read_handed_out
from services.audit.domain.note import ED25519, NoteError, VerifierKey
from services.audit.domain.policy import Policy, PolicyError
from services.audit.domain.verify import Fault
from services.audit.grades_check import Grades, check_with_bar
from services.audit.regrading import Source
from services.audit.verifying import Outside, Trust, run_verify
from services.audit.wiring import (
    CALENDAR_FILE,
    RULEBOOKS,
    broker,
    cores,
    genesis_event,
    patience,
    policy_of,
    reading_dsn,
)
from services.audit.wiring import kafka as connection_to

_SHOWN = 5
# What ends a verification before it has a result.
_REFUSALS = (
    *(NoteError, NotConfigured, NotReadable, NoReceipts, PolicyError),
    *(KafkaError, UnusableCertificates, Unavailable, RulebookError),
)
_DONE = {"signatures": "leaves' signatures", "kafka": "of Kafka's records"}

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
    postgres: Annotated[
        str | None,
        typer.Option(help="PostgreSQL: an address, or better a file that holds one; default the role mj_verify of <home>, where it is."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="The log alone, without Kafka and PostgreSQL.")] = False,
    receipts: Annotated[list[Path] | None, typer.Option(help="Receipts or refusals that were handed out; may be repeated.")] = None,
    memory: Annotated[Path | None, typer.Option(help="Where the checkpoint seen last is kept; default <home>/seen.")] = None,
    witness: Annotated[list[str] | None, typer.Option(help="Verifier key of a witness that has to cosign; may be repeated.")] = None,
    quorum: Annotated[int | None, typer.Option(help="How many of them have to; default all.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Witnesses and quorum from a file (C2SP tlog-policy), which then have to cosign.")
    ] = None,
    against: Annotated[list[Path] | None, typer.Option(help="A checkpoint that somebody else was shown; may be repeated.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Do again what an interrupted run has done.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a checkpoint of all that Kafka has now.")] = 15.0,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="A bundle of `mingjian export`, without any server, in place of the log.")
    ] = None,
    genesis_sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="With --bundle: genesis's fingerprint, as `mingjian init` printed it.")
    ] = None,
    grades: Annotated[
        bool, typer.Option("--grades", help="Work every grade, duty and word of a part out again, too, and hold it against Kafka.")
    ] = False,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="With --grades: folder of rulebooks; default the shipped ones.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Recompute the whole log: bundles, tiles, root, every signature, control copies, every record on Kafka, what PostgreSQL keeps and
    shows, the receipts handed out, and the checkpoint seen last. Interrupted, the same command goes on."""
    _fitting(grades=grades, offline=offline, bundle=bundle, genesis_sha256=genesis_sha256)
    if bundle is not None:
        from services.audit.cli_bundle import verify_bundle

        pins, held = (vkey, genesis, genesis_sha256), (witness, quorum, policy, against, memory)
        verify_bundle(bundle, *pins, *held, receipts or [], from_start=from_start, as_json=as_json)
        return
    home = home_of(context)
    try:
        pinned = genesis_event(genesis or home / "genesis.json") if genesis or not vkey else None
        text = str(pinned["data"]["log_vkey"] if pinned and not vkey else vkey)
        given = [one for path in receipts or [] for one in receipts_in(path)]
        report = run_verify(
            log_dir=log_dir or home / "log",
            verifier=VerifierKey.parse(text),
            genesis=pinned,
            outside=Outside(receipts=given) if offline else Outside(connection_to(kafka), reading_dsn(postgres, home), given),
            trust=Trust(*policy_asked(witness, quorum, policy, home), memory or home / "seen", [one.read_bytes() for one in against or []]),
            patience=patience(wait),
            console=Console(stderr=True),
            cores=cores(),
            from_start=from_start,
        )
        regraded = _grades(report, kafka, rulebooks) if grades else None
    except _REFUSALS as error:
        typer.echo(json.dumps({"verified": False, "error": str(error)}) if as_json else f"not verified: {error}", err=not as_json)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on where it was", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps({"verified": report.verified, **asdict(report), "grades": regraded and regraded.as_json()}))
    else:
        tell(report, regraded)
    if not report.verified:
        raise typer.Exit(1)


def _fitting(*, grades: bool, offline: bool, bundle: Path | None, genesis_sha256: str | None) -> None:
    """Raises ``BadParameter`` for options that don't go together."""
    if grades and (offline or bundle is not None):
        instead = "`mingjian replay --bundle` does that of a bundle" if bundle else "`mingjian verify --grades` without it does both"
        raise typer.BadParameter(f"reads Kafka, which is left out here; {instead}", param_hint="--grades")
    if genesis_sha256 is not None and bundle is None:
        raise typer.BadParameter("is for --bundle; without it --genesis names the pinned event's file", param_hint="--genesis-sha256")


def receipts_in(path: Path) -> list[HandedOut]:
    """What a file holds that was handed out. Raises ``NoReceipts``."""
    try:
        return list(read_handed_out(path.read_bytes(), str(path)))
    except OSError as error:
        raise NoReceipts(f"{path} can't be read: {error.strerror}") from None


def policy_asked(witness: list[str] | None, quorum: int | None, path: Path | None, home: Path) -> tuple[Policy, bool]:
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


def tell(report: Report, grades: Grades | None = None) -> None:
    """Faults, what was looked at, notices."""
    _list(report.faults, "")
    typer.echo(f"log {report.origin}: {report.size:,} leaves of {report.partitions} partitions, root {report.root}")
    if report.cosigned_by or not report.cosigned_enough:
        typer.echo(
            f"cosigned by {', '.join(report.cosigned_by) or 'no witness'}{'' if report.cosigned_enough else ': too few for the policy'}"
        )
    if report.pending is not None:
        typer.echo(f"Kafka: {report.compared:,} records compared, {report.pending:,} newer than the checkpoint")
    if grades is not None:
        typer.echo(grades.told())
    if report.postgres:
        typer.echo(f"PostgreSQL: {report.rows:,} rows of {', '.join(report.postgres)} compared")
    if report.receipts:
        typer.echo(f"receipts: {report.receipts:,} that were handed out are leaves")
    if report.resumed:
        done = ", ".join(f"{count:,} {_DONE[check]}" for check, count in report.resumed.items())
        typer.echo(f"went on where a run was interrupted, which had done: {done} (--from-start does all again)")
    _list(report.notices, "notice: ")
    if report.seen_before is not None:
        typer.echo(f"the checkpoint seen last, of {report.seen_before:,} leaves, is a prefix of this log" if report.verified else "")
    many = "" if len(report.faults) == 1 else "s"
    typer.echo("verified \u2713" if report.verified else f"not verified: {len(report.faults)} fault{many}")


def _list(found: Sequence[Fault], before: str) -> None:
    """Of many alike in one place the first: what shifts a partition's records changes all that follow, and hides nothing else."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for one in found:
        alike.setdefault((one.code, one.place), []).append(one)
    for (code, place), some in alike.items():
        for one in some[:_SHOWN]:
            typer.echo(f"{before}{code}: {one.where}: {one.what}", err=True)
        if len(some) > _SHOWN:
            typer.echo(f"{before}{code}: {place}: … and {len(some) - _SHOWN} more of these", err=True)


@app.command("calendar-table")
def calendar_table(path: Annotated[Path, typer.Argument(help="The file to write.")] = CALENDAR_FILE) -> None:
    """Make the working-day tables again from the package holidays."""
    path.write_text(calendars.generate(), encoding="utf-8")
    typer.echo(f"{path}: {len(calendars.calendar_events(path))} years")


if __name__ == "__main__":
    app()
