"""The witness's folder: ``key.json``, ``name``, ``lock``, and a file a log in ``logs/``."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.keys import SigningKey, UnusableKey
from services.audit.domain.note import COSIGNATURE, ED25519, NoteError, VerifierKey
from services.audit.witness.adapters.disk import FolderDisk
from services.audit.witness.ports import StateLost
from services.audit.witness.state import States

_KEY, _NAME, _LOCK, _LOGS, _FOLLOWED = "key.json", "name", "lock", "logs", "followed"
_ARRIVING = ".arriving"


class HomeError(Exception):
    """The folder is not, or not yet, a witness's; the message says what to do."""


@dataclass(frozen=True)
class WitnessHome:
    """An opened folder. ``key`` is of kind 04."""

    root: Path
    key: VerifierKey
    private: SigningKey

    @staticmethod
    def create(root: Path, name: str) -> WitnessHome:
        """A new key under ``name``. Raises ``HomeError`` where there is one already or the name can't stand in a note."""
        if (root / _NAME).exists():
            raise HomeError(f"{root} is a witness's folder already")
        private = SigningKey.generate()
        try:
            key = VerifierKey.parse(VerifierKey(name, COSIGNATURE, private.raw_public).text)
        except NoteError as error:
            raise HomeError(str(error)) from error
        (root / _LOGS).mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (root / _KEY).exists():
            private.save(root / _KEY)
        disk = FolderDisk(root)
        _replace(disk, _FOLLOWED, b"")
        _replace(disk, _NAME, f"{key.name}\n".encode())  # last: a folder with a name is whole
        return WitnessHome.open(root)

    @staticmethod
    def open(root: Path) -> WitnessHome:
        """Raises ``HomeError``."""
        try:
            name = (root / _NAME).read_text().strip()
            private = SigningKey.load(root / _KEY)
        except FileNotFoundError as error:
            raise HomeError(f"{root} is no witness's folder ({error.filename} is missing); `mingjian witness init` makes one") from None
        except (ValueError, KeyError, UnusableKey) as error:
            raise HomeError(f"the key in {root} can't be read: {error}") from error
        return WitnessHome(root, VerifierKey(name, COSIGNATURE, private.raw_public), private)

    @property
    def states(self) -> States:
        """What is kept of each log."""
        return States(FolderDisk(self.root / _LOGS), self.key)

    def logs(self) -> list[VerifierKey]:
        """Whom it follows, the first first. Raises ``HomeError``."""
        try:
            return [VerifierKey.parse(line) for line in (self.root / _FOLLOWED).read_text().splitlines()]
        except (OSError, NoteError) as error:
            raise HomeError(f"{self.root / _FOLLOWED} can't be read: {error}") from error

    def follow(self, log: VerifierKey) -> bool:
        """Follow a log from now on, durably; False where it is followed already. A running witness learns of it at its next start.

        Raises ``HomeError`` for another key of a followed origin, and where something is kept of an origin that isn't followed."""
        if log.kind != ED25519:
            raise HomeError("a log's key is of kind 01")
        followed = self.logs()
        if log in followed:
            return False
        if any(one.name == log.name for one in followed):
            raise HomeError(f"{log.name} is followed under another key; a log that changes its key is another log, with another origin")
        try:
            kept = self.states.read(log.name)
        except StateLost as error:
            raise HomeError(str(error)) from error
        if kept is None:
            self.states.write(log, None)
        elif kept.log != log:
            raise HomeError(f"what is kept of {log.name} is of another key")
        # A crash before this line leaves a file that says `none`, or an older one that stays true.
        _replace(FolderDisk(self.root), _FOLLOWED, "".join(f"{one.text}\n" for one in [*followed, log]).encode())
        return True

    def lock(self) -> int:
        """Hold the folder until the handle is closed or the process dies. Raises ``HomeError`` where another holds it."""
        handle = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise HomeError(f"another witness runs on {self.root}") from None
        return handle


def _replace(disk: FolderDisk, name: str, data: bytes) -> None:
    disk.write(name + _ARRIVING, data)
    disk.rename(name + _ARRIVING, name)
    disk.sync_names()


def prepare(root: Path, name: str, logs: Sequence[VerifierKey]) -> WitnessHome:
    """The witness of this folder, made where there is none, following at least these logs. Raises ``HomeError``, also for another name."""
    home = WitnessHome.open(root) if (root / _NAME).exists() else WitnessHome.create(root, name)
    if home.key.name != name:
        raise HomeError(f"the witness in {root} signs as {home.key.name}; another name needs another folder")
    for log in logs:
        home.follow(log)
    return home
