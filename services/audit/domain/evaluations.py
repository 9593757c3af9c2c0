"""五(四) ¶4 with R10: the evaluation date is announced before the evaluation is closed.

In force from the plan's issue (六). An evaluation that nobody announced still counts; that it wasn't announced is for people to weigh.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.audit.domain.registry import Registry

CLOSED = "mingjian.evaluation.closed.v1"
CLAUSE = "五(四) ¶4"
READING = "R10"


def unannounced(event: Mapping[str, Any], offset: int, registry: Registry) -> bool:
    """True for an evaluation, closed at ``offset`` of the registry, whose period and date no record before it announced.

    Raises ``KeyError`` or ``TypeError`` where the event has not the shape of its type."""
    data = event["data"]
    closed = (str(data["regime"]), str(data["period"]["first"]), str(data["period"]["last"]), str(data["evaluation_date"]))
    return all(place >= offset or announced != closed for place, announced in registry.announcements)
