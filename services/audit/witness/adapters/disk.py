"""A folder on a local disk."""

from __future__ import annotations

import os
from pathlib import Path


class FolderDisk:
    """``Disk`` on ``folder``, which must be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, data: bytes) -> None:
        """See ``Disk.write``."""
        handle = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, name: str, to: str) -> None:
        """See ``Disk.rename``."""
        os.rename(self._folder / name, self._folder / to)

    def sync_names(self) -> None:
        """See ``Disk.sync_names``."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, name: str) -> bytes | None:
        """See ``Disk.read``."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
