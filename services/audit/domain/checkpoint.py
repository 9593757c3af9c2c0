"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of the log in three lines, as a signed note."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.audit.domain.note import NoteError, Signer, VerifierKey, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """What the log commits to: ``size`` leaves under ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text: three lines, each with its newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the signed text. Raises ``NoteError``: no leading zeros, no extension lines."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint has three lines")
    origin, size, encoded, _ = lines
    if not origin or not _SIZE.fullmatch(size):
        raise NoteError("a checkpoint's origin is empty or its size not a plain number")
    try:
        root = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise NoteError("a checkpoint's root is not base64") from None
    if len(root) != 32 or base64.b64encode(root).decode() != encoded:
        raise NoteError("a checkpoint's root has not 32 bytes")
    return Checkpoint(origin, int(size), root)


def open_checkpoint(data: bytes, log: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> tuple[Checkpoint, tuple[Signer, ...]]:
    """The checkpoint and who signed it; the log itself must have. Raises ``NoteError``."""
    note, signers = open_note(data, (log, *witnesses))
    if all(signer.key != log for signer in signers):
        raise NoteError("the log did not sign the checkpoint")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != log.name:
        raise NoteError("the checkpoint is another log's")
    return checkpoint, signers


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Callable[[bytes], bytes]) -> bytes:
    """The signed note. Ed25519: the same checkpoint always gives the same bytes."""
    return sign_note(checkpoint.text, key, sign)
