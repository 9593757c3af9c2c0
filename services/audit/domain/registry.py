"""What the detectors need of the registry: when each regime went live, and which outages were declared.

Invariant: ``at(n)`` knows exactly the registry up to and with offset ``n``, so a fact stamped with ``n`` is judged the
same on every replay, however far the registry was read by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.audit.domain.late import Outage

GO_LIVE = "mingjian.go_live.declared.v1"
OUTAGE = "mingjian.outage.declared.v1"
GENESIS = "mingjian.genesis.v1"


@dataclass(frozen=True)
class Known:
    """The registry as of an offset."""

    go_live: Mapping[str, date]
    outages: tuple[Outage, ...]


@dataclass(frozen=True)
class Registry:
    """Folded registry events with their offsets, in order. ``next_offset``: first offset not folded."""

    next_offset: int = 0
    stack: str = "stack:mingjian"
    go_lives: tuple[tuple[int, str, date], ...] = ()
    outages: tuple[tuple[int, Outage], ...] = ()

    def apply(self, offset: int, event: Mapping[str, object] | None) -> Registry:
        """Fold the record at ``offset``; ``event`` None where it could not be read."""
        following = offset + 1
        data = event["data"] if event else None
        if event is None or not isinstance(data, Mapping):
            return Registry(following, self.stack, self.go_lives, self.outages)
        stack, go_lives, outages = self.stack, self.go_lives, self.outages
        if event["type"] == GENESIS:
            stack = str(event["subject"])
        elif event["type"] == GO_LIVE:
            go_lives += ((offset, str(data["regime"]), date.fromisoformat(str(data["occurred_on"]))),)
        elif event["type"] == OUTAGE:
            scheme, _, office = str(event["subject"]).partition(":")
            outages += ((offset, Outage(str(data["started"]), str(data["ended"]), office if scheme == "office" else None)),)
        return Registry(following, stack, go_lives, outages)

    def at(self, offset: int) -> Known:
        """The registry up to and with ``offset``; of two go-live dates of a regime the later declaration holds."""
        return Known(
            {regime: day for place, regime, day in self.go_lives if place <= offset},
            tuple(outage for place, outage in self.outages if place <= offset),
        )
