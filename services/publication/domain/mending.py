"""What was said of an entry later: annulled, changed, corrected, retracted, objected to, repaired (R18).

History keeps an entry as it was entered. Whoever reads it has to see beside it that it no longer counts, or not as it stands.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from services.publication.domain.rows import copy_of
from services.publication.domain.subjects import MENDING_TYPES

TYPES = (*MENDING_TYPES, "mingjian.act.annulled.v1", "mingjian.act.changed.v1", "mingjian.repair.decided.v1")


def said_of(rows: Iterable[Mapping[str, Any]]) -> dict[uuid.UUID, list[Mapping[str, Any]]]:
    """By the entry (``rows.copy_of``) the facts that name it, in the order given. A reference that can't be read names nothing."""
    found: dict[uuid.UUID, list[Mapping[str, Any]]] = {}
    for row in rows:
        data = row["data"]
        for one in (data.get("entry"), data.get("act"), *(data.get("acts") or ())):
            if isinstance(one, Mapping) and isinstance(one.get("source"), str) and isinstance(one.get("id"), str):
                found.setdefault(copy_of(one), []).append(row)
    return found
