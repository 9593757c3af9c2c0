"""``export``: a bundle for auditors from a log's files, wherever they lie. See docs/adr/0034.

Order of the work: the checkpoint is chosen and kept; entry bundles are read and kept, tiles worked out from them; the root must be the
checkpoint's; what the leaves don't hold is put beside; manifest and sums; everything is on the disk; the folder takes its name.

A run that was interrupted leaves ``DIR.partial``. The next one reads from there first: every file there was renamed into place when it
was whole, and the root says whether they are the right ones.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.times import instant
from schemas.topics import FACTS, REGISTRY
from services.audit.adapters.folder import sync_folder
from services.audit.domain import tiles
from services.audit.domain.bundle import README, WITNESSES, Activated, activated, files_of, fingerprint, genesis_in, is_sample
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.frame import FrameError, Record, Stub, decode, oversize_path
from services.audit.domain.manifest import MANIFEST, SUMS, Edition, Manifest, Named, sums
from services.audit.domain.merkle import leaf_hash
from services.audit.domain.note import VerifierKey
from services.audit.domain.policy import Policy
from services.audit.domain.verify import whole_of

CHECKPOINT = "checkpoint"
_ARRIVING = ".arriving"

ReadFile = Callable[[str], bytes | None]
Progress = Callable[[int, int], None]
"""Leaves done, and how many there are."""


class NotExported(Exception):
    """Why there is no bundle, and what to do; what was written so far lies in ``DIR.partial``."""


class TargetTaken(NotExported):
    """The folder can't be used."""


@dataclass(frozen=True)
class Wanted:
    """What goes into the bundle besides the log. ``genesis``: the pinned event, None where only the log's key is. ``policy_text``: the
    witnesses' file, None where there is none. ``editions``: digest → files by name, of every edition at hand. ``readme``: of a manifest
    without its files, and the number of records."""

    log: VerifierKey
    genesis: Mapping[str, Any] | None
    policy: Policy
    policy_text: bytes | None
    editions: Mapping[str, Mapping[str, bytes]]
    software: str
    readme: Callable[[Manifest], str]


@dataclass(frozen=True)
class Exported:
    """``resumed``: a run before this one had begun it. ``leaves`` etc. stand in the manifest."""

    folder: Path
    manifest: Manifest
    bytes: int
    resumed: bool
    cosigned_enough: bool


@dataclass
class _Read:
    """What the leaves said on the way. ``newest``: of each partition of facts, the time of its last record (epoch ms)."""

    registry: dict[int, bytes | None] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)


class Folder:
    """A folder that fills up: each file whole or not there, for its owner alone, named with size and digest once it was put or kept."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.named: dict[str, Named] = {}

    def read(self, path: str) -> bytes | None:
        """A file of an earlier run, or of this one."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, path: str, data: bytes) -> None:
        """Write a file unless it is there with these bytes."""
        self.named[path] = Named(path, len(data), hashlib.sha256(data).hexdigest())
        if self.read(path) == data:
            return
        target = self._root / path
        for folder in [one for one in reversed(target.parents) if one.is_relative_to(self._root)]:
            folder.mkdir(mode=0o700, exist_ok=True)
        arriving = target.with_name(f".{target.name}{_ARRIVING}")
        handle = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        arriving.rename(target)

    def settle(self) -> None:
        """Take away what none of the files put is, and bring all names to the disk."""
        for one in sorted(self._root.rglob("*"), reverse=True):
            if one.is_dir():
                if not any(one.iterdir()):
                    one.rmdir()
                else:
                    sync_folder(one)
            elif one.relative_to(self._root).as_posix() not in self.named:
                one.unlink()
        sync_folder(self._root)


def export(read: ReadFile, wanted: Wanted, target: Path, *, choose: Callable[[], bytes], progress: Progress) -> Exported:
    """Make the bundle. ``choose`` gives the checkpoint, signed by the log. Raises ``NotExported``, ``NoteError``, ``OSError``, and what
    ``read`` raises."""
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise TargetTaken(f"{target} is there already and is no empty folder; name another one")
    partial = target.with_name(f"{target.name}.partial")
    with _locked(partial):
        folder = Folder(partial)
        before = folder.read(CHECKPOINT)
        note = before if before is not None else choose()
        point, signers = open_checkpoint(note, wanted.log, wanted.policy.keys)
        folder.put(CHECKPOINT, note)
        again = f"; if it comes again, delete {partial}, which an earlier run began" if before is not None else ""
        found = _copy(folder, point, _first_of(folder.read, read), progress, again)
        if not found.registry:
            raise NotExported("the log has no genesis event yet: there is nothing to export")
        editions = _beside(folder, found.registry, wanted)
        genesis = genesis_in(found.registry).event
        if wanted.genesis is not None and fingerprint(genesis) != fingerprint(wanted.genesis):
            raise NotExported(f"the log begins with another genesis event ({fingerprint(genesis)}) than the pinned one")
        cosigned = wanted.policy.cosigned(signers)
        manifest = Manifest(
            software=wanted.software,
            origin=point.origin,
            size=point.size,
            root=point.root.hex(),
            genesis_sha256=fingerprint(genesis),
            sample=is_sample(genesis),
            last_known=instant(max(found.newest.values())) if found.newest else None,
            cosigned_by=tuple(one.key.name for one in cosigned),
            rulebooks=tuple(Edition(one.regime, one.version, one.sha256, one.folder) for one in editions),
            files=(),
        )
        folder.put(README, wanted.readme(manifest).encode())
        manifest = _closed(folder, manifest)
        folder.settle()
        partial.rename(target)
    sync_folder(target.parent)
    total = sum(one.size for one in folder.named.values())
    return Exported(target, manifest, total, before is not None, wanted.policy.reached(cosigned))


def _closed(folder: Folder, manifest: Manifest) -> Manifest:
    """The manifest with all files, put down with its sums."""
    files = tuple(folder.named[path] for path in sorted(folder.named))
    whole = Manifest(**{name: getattr(manifest, name) for name in manifest.__slots__ if name != "files"}, files=files)
    folder.put(MANIFEST, whole.data)
    folder.put(SUMS, sums(whole, folder.named[MANIFEST].sha256))
    return whole


@contextmanager
def _locked(partial: Path) -> Iterator[None]:
    try:
        partial.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        raise TargetTaken(f"there is no folder {partial.parent} to put it into") from None
    except FileExistsError:
        raise TargetTaken(f"{partial} is in the way: it is no folder") from None
    handle = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TargetTaken(f"another export writes to {partial} just now") from None
        yield
    finally:
        os.close(handle)


def _first_of(own: ReadFile, other: ReadFile) -> ReadFile:
    def read(path: str) -> bytes | None:
        data = own(path)
        return data if data is not None else other(path)

    return read


def _copy(folder: Folder, point: Checkpoint, read: ReadFile, progress: Progress, again: str) -> _Read:
    """All leaves of the checkpoint, and the tiles that follow from them. Raises ``NotExported`` where they don't lead to its root."""
    size, edge, found = point.size, tiles.Edge(), _Read()
    while edge.size < size:
        index = edge.size // tiles.WIDTH
        width = tiles.width_at(size, 0, index)
        path = tiles.bundle_path(index, width)
        data = read(path) or read(tiles.bundle_path(index))
        try:
            entries = tiles.decode_bundle(data or b"", width)
        except tiles.TileError as error:
            raise NotExported(f"the log's {path} {'is missing' if data is None else f'is damaged: {error}'}{_SEE}{again}") from None
        folder.put(path, tiles.encode_bundle(entries))
        for number, entry in enumerate(entries, edge.size):
            _leaf(folder, number, entry, read, found)
        edge, full = tiles.grow(edge, [leaf_hash(entry) for entry in entries])
        for tile in full:
            folder.put(tile.path, tile.data)
        progress(edge.size, size)
    for tile in edge.partial_tiles():
        folder.put(tile.path, tile.data)
    if edge.root() != point.root:
        raise NotExported(f"the {size:,} entries of the log do not lead to the root of its checkpoint{_SEE}{again}")
    return found


_SEE = "; `mingjian verify` says what is wrong with the log"


def _leaf(folder: Folder, index: int, entry: bytes, read: ReadFile, found: _Read) -> None:
    try:
        one = decode(entry)
    except FrameError as error:
        raise NotExported(f"leaf {index} of the log is no frame: {error}{_SEE}") from None
    whole: Record | None
    if isinstance(one, Stub):
        path = oversize_path(one.sha256)
        data = read(path)
        whole = whole_of(one, lambda _: data)
        if data is None or whole is None:
            raise NotExported(f"the log's {path}, the bytes of leaf {index}, is missing or damaged{_SEE}")
        folder.put(path, data)
    else:
        whole = one
    if one.topic == REGISTRY:
        found.registry[one.offset] = whole.value
    elif one.topic == FACTS:
        found.newest[one.partition] = one.timestamp


def _beside(folder: Folder, registry: Mapping[int, bytes | None], wanted: Wanted) -> list[Activated]:
    """What the registry names and no leaf holds, and what stands there for people."""
    for path, data in files_of(registry).items():
        folder.put(path, data)
    if wanted.policy_text is not None:
        folder.put(WITNESSES, wanted.policy_text)
    editions = activated(registry)
    for one in editions:
        files = wanted.editions.get(one.sha256)
        if files is None:
            raise NotExported(
                f"no edition of {one.regime} at hand has the digest {one.sha256} that registry record {one.offset} activated as "
                f"{one.version}: nobody could replay. Put its files below rulebooks/{one.regime}/editions (docs/operate.md), or name "
                "another folder with --rulebooks"
            )
        for name, data in files.items():
            folder.put(f"{one.folder}/{name}", data)
    return editions
