"""A pack about a finding, from a log's files wherever they lie: for the command line, and for the console, which asks in a thread."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from schemas.canonical import trusted_canonical_bytes
from services.audit.domain.bundle import activated
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.handed_out import HandedOut
from services.audit.domain.multiproof import prove_many
from services.audit.domain.note import VerifierKey
from services.audit.evidence.archive import pack
from services.audit.evidence.contents import CHECKPOINT, Inputs, files_of
from services.audit.evidence.records import REFUSALS_FILE, REGISTRY_FILE, Held
from services.audit.evidence.selecting import LogUnreadable, NoFinding, Progress, select
from services.audit.proving import hashes_of

__all__ = ["LogUnreadable", "NoEdition", "NoFinding", "Pack", "make", "put", "temporary"]

ReadFile = Callable[[str], bytes | None]


class NoEdition(LookupError):
    """An edition of a rulebook that the registry activated is not at hand; the message says which and what to do."""


@dataclass(frozen=True)
class Pack:
    """``data``: the zip; ``records``: how many it has; ``size``: leaves of its checkpoint; ``subject``: None where it is about none.
    ``receipts``: of those given, the ones about its records."""

    finding: str
    data: bytes
    records: int
    files: int
    size: int
    subject: str | None
    kind: str
    receipts: int

    @property
    def name(self) -> str:
        """What its file is called where nobody says otherwise."""
        return f"evidence-{self.finding}.zip"


def make(
    read: ReadFile,
    finding: str,
    *,
    log: VerifierKey,
    editions: Mapping[str, Mapping[str, bytes]],
    policy: bytes | None = None,
    receipts: Sequence[HandedOut] = (),
    progress: Progress = lambda done, total: None,
) -> Pack:
    """The pack of a finding under the newest checkpoint. ``editions``: digest → files by name, of every edition at hand; ``policy``: the
    witnesses' file; ``receipts``: what was handed out and somebody gave.

    Raises ``NoFinding``, ``NoEdition``, ``LogUnreadable``, ``NoteError``, ``Broken``, ``ProofError``, ``NotPublished``, and what ``read``
    raises."""
    note = read(CHECKPOINT)
    if note is None:
        raise LogUnreadable("there is no checkpoint yet: a finding is evidence once a checkpoint covers it")
    point, _ = open_checkpoint(note, log)
    wanted, records = select(read, point.size, finding, progress)
    fitting = _fitting(receipts, records)
    leaves = sorted(one.leaf for some in records.values() for one in some)
    inputs = Inputs(
        finding=finding,
        software=version("mingjian"),
        checkpoint=note,
        records={name: some for name, some in records.items() if some},
        hashes=prove_many(leaves, point.size, hashes_of(point.size, read)),
        policy=policy,
        receipts=_lines(fitting),
        rulebooks=_rulebooks(records[REGISTRY_FILE], editions),
    )
    files = files_of(inputs)
    return Pack(
        finding=finding,
        data=pack(files),
        records=len(leaves),
        files=len(files),
        size=point.size,
        subject=wanted.subject,
        kind=str(wanted.finding["data"]["kind"]),
        receipts=len(fitting),
    )


def _fitting(receipts: Sequence[HandedOut], records: Mapping[str, Sequence[Held]]) -> list[HandedOut]:
    """Those that are about a record in the pack: by its place, its event, or, of a refusal, its bytes."""
    every = [one for some in records.values() for one in some]
    places = {one.place for one in every}
    names = {(one.event["source"], one.event["id"]) for one in every if one.event}
    refused = {hashlib.sha256(one.value).digest() for one in records.get(REFUSALS_FILE, [])}
    found = []
    for one in receipts:
        body = one.body
        if one.part == "receipt":
            fits = (body["topic"], body["partition"], body["offset"]) in places or (body["source"], body["id"]) in names
        else:
            fits = hashlib.sha256(trusted_canonical_bytes(dict(one.signed))).digest() in refused
        if fits:
            found.append(one)
    return found


def _lines(receipts: Sequence[HandedOut]) -> bytes | None:
    """One a line, each once, in an order that follows from them."""
    lines = sorted({trusted_canonical_bytes(dict(one.signed)) + b"\n" for one in receipts})
    return b"".join(lines) if lines else None


def _rulebooks(registry: Sequence[Held], editions: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    found = {}
    for one in activated({each.record.offset: each.record.value for each in registry}):
        files = editions.get(one.sha256)
        if files is None:
            raise NoEdition(
                f"no edition of {one.regime} at hand has the digest {one.sha256} that registry record {one.offset} activated as "
                f"{one.version}: name a folder that has it with --rulebooks"
            )
        found |= {f"{one.folder}/{name}": data for name, data in files.items()}
    return found


def put(made: Pack, target: Path) -> None:
    """Write a pack: whole or not at all, for its owner alone, never over another file. Raises ``FileExistsError``, ``OSError``."""
    arriving = target.with_name(f".{target.name}.arriving")
    handle = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(made.data)
            out.flush()
            os.fsync(out.fileno())
        # A link is made only where nothing is.
        os.link(arriving, target)
    finally:
        arriving.unlink()


def temporary(made: Pack) -> Path:
    """The pack in a new temporary file that the caller removes."""
    handle, name = tempfile.mkstemp(prefix="evidence-", suffix=".zip")
    with os.fdopen(handle, "wb") as out:
        out.write(made.data)
    return Path(name)
