"""Premises that were closed at an inspection and opened again at a later one: which inspection closed them."""

from __future__ import annotations

from collections.abc import Sequence

from services.rating.domain.facts import Fact

ORDERED, KEPT_CLOSED, LIFTED = "ordered", "kept", "lifted"


def lifts(inspection: Fact) -> bool:
    """Whether the premises were allowed to open again at it."""
    return inspection.data.get("closure") == LIFTED


def closing_place(rated: Sequence[Fact], place: int) -> int | None:
    """Where in ``rated`` (by day and offset) the inspection stands that closed what the one at ``place`` opens again; None where
    the register doesn't hold it: an inspection in between that says nothing of a closure was made in open premises."""
    for at in range(place - 1, -1, -1):
        said = rated[at].data.get("closure")
        if said != KEPT_CLOSED:
            return at if said == ORDERED else None
    return None


def first_of_closure(rated: Sequence[Fact], place: int) -> int:
    """Where the closure begins that the inspection at ``place`` lifts: at the closing inspection, or at the first that is on record
    of those that kept the premises closed; ``place`` itself where none is."""
    at = place
    while at > 0 and rated[at - 1].data.get("closure") == KEPT_CLOSED:
        at -= 1
    closing = closing_place(rated, place)
    return at if closing is None else closing
