"""A bundle for auditors held against itself and against what its reader pins: what ``verify --bundle`` looks at besides the log. See
docs/adr/0034."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.rulebook import RulebookError, digest, load_texts
from services.audit.domain.bundle import GENESIS_FILE, LOG_KEY, NoGenesis, Registry, activated, files_of, fingerprint, is_sample
from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.manifest import MANIFEST, SUMS, Manifest, ManifestError, parse_manifest, sums
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.verify import Fault
from services.audit.signatures import read_file

_CODE = "bundle"
SAMPLE = "SAMPLE DATA: no enterprise and no event in this log is real · 样例数据：日志里的企业和事件都是虚构的"


class NoBundle(Exception):
    """The folder is none; the message says what it lacks."""


@dataclass(frozen=True)
class Pinned:
    """What the reader brought. ``genesis``: an event; ``sha256``: a fingerprint; ``vkey``: the log's verifier key. All None: nothing."""

    genesis: Mapping[str, Any] | None = None
    sha256: str | None = None
    vkey: str | None = None


@dataclass(frozen=True)
class Anchor:
    """What a bundle is verified by. ``genesis``: None where the reader pinned the log's key alone. ``sample``: made-up data. ``own``:
    nothing but the bundle says that these are the right ones."""

    log: VerifierKey
    genesis: Mapping[str, Any] | None
    fingerprint: str
    sample: bool
    own: bool


def check_files(folder: Path) -> tuple[Manifest | None, list[Fault]]:
    """Every file against the manifest, and that against the sums. None where the manifest can't be read. Raises ``NoBundle``."""
    data, listed = read_file(folder, MANIFEST), read_file(folder, SUMS)
    if data is None:
        raise NoBundle(f"{folder} is no bundle: it has no {MANIFEST} (`mingjian export` makes one)")
    try:
        manifest = parse_manifest(data)
    except ManifestError as error:
        return None, [Fault(_CODE, MANIFEST, str(error))]
    return manifest, [*_sums(manifest, hashlib.sha256(data).hexdigest(), listed), *_named(folder, manifest)]


def _sums(manifest: Manifest, sha256: str, listed: bytes | None) -> Iterator[Fault]:
    if listed is None:
        yield Fault("missing", SUMS, "the file is missing")
        return
    wanted = sums(manifest, sha256)
    if f"{sha256}  {MANIFEST}\n".encode() not in listed:
        yield Fault(_CODE, MANIFEST, f"its SHA-256 is {sha256}, which {SUMS} does not say: one of the two was changed")
    if _others(listed) != _others(wanted):
        yield Fault(_CODE, SUMS, f"its lines are not those that follow from {MANIFEST}")


def _others(listed: bytes) -> bytes:
    """The lines that are not about the manifest."""
    return b"".join(one for one in listed.splitlines(keepends=True) if not one.endswith(f"  {MANIFEST}\n".encode()))


def _named(folder: Path, manifest: Manifest) -> Iterator[Fault]:
    for one in manifest.files:
        path = folder / one.path
        if any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(folder) and part != folder):
            yield Fault(_CODE, one.path, "is a link; a bundle holds files alone")
            continue
        data = read_file(folder, one.path) if path.is_file() else None
        if data is None:
            yield Fault("missing", one.path, "the file is missing")
        elif (found := hashlib.sha256(data).hexdigest()) != one.sha256 or len(data) != one.size:
            yield Fault(_CODE, one.path, f"has {len(data)} bytes with the SHA-256 {found}; {MANIFEST} says {one.size} with {one.sha256}")
    known = {MANIFEST, SUMS, *(one.path for one in manifest.files)}
    for path in sorted(one for one in folder.rglob("*") if one.is_symlink() or not one.is_dir()):
        name = path.relative_to(folder).as_posix()
        if name not in known:
            yield Fault(_CODE, name, f"is not in {MANIFEST}: whoever made the bundle did not put it there")


def anchored(folder: Path, pinned: Pinned) -> tuple[Anchor, list[Fault]]:
    """The key and the genesis to verify by, and what of the bundle's own differs from it. Raises ``NoteError``, ``NoBundle``."""
    try:
        own = orjson.loads((folder / GENESIS_FILE).read_bytes())["event"]
        name, log_vkey = fingerprint(own), str(own["data"]["log_vkey"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoBundle(f"{GENESIS_FILE} can't be read: {error}") from None
    faults = []
    wanted = pinned.sha256 or (fingerprint(pinned.genesis) if pinned.genesis else None)
    if wanted is not None and wanted != name:
        faults.append(Fault("genesis", GENESIS_FILE, f"its fingerprint is {name}, not the pinned {wanted}: this is another register's log"))
    genesis = pinned.genesis or (own if wanted is not None or pinned.vkey is None else None)
    text = pinned.vkey or str(pinned.genesis["data"]["log_vkey"] if pinned.genesis else log_vkey)
    if pinned.vkey is not None and pinned.vkey.strip() != log_vkey:
        faults.append(Fault("genesis", LOG_KEY, f"the log's key is {log_vkey}, not the pinned one: this is another log"))
    return Anchor(VerifierKey.parse(text), genesis, name, is_sample(own), wanted is None and pinned.vkey is None), faults


def check_contents(folder: Path, manifest: Manifest, registry: Registry, point: Checkpoint) -> Iterator[Fault]:
    """What lies beside the log against what its leaves say: genesis, keys, calendars, rulebooks, and what the manifest says of the log."""
    if (manifest.origin, manifest.size, manifest.root) != (point.origin, point.size, point.root.hex()):
        yield Fault(
            _CODE, MANIFEST, f"says {manifest.size} leaves of {manifest.origin} under {manifest.root}, the checkpoint something else"
        )
    try:
        wanted = files_of(registry)
    except (NoGenesis, KeyError, TypeError, NoteError) as error:
        yield Fault(_CODE, GENESIS_FILE, f"no leaf holds it: {error}")
        return
    genesis = orjson.loads(wanted[GENESIS_FILE])["event"]
    if (manifest.genesis_sha256, manifest.sample) != (fingerprint(genesis), is_sample(genesis)):
        yield Fault(_CODE, MANIFEST, "says something else of genesis than the log's first leaf of the registry holds")
    for path, data in wanted.items():
        if read_file(folder, path) != data:
            yield Fault(_CODE, path, "is not what the log's leaves say")
    extra = {one.path for one in manifest.files if one.path.startswith(("keys/", "calendars/"))} - set(wanted)
    for path in sorted(extra):
        yield Fault(_CODE, path, "no leaf of the log says it")
    yield from _rulebooks(folder, manifest, registry)


def _rulebooks(folder: Path, manifest: Manifest, registry: Registry) -> Iterator[Fault]:
    wanted = activated(registry)
    if [(one.regime, one.version, one.sha256, one.folder) for one in manifest.rulebooks] != [
        (one.regime, one.version, one.sha256, one.folder) for one in wanted
    ]:
        yield Fault(_CODE, MANIFEST, "its rulebooks are not those that the registry's leaves activated")
    for one in wanted:
        own = f"{one.folder}/"
        files = {
            named.path.removeprefix(own): read_file(folder, named.path) or b"" for named in manifest.files if named.path.startswith(own)
        }
        try:
            found = digest(load_texts(files, folder=one.regime)) if files else "none"
        except RulebookError as error:
            yield Fault(_CODE, one.folder, str(error))
            continue
        if found != one.sha256:
            where = f"registry record {one.offset} activated {one.sha256}"
            yield Fault(_CODE, one.folder, f"its digest is {found}; {where}")
    for one in manifest.files:
        if one.path.startswith("rulebooks/") and not any(one.path.startswith(f"{each.folder}/") for each in wanted):
            yield Fault(_CODE, one.path, "is of no edition that the registry activated")
