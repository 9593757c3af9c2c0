"""The two clocks of every fact, worked out again from the log: what the detectors tell as findings about the operation.

Notices, not faults: a clock that went wrong, or a record that waited, is for people to look at and nothing that was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.envelope import NotAnEnvelope, open_record
from schemas.times import instant, milliseconds
from schemas.topics import FACTS, REGISTRY
from services.audit.domain import clocks
from services.audit.domain.clocks import Clock
from services.audit.domain.contents import Leaf, Tell
from services.audit.domain.registry import Registry
from services.audit.domain.verify import Place


class Times:
    """A ``Watcher``. ``registry``: the registry's records by offset, for declared outages."""

    def __init__(self, genesis: Mapping[str, Any], registry: Mapping[int, bytes | None], notice: Tell) -> None:
        self._notice = notice
        self._clocks: dict[Place, Clock] = {}
        self._registry = Registry(genesis)
        for offset, value in sorted(registry.items()):
            try:
                self._registry.apply(offset, open_record(value))
            except NotAnEnvelope:
                self._registry.apply(offset, None)

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        record = leaf.record
        if record.topic not in (FACTS, REGISTRY):
            return
        place = (record.topic, record.partition)
        clock, step = clocks.tick(self._clocks.get(place, Clock()), record.timestamp, record.timestamp_type)
        if step is not None:
            what = f"the partition's time went back {step.back} ms, to {step.behind} ms behind its latest"
            self._notice("clock", leaf.where, f"{what}; what is known from when goes by the latest")
        self._clocks[place] = self._compared(clock, leaf)

    def _compared(self, clock: Clock, leaf: Leaf) -> Clock:
        if leaf.one is None or leaf.earlier is not None or clock.high is None:
            return clock
        try:
            received = milliseconds(leaf.one.entry["received_at"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return clock
        apart = clocks.compare(clock, received)
        if apart is None:
            return replace(clock, apart=False)
        stamp = leaf.one.entry.get("registry_offset")
        outages = self._registry.at(stamp if type(stamp) is int else -1).outages
        if clock.apart or clocks.covered(apart, outages, leaf.one.event["source"]):
            return clock
        what = f"entered at {instant(received)}, known from {instant(apart.known)}, and no outage was declared"
        self._notice("clock", leaf.where, f"{what}; what follows in the partition is not listed again until it is in order")
        return replace(clock, apart=True)

    def end(self) -> None:
        """See ``Watcher``."""
