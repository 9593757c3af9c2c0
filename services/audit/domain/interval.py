"""A replay of an interval: a partition's facts folded whole, and held against what stands only where the cause became known within it.

What is told of a fact depends on everything before it, so the fold begins at the beginning all the same. Grades that are counted from
parts lie in several partitions and are left to the nightly run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.times import milliseconds
from schemas.topics import PARTS
from services.audit.domain.differences import Stood
from services.audit.domain.replay import Book, Facts, Told


@dataclass(frozen=True, slots=True)
class Interval:
    """Epoch ms, from ``since`` to before ``until``."""

    since: int
    until: int

    def has(self, event: Mapping[str, Any]) -> bool:
        """Whether the event's cause became known in it. What names no such instant has that of its cause's record as its time.

        Raises ``KeyError``, ``TypeError``, ``ValueError``."""
        known = event["data"]["cause"].get("known_from") or event["time"]
        return self.since <= milliseconds(known) < self.until

    def holds(self, one: Stood) -> bool:
        """Whether a record is looked at; by its own time where it doesn't say when its cause was known."""
        if one.topic == PARTS or one.of_whole:
            return False
        try:
            return self.has(one.event) if one.event is not None else self.since <= one.stamp < self.until
        except (KeyError, TypeError, ValueError, AttributeError):
            return self.since <= one.stamp < self.until


@dataclass(slots=True)
class Within(Facts):
    """``Facts`` that tell only of an interval."""

    interval: Interval = Interval(0, 2**63)

    def told(self, subject: str, book: Book) -> Told:
        """See ``Facts.told``."""
        whole = Facts.told(self, subject, book)
        kept = [one for one in whole.events if one.topic != PARTS]
        # One line for each event that is no word of a part, in the same order.
        pairs = [(one, line) for one, line in zip(kept, whole.lines, strict=False) if self.interval.has(one.event)]
        return Told([one for one, _ in pairs], whole.untold, [line for _, line in pairs])
