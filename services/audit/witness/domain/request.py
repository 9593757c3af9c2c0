"""The body of ``add-checkpoint``: ``old N``, a consistency proof, a blank line, a checkpoint. Read strictly: one spelling only."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from services.audit.domain.checkpoint import Checkpoint, parse_checkpoint
from services.audit.domain.merkle import HASH_BYTES
from services.audit.domain.note import NoteError, parse_note

MAX_BODY_BYTES = 65_536
MAX_HASHES = 63

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Unreadable(ValueError):
    """Not a request of this protocol; the message says why."""


@dataclass(frozen=True)
class Request:
    """``old``: the size that the log believes the witness to have; ``note``: the checkpoint as it was sent, ``checkpoint`` what it says."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint


def parse_request(body: bytes) -> Request:
    """Read a body. Raises ``Unreadable``. No signature is looked at."""
    if len(body) > MAX_BODY_BYTES:
        raise Unreadable(f"the body has more than {MAX_BODY_BYTES} bytes")
    head, blank, note = body.partition(b"\n\n")
    if not blank:
        raise Unreadable("no blank line before the checkpoint")
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Unreadable("what stands before the checkpoint is not ASCII") from None
    old = _OLD.fullmatch(first)
    if old is None:
        raise Unreadable("the first line is not `old` and a size")
    if len(rest) > MAX_HASHES:
        raise Unreadable(f"the proof has more than {MAX_HASHES} hashes")
    proof = tuple(_hash(line) for line in rest)
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except NoteError as error:
        raise Unreadable(str(error)) from error
    return Request(int(old[1]), proof, note, checkpoint)


def _hash(line: str) -> bytes:
    try:
        data = base64.b64decode(line, validate=True)
    except ValueError:
        raise Unreadable("a line of the proof is not base64") from None
    if len(data) != HASH_BYTES or base64.b64encode(data).decode() != line:
        raise Unreadable("a line of the proof is not the base64 of a hash")
    return data
