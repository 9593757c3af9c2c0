"""The start page's story on a sample stack: the entry made the most working days late.

A finding's details are for departments. They may be shown here only because the town and its officers are made up; the
database refuses a story where genesis doesn't say ``sample`` (migrations).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from schemas.envelope import NotAnEnvelope
from services.publication.domain.rows import Seen

FINDING = "mingjian.finding.raised.v1"
_LATE = ("day_zero", "deadline", "entered_on", "working_days_late", "calendar_days_late", "signed_in_time", "outage", "provisional")


@dataclass(frozen=True, slots=True)
class Story:
    """A late entry. ``event`` says where the fact stands; ``late`` has the contract's LateEntry fields."""

    finding: str
    subject: str
    clause: str | None
    event: dict[str, Any]
    event_type: str | None
    late: dict[str, Any]
    detail_zh: str
    detail_en: str

    @property
    def weight(self) -> tuple[int, str]:
        """The later an entry, the better the story; the id decides between equals, so order of arrival doesn't matter."""
        return int(self.late["working_days_late"]), self.finding


def story(seen: Seen) -> Story | None:
    """The story in a record on findings, or ``None`` where it is another kind of finding."""
    event = seen.opened.event
    data = event["data"]
    late, about = data.get("late"), data.get("event")
    if event["type"] != FINDING or type(late) is not dict or type(about) is not dict or data.get("about") != "entry":
        return None
    if type(late.get("working_days_late")) is not int or type(about.get("offset")) is not int or type(about.get("partition")) is not int:
        raise NotAnEnvelope("a late finding without its numbers")
    try:
        finding = str(uuid.UUID(event["id"]))
    except ValueError:
        raise NotAnEnvelope("event.id is not a UUID") from None
    return Story(
        finding=finding,
        subject=event["subject"],
        clause=data.get("clause"),
        event={name: about.get(name) for name in ("topic", "partition", "offset", "id")},
        event_type=data.get("event_type"),
        late={name: late.get(name) for name in _LATE},
        detail_zh=str(data.get("detail_zh", "")),
        detail_en=str(data.get("detail_en", "")),
    )
