"""Which acts a condition looks at: by sanction, by legal field, by concept."""

from __future__ import annotations

from schemas.rulebook import Rulebook
from services.rating.domain.acts import Act


def in_field(name: str | None, rulebook: Rulebook, act: Act) -> bool:
    """三(一)1: the legal field decides, not the agency. An act that names no field is the regime's own."""
    if name is None or act.legal_field is None:
        return True
    fields = rulebook.parameter(name).at(act.effective)
    return fields is not None and act.legal_field in fields


def by_concept(only: tuple[str, ...], excepted: tuple[str, ...], act: Act) -> bool:
    """三(二)2(2), R14: some conditions look only at acts that carry a legal notion, others never at them."""
    if only and act.concepts.isdisjoint(only):
        return False
    return act.concepts.isdisjoint(excepted)
