"""Proof files ``c2sp.org/tlog-proof@v1``: a leaf's place, its path, and the checkpoint it leads to."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.merkle import ProofError, leaf_hash, verify_inclusion
from services.audit.domain.note import VerifierKey
from services.audit.domain.policy import NOBODY, Policy, open_cosigned

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class LogProof:
    """``checkpoint`` is the signed note's bytes; ``path`` leads from the leaf to the root."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def data(self) -> bytes:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(one).decode() for one in self.path]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


def _hash(line: str, length: int | None = 32) -> bytes:
    try:
        data = base64.b64decode(line, validate=True)
    except ValueError:
        raise ProofError("a line of the proof is not base64") from None
    if base64.b64encode(data).decode() != line or (length is not None and len(data) != length):
        raise ProofError("a line of the proof is not the base64 of a hash")
    return data


def parse_proof(data: bytes) -> LogProof:
    """Read a proof file. Raises ``ProofError``."""
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise ProofError("the proof has no blank line before its checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("the proof is not ASCII") from None
    if lines.pop(0) != HEADER:
        raise ProofError(f"the proof does not begin with {HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _hash(lines.pop(0).removeprefix("extra "), None)
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if not match or len(lines) > MAX_PATH:
        raise ProofError("the proof has no index line, or too many hashes")
    return LogProof(int(match[1]), tuple(_hash(line) for line in lines), note, extra)


def verify_proof(data: bytes, entry: bytes, log: VerifierKey, policy: Policy = NOBODY) -> Checkpoint:
    """Raise ``ProofError`` or ``NoteError`` unless the file shows ``entry`` in the log, under a checkpoint that the policy takes."""
    proof = parse_proof(data)
    checkpoint = open_cosigned(proof.checkpoint, log, policy)
    verify_inclusion(index=proof.index, size=checkpoint.size, leaf=leaf_hash(entry), proof=proof.path, root=checkpoint.root)
    return checkpoint
