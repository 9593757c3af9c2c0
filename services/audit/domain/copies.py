"""Control events: of each original on the registry the same bytes in every partition of facts, and no others.

What is shown when no fault is found
1. Every event of a type routed ``broadcast`` whose original is a leaf of the registry is a leaf of each partition of facts, byte for
   byte, under the control key; where an original is so new that its copies may be on their way, a notice says so.
2. Nothing in facts is of such a type, or under that key, that isn't a copy of an original.
"""

from __future__ import annotations

import hashlib

from schemas.events import CATALOGUE
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REGISTRY
from services.audit.domain.contents import Leaf, Tell

# By the log's own time. Intake sends copies at once, and what it could not send at its next start.
ON_ITS_WAY_MS = 60_000

Name = tuple[str, str]


class Copies:
    """A ``Watcher`` of registry and facts."""

    def __init__(self, fault: Tell, notice: Tell) -> None:
        self._fault, self._notice = fault, notice
        self._originals: dict[Name, tuple[Leaf, bytes]] = {}
        self._copies: dict[Name, dict[int, tuple[str, bytes]]] = {}
        self._latest = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        self._latest = max(self._latest, leaf.known_ms)
        record = leaf.record
        if record.topic not in (FACTS, REGISTRY) or leaf.earlier is not None:
            return
        broadcast = leaf.one is not None and _is_broadcast(leaf.one.event["type"])
        digest = hashlib.sha256(record.value or b"").digest()
        if record.topic == REGISTRY:
            if broadcast:
                self._originals[leaf.name] = (leaf, digest)
        elif broadcast and record.key == CONTROL_KEY:
            self._copies.setdefault(leaf.name, {})[record.partition] = (leaf.where, digest)
        elif broadcast or record.key == CONTROL_KEY:
            what = "a control event under another key than the control copies'" if broadcast else "no control event under their key"
            self._fault("copy", leaf.where, f"holds {what}")

    def end(self) -> None:
        """See ``Watcher``."""
        for name, (original, digest) in self._originals.items():
            copies = self._copies.pop(name, {})
            said = f"registry 0:{original.record.offset}, {_word(original)} {name[1]}"
            missing = [partition for partition in range(PARTITIONS) if partition not in copies]
            for where, found in copies.values():
                if found != digest:
                    self._fault("copy-changed", where, f"is not what stands on {said}: the control copy was edited")
            if not missing:
                continue
            young = self._latest - original.known_ms <= ON_ITS_WAY_MS
            tell = self._notice if young else self._fault
            # Of a broadcast that never went out one line, not twelve.
            where = f"{FACTS} {', '.join(map(str, missing))}"
            tell("copy-missing", where, f"no copy of {said}" + (" so far: it may be on its way" if young else ""))
        for name, copies in self._copies.items():
            for where, _ in copies.values():
                self._fault("copy", where, f"the control event {name[1]} of {name[0]} has no original on the registry")


def _is_broadcast(kind: str) -> bool:
    row = CATALOGUE.get(kind)
    return row is not None and row.route == "broadcast"


def _word(leaf: Leaf) -> str:
    assert leaf.one is not None
    return leaf.one.event["type"].removeprefix("mingjian.").rpartition(".v")[0]
