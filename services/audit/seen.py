"""What a reader remembers of a log between two looks, as it was signed: the newest checkpoint, and the newest cosigned by enough.

The second is the better evidence: its log can't say that another history was shown to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import VerifierKey
from services.audit.domain.policy import Policy
from services.audit.domain.verify import Seen
from services.audit.signatures import read_file

_NEWEST, _COSIGNED, _UNFINISHED = ".checkpoint", ".cosigned", ".unfinished"


@dataclass(frozen=True)
class Memory:
    """Files in ``folder``, of one log."""

    folder: Path
    log: VerifierKey
    policy: Policy

    def _name(self, ending: str) -> str:
        return f"{self.log.name.replace('/', '_')}+{self.log.key_id.hex()}{ending}"

    @property
    def progress(self) -> Path:
        """Where an unfinished verification of this log notes how far it is."""
        return self.folder / self._name(_UNFINISHED)

    def _read(self, ending: str) -> tuple[Checkpoint, bytes] | None:
        """Raises ``NoteError`` for a file that the log didn't sign."""
        note = read_file(self.folder, self._name(ending))
        return (open_checkpoint(note, self.log)[0], note) if note else None

    def newest(self) -> Checkpoint | None:
        """The newest one seen. Raises ``NoteError``."""
        found = self._read(_NEWEST)
        return found[0] if found else None

    def seen(self) -> list[Seen]:
        """What a log has to continue. Raises ``NoteError``."""
        newest, cosigned = self._read(_NEWEST), self._read(_COSIGNED)
        found = [Seen(newest[0])] if newest else []
        if cosigned and (newest is None or cosigned[0] != newest[0]):
            found.append(Seen(cosigned[0], "seen before, cosigned"))
        return found

    def remember(self, note: bytes) -> None:
        """Keep a checkpoint that was verified. Of two of the same tree the one with more cosignatures stays."""
        checkpoint, signers = open_checkpoint(note, self.log, self.policy.keys)
        before = self._read(_NEWEST)
        if before is None or before[0] != checkpoint or self._weight(note) >= self._weight(before[1]):
            self._write(_NEWEST, note)
        if self.policy.needed and self.policy.reached(self.policy.cosigned(signers)):
            self._write(_COSIGNED, note)

    def _weight(self, note: bytes) -> int:
        """How many of the policy's witnesses cosigned it."""
        return len(self.policy.cosigned(open_checkpoint(note, self.log, self.policy.keys)[1]))

    def _write(self, ending: str, note: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        arriving = self.folder / self._name(".arriving")
        arriving.write_bytes(note)
        arriving.rename(self.folder / self._name(ending))
