"""What ``mingjian verify --bundle`` does and says: a log that lies in a folder with all that checks it, and no server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console

from services._bus.settings import NotConfigured
from services.audit.bundles import SAMPLE, Anchor, NoBundle, Pinned, anchored, check_contents, check_files
from services.audit.checks.running import Check, Report, Run
from services.audit.cli import policy_asked, receipts_in, tell
from services.audit.domain.handed_out import NoReceipts
from services.audit.domain.manifest import Manifest
from services.audit.domain.note import NoteError
from services.audit.domain.policy import PolicyError
from services.audit.domain.verify import Fault
from services.audit.verifying import CHECKS, Outside, Trust, run_verify
from services.audit.wiring import cores, genesis_event, patience


def verify_bundle(
    folder: Path,
    vkey: str | None,
    genesis: Path | None,
    genesis_sha256: str | None,
    witness: list[str] | None,
    quorum: int | None,
    policy: Path | None,
    against: list[Path] | None,
    memory: Path | None,
    receipts: list[Path],
    *,
    from_start: bool,
    as_json: bool,
) -> None:
    """See ``cli.verify``."""
    try:
        manifest, faults = check_files(folder)
        if manifest is None or faults:
            _done(_only(manifest, faults), None, as_json)
        pinned = Pinned(genesis_event(genesis) if genesis else None, genesis_sha256 and genesis_sha256.strip().lower(), vkey)
        anchor, faults = anchored(folder, pinned)
        if faults:
            _done(_only(manifest, faults), anchor, as_json)

        def beside(run: Run) -> None:
            for one in check_contents(folder, manifest, run.log.registry, run.point):
                run.fault(one.code, one.where, one.what)

        outside = Outside(receipts=[one for path in receipts for one in receipts_in(path)])
        trust = Trust(*policy_asked(witness, quorum, policy, folder), memory, [one.read_bytes() for one in against or []])
        try:
            report = run_verify(
                log_dir=folder,
                verifier=anchor.log,
                genesis=anchor.genesis,
                outside=outside,
                trust=trust,
                patience=patience(0),
                console=Console(stderr=True),
                cores=cores(),
                from_start=from_start,
                checks=[*CHECKS, Check("bundle", beside)],
            )
        except NoteError as error:
            raise NoteError(f"checkpoint: {error}") from None
    except (NoBundle, NoteError, NotConfigured, NoReceipts, PolicyError) as error:
        typer.echo(json.dumps({"verified": False, "error": str(error)}) if as_json else f"not verified: {error}", err=not as_json)
        raise typer.Exit(1) from None
    _done(report, anchor, as_json)


def _only(manifest: Manifest | None, faults: list[Fault]) -> Report:
    """A report of a bundle whose log was not looked at."""
    told = (manifest.origin, manifest.size, manifest.root) if manifest else ("unknown", 0, "unknown")
    return Report(*told, faults)


def _done(report: Report, anchor: Anchor | None, as_json: bool) -> NoReturn:
    if as_json:
        said = {"verified": report.verified, **asdict(report)}
        if anchor is not None:
            said |= {"genesis_sha256": anchor.fingerprint, "pinned": not anchor.own}
        typer.echo(json.dumps(said))
    else:
        if anchor is not None and anchor.sample:
            typer.echo(SAMPLE)
        tell(report)
        if anchor is not None and anchor.own:
            typer.echo(
                f"nothing but the bundle itself says that its genesis is the right one: compare {anchor.fingerprint} with the fingerprint "
                "that you have from elsewhere, or give it as --genesis-sha256"
            )
    raise typer.Exit(0 if report.verified else 1)
