"""What the detectors need of the registry: go-lives, declared outages, announced evaluations.

Invariant: ``at(n)`` knows exactly the registry up to and with offset ``n``, so a fact stamped with ``n`` is judged the
same on every replay, however far the registry was read by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.audit.domain.late import Outage

GO_LIVE = "mingjian.go_live.declared.v1"
OUTAGE = "mingjian.outage.declared.v1"
ANNOUNCED = "mingjian.evaluation.announced.v1"


@dataclass(frozen=True)
class Known:
    """The registry as of an offset."""

    go_live: Mapping[str, date]
    outages: tuple[Outage, ...]


@dataclass(frozen=True)
class Registry:
    """Folded registry events with their offsets, in order. ``next_offset``: first offset not folded.

    An announcement is regime, first and last day of the period, and the evaluation's date."""

    next_offset: int = 0
    go_lives: tuple[tuple[int, str, date], ...] = ()
    outages: tuple[tuple[int, Outage], ...] = ()
    announcements: tuple[tuple[int, tuple[str, str, str, str]], ...] = ()
    unreadable: tuple[int, ...] = ()

    def apply(self, offset: int, event: Mapping[str, Any] | None) -> Registry:
        """Fold the record at ``offset``; ``event`` None where it could not be read."""
        following = replace(self, next_offset=offset + 1)
        if event is None or event["type"] not in (GO_LIVE, OUTAGE, ANNOUNCED):
            return following
        try:
            return following._folded(offset, event)
        except (KeyError, TypeError, ValueError):
            # Went past intake: it has no effect, and the service's status names the offset.
            return replace(following, unreadable=(*self.unreadable, offset))

    def _folded(self, offset: int, event: Mapping[str, Any]) -> Registry:
        data = event["data"]
        if event["type"] == ANNOUNCED:
            period = data["period"]
            said = (str(data["regime"]), str(period["first"]), str(period["last"]), str(data["evaluation_date"]))
            return replace(self, announcements=(*self.announcements, (offset, said)))
        if event["type"] == GO_LIVE:
            declared = (offset, str(data["regime"]), date.fromisoformat(data["occurred_on"]))
            return replace(self, go_lives=(*self.go_lives, declared))
        scheme, _, office = str(event["subject"]).partition(":")
        outage = Outage(data["started"], data["ended"], office if scheme == "office" else None)
        for end in (outage.started, outage.ended):
            if datetime.fromisoformat(end).tzinfo is None:
                raise ValueError("an instant has no zone")
        return replace(self, outages=(*self.outages, (offset, outage)))

    def at(self, offset: int) -> Known:
        """The registry up to and with ``offset``; of two go-live dates of a regime the later declaration holds."""
        return Known(
            {regime: day for place, regime, day in self.go_lives if place <= offset},
            tuple(outage for place, outage in self.outages if place <= offset),
        )
