"""Which regimes rate a subject: every one that it was registered for, declared in, scored or inspected with a result in.

Invariant: the same fold as rating's, so that whoever is rated is held to the terms of entry; a regime once there stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.audit.domain.late import Unreadable

REGISTERED = "mingjian.enterprise.registered.v1"
DECLARED = "mingjian.enterprise.status.declared.v1"
SCORED = "mingjian.score.recorded.v1"
INSPECTED = "mingjian.inspection.recorded.v1"
# Rating has the same list (``services.rating.domain.view``).
RESULTS = ("component_scores", "published_outcome", "closure")
TYPES = frozenset({REGISTERED, DECLARED, SCORED, INSPECTED})


def regimes_in(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The regimes that begin to rate the subject by this event, of one of ``TYPES``. Raises ``Unreadable``."""
    data = event["data"]
    if event["type"] == REGISTERED:
        named = data.get("regimes")
    elif event["type"] == INSPECTED and not any(data.get(one) for one in RESULTS):
        return ()
    else:
        named = [data["regime"]] if data.get("regime") is not None else []
    if not isinstance(named, list) or not all(isinstance(name, str) and "\x00" not in name for name in named):
        raise Unreadable("regimes that are no list of names")
    return tuple(named)
