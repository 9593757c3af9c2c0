"""How far a verification came: a file in the reader's own memory folder, so that the same command goes on after an interruption.

What a resumed run shows
1. The folder of the log is read whole in every run: bundles, tiles, root, seen checkpoints, receipts, control copies, PostgreSQL.
2. Signatures are not checked a second time where the same bytes were checked under the same keys: that shows no less.
3. Kafka's records that were held against the very leaves that the log has now are not read a second time. Of these it shows what they
   were when they were read, not what they are now; the report says how many. ``--from-start`` reads all of them.
4. What had a fault is always looked at again.

The file is bound to the log's key, and what it says of Kafka to the broker's address. One that is damaged, or of another version, counts
as none. It is no evidence: whoever can write to the folder can spare a verification work, as he can make it forget a checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.audit.domain.verify import Place

_VERSION = 1
_EVERY_S = 2.0


@dataclass
class Progressed:
    """``path``: None keeps nothing. ``monotonic``: seconds."""

    path: Path | None
    log: str
    monotonic: Callable[[], float]
    _kept: dict[str, Any] = field(default_factory=dict)
    _written: float = float("-inf")
    _places: Callable[[], Mapping[Place, tuple[int, str]]] | None = None

    @staticmethod
    def load(path: Path | None, log: str, monotonic: Callable[[], float], *, from_start: bool) -> Progressed:
        """What an interrupted run left. ``log``: the log's verifier key. ``from_start``: nothing of it counts."""
        kept: dict[str, Any] = {}
        if path is not None and not from_start:
            try:
                digest, _, body = path.read_bytes().partition(b"\n")
                said = json.loads(body) if hashlib.sha256(body).hexdigest().encode() == digest else {}
                if said.get("version") == _VERSION and said.get("log") == log:
                    kept = said
            except (OSError, ValueError, AttributeError):
                kept = {}
        return Progressed(path, log, monotonic, kept)

    def signatures(self, keys: str) -> Mapping[str, tuple[int, int]]:
        """Parts of the log whose signatures were good under these keys, with how many facts and leaves they have."""
        said = self._kept.get("signatures") or {}
        self._kept["signatures"] = {"keys": keys, "parts": dict(said.get("parts", {})) if said.get("keys") == keys else {}}
        return {name: (int(facts), int(leaves)) for name, (facts, leaves) in self._kept["signatures"]["parts"].items()}

    def note_signatures(self, parts: Mapping[str, tuple[int, int]]) -> None:
        """These are done."""
        self._kept["signatures"]["parts"] = parts
        self._from_time_to_time()

    def compared(self, broker: str) -> Mapping[Place, tuple[int, str]]:
        """How far each partition of this broker was held against its leaves, with a digest of those (``Verification.progress``)."""
        said = self._kept.get("kafka") or {}
        places = said.get("places", []) if said.get("broker") == broker else []
        self._kept["kafka"] = {"broker": broker, "places": places}
        return {(topic, partition): (following, digest) for topic, partition, following, digest in places}

    def note_compared(self, places: Callable[[], Mapping[Place, tuple[int, str]]]) -> None:
        """``places`` gives how far they are by now; it is asked as often as it is written down."""
        self._places = places
        self._from_time_to_time()

    def end(self) -> None:
        """The verification came to its end, whatever it found: the next one is a new one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _from_time_to_time(self) -> None:
        if self.monotonic() >= self._written + _EVERY_S:
            self.write()

    def write(self) -> None:
        """Write it down now: the verification is about to be cut off."""
        if self.path is None:
            return
        if self._places is not None:
            self._kept["kafka"]["places"] = [[*place, *far] for place, far in self._places().items()]
        self._written = self.monotonic()
        body = json.dumps({**self._kept, "version": _VERSION, "log": self.log}).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arriving = self.path.with_name(f".{self.path.name}.arriving")
        arriving.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        arriving.rename(self.path)
