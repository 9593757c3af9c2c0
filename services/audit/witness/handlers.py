"""The witness's one act: read, judge, keep, cosign. In this order, one request a log at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from services.audit.domain.note import Note, SignatureLine, VerifierKey, cosignature_line, parse_note
from services.audit.witness.domain.judging import Refused, check_continues, check_signature
from services.audit.witness.domain.request import Unreadable, parse_request
from services.audit.witness.ports import StateLost
from services.audit.witness.state import Kept, States


class Witness:
    """``key``: who cosigns, of kind 04; ``sign``: message → 64 bytes; ``wall``: seconds since 1970; ``logs``: whom it follows.

    May be asked from several threads at once."""

    def __init__(
        self,
        *,
        key: VerifierKey,
        sign: Callable[[bytes], bytes],
        logs: Sequence[VerifierKey],
        states: States,
        wall: Callable[[], float],
    ) -> None:
        self.key = key
        self.logs = {log.name: log for log in logs}
        self._sign = sign
        self._states = states
        self._wall = wall
        self._turns = {origin: threading.Lock() for origin in self.logs}

    def add_checkpoint(self, body: bytes) -> bytes:
        """The cosignature's line, once the checkpoint is durably kept. Raises ``Refused``, ``StateLost``, ``OSError``."""
        try:
            request = parse_request(body)
        except Unreadable as error:
            raise Refused(400, str(error)) from None
        origin = request.checkpoint.origin
        log = self.logs.get(origin)
        if log is None:
            raise Refused(404, "this witness does not follow a log of that origin")
        check_signature(request, log)
        # Between looking and keeping nobody else may look.
        with self._turns[origin]:
            check_continues(request, self.kept(origin).latest)
            note = parse_note(request.note)
            line = cosignature_line(note.text, self.key, self._sign, int(self._wall()))
            # Only what the log and we signed: others' lines would make the file anybody's.
            self._states.write(log, Note(note.text, (*_of(log, note), line)).data)
        return line.text.encode()

    def kept(self, origin: str) -> Kept:
        """What is kept of a log that it follows, as it stands on the disk now. Raises ``StateLost``."""
        found = self._states.read(origin)
        if found is None:
            raise StateLost(f"nothing is kept of {origin}, although it is followed: its file was lost")
        if found.log != self.logs[origin]:
            raise StateLost(f"what is kept of {origin} is of another key")
        return found


def _of(log: VerifierKey, note: Note) -> tuple[SignatureLine, ...]:
    return tuple(line for line in note.signatures if (line.name, line.key_id) == (log.name, log.key_id))
