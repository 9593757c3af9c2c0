"""Facts as they come → those that can be folded: what the live driver puts into quarantine, every other driver leaves out."""

from __future__ import annotations

from collections.abc import Callable

from services.rating.domain.facts import Fact
from services.rating.domain.subject import Subject, fold


def foldable(subject: str, partition: int, facts: list[Fact], refused: Callable[[], None]) -> Subject:
    """The subject of those facts that can be folded; ``refused`` is called for each of the others."""
    kept: list[Fact] = []
    state = Subject(subject, partition)
    for fact in facts:
        try:
            state.apply(fact)
            kept.append(fact)
        except Exception:  # what fails once fails always; the state is of no use then
            refused()
            state = fold(subject, partition, kept)
    return state
