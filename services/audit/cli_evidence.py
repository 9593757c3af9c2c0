"""``mingjian evidence FINDING`` and ``mingjian evidence verify FILE``: a pack about a finding that stands without the operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from typer.core import TyperGroup

from schemas.rulebook import RulebookError
from schemas.rulebook.editions import files_by_digest
from services._bus.settings import NotConfigured
from services.audit.bar import Bar
from services.audit.bundles import SAMPLE, Pinned
from services.audit.cli import receipts_in
from services.audit.cli_export import reading_log
from services.audit.cli_options import EditionsFolder, LogDir, LogStore, PolicyFile, Vkey, fail, home_of, witnesses_of
from services.audit.domain.handed_out import NoReceipts
from services.audit.domain.merkle import ProofError
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.policy import PolicyError
from services.audit.evidence.archive import MAX_BYTES, Broken
from services.audit.evidence.verifying import Trust, Verified, as_json
from services.audit.evidence.verifying import verify as verify_pack
from services.audit.evidence.writing import LogUnreadable, NoEdition, NoFinding, Pack, make, put
from services.audit.proving import NotPublished
from services.audit.wiring import RULEBOOKS, genesis_event, policy_of

FAILED, USAGE, NO_ANSWER, NO_SUCH = 1, 2, 5, 6
_SHOWN = 20


class _OneOrVerify(TyperGroup):
    """``evidence FINDING`` is ``evidence make FINDING``: ids and commands can't be confused."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
evidence = typer.Typer(
    cls=_OneOrVerify,
    no_args_is_help=True,
    help="`mingjian evidence FINDING` writes all there is about a finding as one zip; `mingjian evidence verify FILE` checks one anywhere.",
)
app.add_typer(evidence, name="evidence")


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@evidence.command("make")
def make_one(
    context: typer.Context,
    finding: Annotated[str, typer.Argument(help="The finding's id; `mingjian findings` lists them.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.zip", help="Default evidence-FINDING.zip; it must not be there.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="LOG",
            help="The log: a folder or bundle, an object store (s3://bucket/prefix), or the one-time address that `mingjian enter` prints "
            "for an auditor. Default: MINGJIAN_LOG_STORE, else the home's log.",
        ),
    ] = None,
    vkey: Vkey = None,
    policy: PolicyFile = None,
    rulebooks: EditionsFolder = None,
    receipts: Annotated[list[Path] | None, typer.Option(help="Receipts or refusals that were handed out; may be repeated.")] = None,
    log_dir: LogDir = None,
    log_store: LogStore = None,
) -> None:
    """Write the pack of a finding. For auditors, and for who is heard on it."""
    home = home_of(context)
    file = witnesses_of(home, policy)
    target = to or Path(f"evidence-{finding}.zip")
    if target.exists() or target.is_symlink():
        fail(f"{target} is there already; name another file with --to", USAGE)
    where = source or log_store or str(log_dir or home / "log")
    try:
        policy_of(file)
        text = vkey or str(genesis_event(home / "genesis.json")["data"]["log_vkey"])
        given = [one for path in receipts or [] for one in receipts_in(path)]
        with reading_log(where) as read, Bar(Console(stderr=True)) as bar:
            made = make(
                read,
                finding,
                log=VerifierKey.parse(text),
                editions=files_by_digest(rulebooks or RULEBOOKS),
                policy=file.read_bytes() if file else None,
                receipts=given,
                progress=bar.task("leaves looked at"),
            )
        put(made, target)
    except NoFinding as error:
        fail(str(error), NO_SUCH)
    except (NotConfigured, NoReceipts, FileExistsError) as error:
        fail(str(error), USAGE)
    except (LogUnreadable, NoEdition, NoteError, PolicyError, ProofError, NotPublished, RulebookError, Broken) as error:
        fail(f"no pack was written: {error}", FAILED)
    except KeyError as error:
        fail(f"no pack was written: a record of the registry lacks the field {error}, which the genesis of `mingjian init` has", FAILED)
    except httpx.HTTPError as error:
        fail(f"the log at {where.partition('?')[0]} does not answer ({type(error).__name__})", NO_ANSWER)
    _tell(made, target, len(given))


def _tell(made: Pack, target: Path, given: int) -> None:
    about = f" about {made.subject}" if made.subject else ""
    typer.echo(f"{target}: {made.kind}{about}, {made.records:,} records of {made.size:,} leaves, {len(made.data):,} bytes")
    if given:
        others = f"; {given - made.receipts:,} are of other records (`mingjian verify --receipts`)" if given > made.receipts else ""
        typer.echo(f"receipts: {made.receipts:,} of {given:,} are of records in it{others}")
    typer.echo(f"check it with: mingjian evidence verify {target} --genesis-sha256 FINGERPRINT")
    typer.echo("It holds a finding that may not be decided, and whole records: give it to auditors and to who is heard on it alone.")


@evidence.command("verify")
def verify_one(
    file: Annotated[Path, typer.Argument(help="The pack.")],
    genesis_sha256: Annotated[str | None, typer.Option(metavar="HEX", help="Genesis's fingerprint, as `mingjian init` printed it.")] = None,
    genesis: Annotated[Path | None, typer.Option(help="The pinned genesis event's file, in place of its fingerprint.")] = None,
    vkey: Annotated[str | None, typer.Option(help="The log's verifier key, in place of genesis.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Witnesses and quorum (C2SP tlog-policy) that have to have cosigned; else the pack's are told.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Check a pack on a machine with nothing but this program: bytes, proofs, signatures, and the finding worked out again."""
    try:
        pinned = Pinned(genesis_event(genesis) if genesis else None, genesis_sha256 and genesis_sha256.strip().lower(), vkey)
        trust = Trust(pinned, policy_of(policy) if policy else None)
        with file.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except (NotConfigured, PolicyError) as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}", USAGE)
    found = verify_pack(data, trust)
    if json_:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        _say(found)
    raise typer.Exit(0 if found.verified else FAILED)


def _say(found: Verified) -> None:
    if found.sample:
        typer.echo(SAMPLE)
    for one in found.checks:
        typer.echo(f"{'–' if one.told else '✗' if one.wrong else '✓'} {one.check}: {one.said}")
        for wrong in one.wrong[:_SHOWN]:
            typer.echo(f"  {wrong.where}: {wrong.what}")
        if len(one.wrong) > _SHOWN:
            typer.echo(f"  … and {len(one.wrong) - _SHOWN} more")
    if found.fingerprint is not None and not found.pinned:
        typer.echo(
            f"nothing but the pack itself says that its genesis is the right one: compare {found.fingerprint} with the fingerprint that "
            "you have from elsewhere, or give it as --genesis-sha256"
        )
    typer.echo("verified ✓" if found.verified else f"not verified: {len(found.wrong)} fault{'' if len(found.wrong) == 1 else 's'}")


if __name__ == "__main__":
    app()
