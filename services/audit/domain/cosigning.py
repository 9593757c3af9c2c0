"""What the log says to a witness and reads from it (C2SP tlog-witness, the log's side)."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from services.audit.domain.note import NoteError, SignatureLine, VerifierKey, open_note, parse_note

SIZE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")


def encode_request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of ``add-checkpoint``: from the tree of ``old`` leaves to the checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof)]
    return ("\n".join(lines) + "\n\n").encode() + note


def read_size(media: str, body: bytes) -> int | None:
    """The size that a witness has, from its answer 409; None where it names none."""
    match = _SIZE.fullmatch(body) if media.partition(";")[0].strip() == SIZE else None
    return int(match[1]) if match else None


def read_cosignature(answer: bytes, key: VerifierKey, note: bytes) -> SignatureLine:
    """The witness's line over the note's text; lines of other keys in the answer are left. Raises ``NoteError`` unless it holds."""
    text = parse_note(note).text
    given, signers = open_note(text.encode() + b"\n" + answer, [key])
    if given.text != text or not signers[0].seconds:
        raise NoteError("the answer is no cosignature of this checkpoint")
    return next(line for line in given.signatures if (line.name, line.key_id) == (key.name, key.key_id))


def missing(note: bytes, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Those of the keys that have no line under the note."""
    have = {(line.name, line.key_id) for line in parse_note(note).signatures}
    return [key for key in keys if (key.name, key.key_id) not in have]
