"""Whether a checkpoint may be cosigned. The order of the questions is tlog-witness's.

Invariant: of two checkpoints of one size, at most one is ever admitted, and none below one that was: whatever is admitted continues
``latest``, and ``latest`` is what was admitted last.
"""

from __future__ import annotations

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.merkle import EMPTY_ROOT, ProofError, verify_consistency
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.witness.domain.request import Request


class Refused(Exception):
    """``status`` of the answer (HTTP); ``size``: what the witness has, where the asker can go on from there."""

    def __init__(self, status: int, words: str, size: int | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.size = size


def nothing_yet(log: VerifierKey) -> Checkpoint:
    """What a witness has of a log that it never cosigned: no leaves."""
    return Checkpoint(log.name, 0, EMPTY_ROOT)


def check_signature(request: Request, log: VerifierKey) -> None:
    """Raise ``Refused`` (403) unless the log itself signed the checkpoint. Other keys' signatures are nobody's business here."""
    try:
        open_checkpoint(request.note, log)
    except NoteError as error:
        raise Refused(403, str(error)) from None


def check_continues(request: Request, latest: Checkpoint) -> None:
    """Raise ``Refused`` (400, 409, 422) unless the request proves that its checkpoint continues ``latest``."""
    size, root = request.checkpoint.size, request.checkpoint.root
    if request.old > size:
        raise Refused(400, f"old is {request.old}, the checkpoint has {size} leaves")
    if request.old != latest.size:
        raise Refused(409, f"{latest.size} leaves were cosigned last", latest.size)
    if size == latest.size and root != latest.root:
        # No size to go on from: the tree is another one.
        raise Refused(409, f"another root was cosigned for {size} leaves")
    try:
        verify_consistency(old=latest.size, new=size, old_root=latest.root, new_root=root, proof=request.proof)
    except ProofError as error:
        raise Refused(422, str(error)) from None
