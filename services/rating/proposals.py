"""Which grades await an approver's word: the open proposals among the grade events (R8).

A proposal is open from its ``grade.proposed`` until the next one of its subject and regime, or its ``proposal.closed``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.rating.domain.emit import TYPE_CLOSED, TYPE_PROPOSED
from services.rating.gathering import Entry

_WANTED = frozenset((TYPE_PROPOSED.encode(), TYPE_CLOSED.encode()))


@dataclass(slots=True)
class Open:
    """The events by subject and regime. Records of one subject are taken in the order of their partition."""

    proposals: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry]) -> None:
        """Take records of the grades' topic. Raises ``ValueError`` for bytes that rating never wrote."""
        for _, _, _, value, headers in entries:
            if value is not None and any(name == "ce_type" and word in _WANTED for name, word in headers):
                self._take(orjson.loads(value)["event"])

    def _take(self, event: dict[str, Any]) -> None:
        place = (event["subject"], event["data"]["regime"])
        if event["type"] == TYPE_PROPOSED:
            self.proposals[place] = event
        else:
            self.proposals.pop(place, None)

    def found(self, subject: str | None = None, regime: str | None = None) -> list[dict[str, Any]]:
        """The open ones, the oldest first."""
        asked = (one for (who, which), one in self.proposals.items() if subject in (None, who) and regime in (None, which))
        return sorted(asked, key=lambda one: (one["time"], one["subject"], one["data"]["regime"]))


def draft(proposal: dict[str, Any], approver: str) -> dict[str, Any]:
    """The approval of a proposal, for ``mingjian sign`` to fill in and sign. ``approver``: the pseudonym of whoever signs."""
    data = {"occurred_on": "@today", "regime": proposal["data"]["regime"], "proposal": proposal["id"], "grade": proposal["data"]["grade"]}
    return {"type": "mingjian.grade.approved.v1", "subject": proposal["subject"], "data": data | {"approved_by": approver}}
