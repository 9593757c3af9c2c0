"""How far a log has come, as the witness keeps it: a file a log, whose every byte is under a signature or is the log's own key.

First line ``mingjian-witness 1``, second the log's verifier key, then ``none`` or the last checkpoint with the log's signature and the
witness's own. Write order: beside, synced, renamed, folder synced.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.witness.domain.judging import nothing_yet
from services.audit.witness.ports import Disk, StateLost

_HEADER = b"mingjian-witness 1\n"
_NONE = b"none\n"
_SUFFIX, _ARRIVING = ".log", ".arriving"


def name_of(origin: str) -> str:
    """The log's name in file names and addresses: SHA-256 of its origin, in hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


@dataclass(frozen=True)
class Kept:
    """``note``: the last checkpoint cosigned, with both signatures; None before the first. ``seconds``: when, by the witness's clock."""

    log: VerifierKey
    latest: Checkpoint
    note: bytes | None
    seconds: int | None


class States:
    """Files of one folder. ``own``: the witness's verifier key."""

    def __init__(self, disk: Disk, own: VerifierKey) -> None:
        self._disk = disk
        self._own = own

    def read(self, origin: str) -> Kept | None:
        """What is kept of a log; None where there is no file. Raises ``StateLost`` for a file that isn't whole."""
        data = self._disk.read(name_of(origin) + _SUFFIX)
        return self._parsed(origin, data) if data is not None else None

    def _parsed(self, origin: str, data: bytes) -> Kept:
        words = f"what is kept of {origin} is not what was written"
        line, newline, rest = data.removeprefix(_HEADER).partition(b"\n")
        if not data.startswith(_HEADER) or not newline:
            raise StateLost(words)
        try:
            log = VerifierKey.parse(line.decode())
            if log.name != origin or log.text.encode() != line:
                raise StateLost(f"{words}: the log's key is another's")
            if rest == _NONE:
                return Kept(log, nothing_yet(log), None, None)
            checkpoint, signers = open_checkpoint(rest, log, [self._own])
        except (NoteError, UnicodeDecodeError) as error:
            raise StateLost(f"{words}: {error}") from error
        times = [one.seconds for one in signers if one.key == self._own]
        if not times:
            raise StateLost(f"{words}: this witness didn't sign it")
        return Kept(log, checkpoint, rest, times[0])

    def write(self, log: VerifierKey, note: bytes | None) -> None:
        """Durable on return. Raises ``OSError``; then either the old or the new one is there, and only the disk knows which."""
        name = name_of(log.name)
        self._disk.write(name + _ARRIVING, _HEADER + log.text.encode() + b"\n" + (_NONE if note is None else note))
        self._disk.rename(name + _ARRIVING, name + _SUFFIX)
        self._disk.sync_names()
