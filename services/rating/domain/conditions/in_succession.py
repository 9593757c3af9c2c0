"""Kind ``in_succession``: 三(二)3(1), R6. The same violation warned or announced again and again, with the chance to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import InSuccession
from services.rating.domain.acts import Act
from services.rating.domain.conditions.selection import by_concept, in_field
from services.rating.domain.days import within
from services.rating.domain.holding import Cause, Holding, Quantity
from services.rating.domain.subject import Subject


def matches(condition: InSuccession, rulebook: Rulebook, act: Act) -> bool:
    """True for acts that count towards succession and name a violation."""
    kinds = rulebook.parameter(condition.sanctions).at(act.effective)
    return (
        kinds is not None
        and act.violation is not None
        and not act.sanctions.isdisjoint(kinds)
        and in_field(condition.legal_fields, rulebook, act)
        and by_concept((), condition.except_concepts, act)
    )


def causes(condition: InSuccession, rulebook: Rulebook, acts: Sequence[Act], subject: Subject) -> list[Cause]:
    """The act that lengthens a chain to the needed number is a cause on the day it was served; so is each that follows."""
    chains: dict[str, list[list[Act]]] = {}
    found = []
    for act in acts:
        day = act.effective
        needed = rulebook.parameter(condition.count).at(day)
        if needed is None:
            continue
        same = chains.setdefault(act.violation or "", [])
        chain = max(_chains_before(condition, rulebook, same, act, subject), key=len, default=[])
        longer = [*chain, act]
        same.append(longer)
        if len(longer) >= needed:
            found.append(Cause(day, tuple(longer), len(longer)))
    return found


def _chains_before(condition: InSuccession, rulebook: Rulebook, chains: list[list[Act]], act: Act, subject: Subject) -> Iterator[list[Act]]:
    """The chains that the act continues. They are sorted by day, so the walk back ends where the months do."""
    months = rulebook.parameter(condition.within).at(act.effective)
    for chain in reversed(chains):
        if months is None or not within(chain[-1].effective, act.happened or act.effective, months):
            return
        if _follows(condition, rulebook, chain[-1], act, subject):
            yield chain


def _follows(condition: InSuccession, rulebook: Rulebook, first: Act, second: Act, subject: Subject) -> bool:
    day = second.effective
    happened = second.happened or day
    months = rulebook.parameter(condition.within).at(day)
    if months is None or not happened > first.effective or not within(first.effective, happened, months):
        return False
    if rulebook.parameter(condition.after_term).at(day) and first.correct_by is not None and not happened > first.correct_by:
        return False
    if not rulebook.parameter(condition.broken_by_correction).at(day):
        return True
    return not any(first.effective <= on <= happened and second.violation in codes for on, codes, _ in subject.corrections)


def describe(condition: InSuccession, rulebook: Rulebook, causes: Sequence[Cause]) -> Holding:
    """The longest chain."""
    longest = max(causes, key=lambda cause: (cause.quantity, cause.on))
    needed = rulebook.parameter(condition.count).at(longest.on)
    fills = {"found": longest.quantity, "needed": needed, "violation": longest.acts[-1].violation}
    return Holding(acts=longest.acts, numbers=(Quantity("in_succession", str(longest.quantity), str(needed)),), fills=fills)
