"""``mingjian export``: a bundle that an auditor verifies and replays without any server."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console

from schemas.rulebook.editions import files_by_digest
from services._bus.settings import NotConfigured
from services.audit.bar import Bar
from services.audit.bundles import SAMPLE
from services.audit.cli_options import EditionsFolder, LogDir, LogStore, PolicyFile, Vkey, fail, home_of, witnesses_of
from services.audit.domain.bundle import NoGenesis
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.manifest import Manifest
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.policy import Policy, PolicyError
from services.audit.exporting import CHECKPOINT, Exported, NotExported, ReadFile, TargetTaken, Wanted, export
from services.audit.signatures import read_file
from services.audit.verifying import Patience
from services.audit.wiring import RULEBOOKS, genesis_event, patience, policy_of

FAILED, USAGE, NO_ANSWER = 1, 2, 5
_POLL_S, _TIMEOUT_S = 0.2, 60.0
_README = Path(__file__).resolve().parent / "templates" / "bundle" / "README.md"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command("export")
def export_bundle(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to make; it must not be there, or be empty.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="LOG",
            help="The log: a folder, an object store (s3://bucket/prefix), or the one-time address that `mingjian enter` prints for an "
            "auditor. Default: MINGJIAN_LOG_STORE, else the home's log.",
        ),
    ] = None,
    vkey: Vkey = None,
    genesis: Annotated[Path | None, typer.Option(help="The pinned genesis; default <home>/genesis.json, with --vkey none.")] = None,
    policy: PolicyFile = None,
    rulebooks: EditionsFolder = None,
    log_dir: LogDir = None,
    log_store: LogStore = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a checkpoint that enough witnesses cosigned.")] = 15.0,
) -> None:
    """Write the whole log with keys, rulebooks and calendars as a folder that checks without any server. For auditors alone.

    An export that was interrupted goes on when the same command is given again."""
    home = home_of(context)
    file = witnesses_of(home, policy)
    try:
        pinned = genesis_event(genesis or home / "genesis.json") if genesis or not vkey else None
        key = VerifierKey.parse(vkey or str((pinned or {})["data"]["log_vkey"]))
        witnesses = policy_of(file)
        wanted = Wanted(
            log=key,
            genesis=pinned,
            policy=witnesses,
            policy_text=file.read_bytes() if file else None,
            editions=files_by_digest(rulebooks or RULEBOOKS),
            software=version("mingjian"),
            readme=readme,
        )
        where = source or log_store or str(log_dir or home / "log")
        with reading_log(where) as read, _bar() as progress:
            choose = lambda: _chosen(read, key, witnesses, patience(wait), where)  # noqa: E731
            found = export(read, wanted, to, choose=choose, progress=progress)
    except TargetTaken as error:
        fail(str(error), USAGE)
    except (NotExported, NoGenesis, NoteError, NotConfigured, PolicyError, KeyError, ValueError) as error:
        fail(f"not exported: {error}", FAILED)
    except httpx.HTTPError as error:
        fail(
            f"the log at {where.partition('?')[0]} does not answer ({type(error).__name__}); the same command goes on from there", NO_ANSWER
        )
    _tell(found)


def readme(manifest: Manifest) -> str:
    """What a stranger reads first, in Chinese and English."""
    return string.Template(_README.read_text(encoding="utf-8")).substitute(
        origin=manifest.origin,
        size=f"{manifest.size:,}",
        root=manifest.root,
        genesis=manifest.genesis_sha256,
        last_known=manifest.last_known or "–",
        cosigned=", ".join(manifest.cosigned_by) or "–",
        software=manifest.software,
        sample=f"\n**{SAMPLE}**\n" if manifest.sample else "",
    )


@contextmanager
def reading_log(where: str) -> Iterator[ReadFile]:
    """The log's files. Raises ``NotConfigured`` for a place that can't be read."""
    if where.startswith(("http://", "https://")):
        with _over_http(where) as read:
            yield read
    elif "://" in where:
        # Not before it is asked for: a library of several megabytes that a folder can do without.
        from services.audit.adapters.objects import StoreUnavailable, open_store

        try:
            store = open_store(where)
        except ValueError as error:
            raise NotConfigured(f"{where} can't be used: {error}") from None
        try:
            yield store.read
        except StoreUnavailable as error:
            raise NotExported(f"the store does not answer: {error}") from None
        finally:
            store.close()
    else:
        folder = Path(where)
        if not folder.is_dir():
            raise NotConfigured(f"there is no log at {where}; name one with --from")
        yield lambda path: read_file(folder, path)


@contextmanager
def _over_http(address: str) -> Iterator[ReadFile]:
    parts = urlsplit(address)
    base = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/enter').rstrip('/')}"
    with httpx.Client(timeout=_TIMEOUT_S) as http:
        if parts.query:
            answer = http.get(address)
            if answer.status_code >= 400:
                raise NotConfigured(
                    f"the log did not take the one-time address ({answer.status_code}); `mingjian enter` prints another one"
                )

        def read(path: str) -> bytes | None:
            answer = http.get(f"{base}/{path}")
            if answer.status_code == 404:
                return None
            if answer.status_code in (401, 403):
                raise NotConfigured(f"entries are for auditors: give --from the one-time address that `mingjian enter` prints ({path})")
            answer.raise_for_status()
            return answer.content

        yield read


def _chosen(read: ReadFile, log: VerifierKey, policy: Policy, clock: Patience, where: str) -> bytes:
    """The checkpoint, cosigned by enough, or what there is when patience ends. Raises ``NoteError``, ``NotExported``."""
    until = clock.monotonic() + clock.wait_s
    while True:
        note = read(CHECKPOINT)
        late = clock.monotonic() >= until
        if note is not None:
            _, signers = open_checkpoint(note, log, policy.keys)
            if late or policy.reached(policy.cosigned(signers)):
                return note
        elif late:
            raise NotExported(f"there is no checkpoint at {where.partition('?')[0]}")
        clock.sleep(_POLL_S)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    with Bar(Console(stderr=True)) as bar:
        yield bar.task("leaves exported")


def _tell(found: Exported) -> None:
    told = found.manifest
    if told.sample:
        typer.echo(SAMPLE)
    typer.echo(f"log {told.origin}: {told.size:,} leaves, root {told.root}")
    typer.echo(f"genesis {told.genesis_sha256}; last known instant {told.last_known or 'none'}")
    if told.cosigned_by or not found.cosigned_enough:
        typer.echo(
            f"cosigned by {', '.join(told.cosigned_by) or 'no witness'}{'' if found.cosigned_enough else ': too few for the policy'}"
        )
    again = ", begun by an earlier run" if found.resumed else ""
    typer.echo(f"{found.folder}: {len(told.files) + 2:,} files, {found.bytes:,} bytes{again}")
    typer.echo(
        f"check it with: mingjian verify --bundle {found.folder} --genesis-sha256 FINGERPRINT; then mingjian replay --bundle {found.folder}"
    )
    typer.echo("It holds findings and whole records: give it to auditors alone.")


if __name__ == "__main__":
    app()
