"""The log as files in a folder. Order of every write: temporary file, fsync, rename, fsync of the folder.

A crash before the rename leaves a temporary file that nobody reads; between rename and the folder's fsync, a name that may be
lost: nothing relies on it, for the checkpoint that would comes later.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.audit.ports import LogDamaged

_SYNCS_AT_ONCE = 4
_ARRIVING = ".tmp"


class FolderStore:
    """``LogStore`` on a local folder. ``mark`` keeps the temporary files of two processes apart."""

    def __init__(self, root: Path, mark: str) -> None:
        self._root = root
        self._mark = mark
        self._pool = ThreadPoolExecutor(_SYNCS_AT_ONCE, thread_name_prefix="log-sync")
        root.mkdir(parents=True, exist_ok=True)

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """See ``LogStore.write``. Raises ``OSError`` (a full disk among others) with nothing half visible."""
        folders: dict[Path, None] = {}
        for path, _ in files:
            self._make(self._root / path, folders)
        if len(files) == 1:
            self._write_one(*files[0])
        else:
            list(self._pool.map(lambda one: self._write_one(*one), files))
        for folder in folders:
            sync_folder(folder)

    def _make(self, target: Path, folders: dict[Path, None]) -> None:
        folder = target.parent
        if folder not in folders and not folder.is_dir():
            missing = [one for one in (folder, *folder.parents) if not one.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            # A new folder's name stands in the folder above it.
            folders.update(dict.fromkeys(one.parent for one in missing))
        folders[folder] = None

    def _write_one(self, path: str, data: bytes) -> None:
        target = self._root / path
        arriving = target.with_name(f".{target.name}.{self._mark}{_ARRIVING}")
        handle = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(arriving, target)
        if target.read_bytes() != data:
            raise LogDamaged(f"{path} does not read back as it was written")

    def read(self, path: str) -> bytes | None:
        """See ``LogStore.read``."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def remove_partials(self, path: str) -> None:
        """See ``LogStore.remove_partials``."""
        folder = (self._root / path).with_name(Path(path).name + ".p")
        if folder.is_dir():
            for one in folder.iterdir():
                one.unlink(missing_ok=True)
            folder.rmdir()

    def leftovers(self) -> list[str]:
        """See ``LogStore.leftovers``."""
        found = []
        for one in sorted(self._root.rglob("*")):
            if one.name.startswith(".") and one.name.endswith(_ARRIVING):
                one.unlink(missing_ok=True)
            elif one.name.endswith(".p") and one.is_dir() and (full := one.with_suffix("")).is_file():
                found.append(full.relative_to(self._root).as_posix())
        return found

    def close(self) -> None:
        """Stop the threads that sync."""
        self._pool.shutdown()


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
