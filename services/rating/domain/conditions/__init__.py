"""One file a kind of condition. Cause kinds have ``matches``, ``tracking`` and ``describe``; the others ``holds``."""

from types import ModuleType

from services.rating.domain.conditions import acts, components, in_succession, inspections, no_acts, operated_for, points, score

CAUSE_KINDS: dict[str, ModuleType] = {"acts": acts, "in_succession": in_succession}

__all__ = ["CAUSE_KINDS", "acts", "components", "in_succession", "inspections", "no_acts", "operated_for", "points", "score"]
