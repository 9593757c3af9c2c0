"""What the process tells about itself: state and readiness."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from services.audit.appender import CHECKPOINT
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.nights import Nights
from services.audit.ports import LogStore
from services.audit.witnessing import Witnesses
from services.audit.worker import DetectorLoop, LogLoop, Progress, RegistryReader

LAG_LIMIT = 50_000
PROGRESS_LIMIT_S = 30.0


class Status:
    """Read from the loops at every question. ``monotonic``, ``wall``: seconds."""

    def __init__(
        self,
        *,
        log: LogLoop,
        detectors: DetectorLoop,
        registry: RegistryReader,
        store: LogStore,
        verifier: VerifierKey,
        witnesses: Witnesses,
        nights: Nights,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._log = log
        self._detectors = detectors
        self._registry = registry
        self._store = store
        self._verifier = verifier
        self._witnesses = witnesses
        self._nights = nights
        self._monotonic = monotonic
        self._wall = wall

    def reasons(self) -> list[str]:
        """Why the process is not ready; empty when it is. Judged by lag and progress, not by being alive."""
        return self._not_ready("log", self._log.progress) + self._not_ready("detectors", self._detectors.progress) + self._held()

    def _held(self) -> list[str]:
        since = self._log.progress.held_since
        waited = self._monotonic() - since if since is not None else 0.0
        if waited <= PROGRESS_LIMIT_S:
            return []
        return [f"log: no checkpoint for {waited:.0f} s, for fewer than {self._witnesses.policy.needed} witnesses cosign"]

    def _not_ready(self, name: str, progress: Progress) -> list[str]:
        if progress.phase != "live":
            return [f"{name}: {progress.phase}"]
        lag = progress.lag()
        if lag is None:
            return [f"{name}: lag not known yet"]
        idle = self._monotonic() - progress.moved_at
        if lag > LAG_LIMIT or (lag and idle > PROGRESS_LIMIT_S):
            return [f"{name}: {lag} records behind, {idle:.0f} s since the last step"]
        return []

    def _published(self) -> tuple[Checkpoint, bytes] | None:
        note = self._store.read(CHECKPOINT)
        if note is None:
            return None
        try:
            return open_checkpoint(note, self._verifier, self._witnesses.policy.keys)[0], note
        except NoteError:
            # Tampered with on disk: the log loop puts its own back; until then there is none to show.
            return None

    def state(self) -> dict[str, Any]:
        """The answer of ``/api/v1/log``."""
        progress = self._log.progress
        published, note = self._published() or (None, None)
        places = sorted(set(progress.next_offsets) | set(progress.ends))
        return {
            "phase": progress.phase,
            "origin": self._verifier.name,
            "vkey": self._verifier.text,
            "size": published.size if published else 0,
            "root": base64.b64encode(published.root).decode() if published else None,
            "checkpoint_age_seconds": round(self._wall() - progress.signed_at, 3) if progress.signed_at else None,
            "integrated": progress.size,
            "lag": progress.lag(),
            "witnesses": self._witnesses.state(note),
            "grades": self._nights.state(),
            "detectors_phase": self._detectors.progress.phase,
            "detectors_lag": self._detectors.progress.lag(),
            "unreadable_registry_offsets": list(self._registry.state.without_effect),
            "partitions": [
                {
                    "topic": topic,
                    "partition": partition,
                    "next_offset": progress.next_offsets.get((topic, partition), 0),
                    "lag": max(0, progress.ends[topic, partition] - progress.next_offsets.get((topic, partition), 0))
                    if (topic, partition) in progress.ends
                    else None,
                }
                for topic, partition in places
            ],
        }
