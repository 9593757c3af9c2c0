"""What offices owe, have done or left undone: the newest event of each duty on ``mingjian.duties.v1`` (ADR 0024)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.rating.domain.duty_events import TYPES
from services.rating.gathering import Entry


@dataclass(slots=True)
class Owed:
    """By the duty's id. Records of one subject are taken in the order of their partition; copies change nothing."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry]) -> None:
        """Take records of the duties' topic. Raises ``ValueError`` or ``KeyError`` for bytes that rating never wrote."""
        for _, _, _, value, _ in entries:
            if value is None:
                continue
            event = orjson.loads(value)["event"]
            if event["type"] not in TYPES:
                raise ValueError(f"{event['type']} is nothing that is told of a duty")
            before = self.events.get(event["data"]["duty"])
            # A step that is told again comes behind what followed it.
            if before is None or event["data"]["cause"]["offset"] >= before["data"]["cause"]["offset"]:
                self.events[event["data"]["duty"]] = event

    def found(
        self, *, subject: str | None = None, office: str | None = None, regime: str | None = None, states: frozenset[str] | None = None
    ) -> list[dict[str, Any]]:
        """Those asked for, but for what never was a duty; the first due first."""
        asked = [
            one
            for one in self.events.values()
            if one["data"]["state"] != "void"
            and subject in (None, one["subject"])
            and office in (None, one["data"]["office"])
            and regime in (None, one["data"]["regime"])
            and (states is None or one["data"]["state"] in states)
        ]
        return sorted(asked, key=lambda one: (one["data"]["due_on"], one["subject"], one["data"]["duty"]))


def is_late(data: dict[str, Any]) -> bool:
    """Whether it was performed after its last day."""
    return data["performed_on"] is not None and data["performed_on"] > data["due_on"]
