"""Who stands on which list: membership follows the grade in effect, by the rulebook's own definition of the list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import derived_id
from schemas.times import civil_date, instant
from schemas.topics import GRADES
from services.publication.domain.rows import ChangeRow

ENTERED = "mingjian.list.entered.v1"
LEFT = "mingjian.list.left.v1"


@dataclass(frozen=True, slots=True)
class ListRule:
    """A list of a regime: whoever holds one of ``grades`` stands on it."""

    name: str
    regime: str
    grades: frozenset[str]
    clause: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ListChange:
    """A subject put on a list or taken off. ``on``: civil date in the stack's zone, or the grade's own ``in_force_from``."""

    id: str
    list: str
    subject: str
    regime: str
    entered: bool
    grade: str | None
    on: date
    clause: str
    cause: str
    known_ms: int
    value: bytes
    trace: str | None = None


def transitions(change: ChangeRow, member_of: frozenset[str], rules: Iterable[ListRule], time_zone: str) -> list[ListChange]:
    """What ``change`` does to the lists of its regime. ``member_of``: the lists the subject stands on before it.

    A list that no rule defines any more is left."""
    if not change.in_effect:
        return []
    by_name = {rule.name: rule for rule in rules if rule.regime == change.regime}
    found: list[ListChange] = []
    for name in sorted(by_name.keys() | member_of):
        rule = by_name.get(name)
        belongs = rule is not None and change.grade is not None and change.grade in rule.grades
        if belongs != (name in member_of):
            found.append(_list_change(change, name, rule, belongs, time_zone))
    return found


def _list_change(change: ChangeRow, name: str, rule: ListRule | None, entered: bool, time_zone: str) -> ListChange:
    on = change.in_force_from or civil_date(instant(change.known_ms), time_zone)
    clause = rule.clause if rule is not None else "-"
    cause = {"topic": GRADES, "partition": change.partition, "offset": change.offset, "id": change.id}
    data: dict[str, Any] = {"list": name, "regime": change.regime, "grade": change.grade, "cause": cause}
    if entered:
        data |= {"since": on.isoformat(), "clause": clause}
    else:
        data |= {"on": on.isoformat(), "reason": change.status if change.grade is None else f"grade {change.grade}"}
    kind = f"list.{'entered' if entered else 'left'}:{name}"
    event = derived_event(
        id=derived_id(cause=change.id, kind=kind, subject=change.subject, regime=change.regime),
        service="publication",
        type=ENTERED if entered else LEFT,
        subject=change.subject,
        time=instant(change.known_ms),
        data=data,
    )
    return ListChange(
        id=event["id"],
        list=name,
        subject=change.subject,
        regime=change.regime,
        entered=entered,
        grade=change.grade,
        on=on,
        clause=clause,
        cause=change.id,
        known_ms=change.known_ms,
        value=derived_bytes(event),
        trace=change.trace,
    )


def after(held: frozenset[str], changes: Iterable[ListChange]) -> frozenset[str]:
    """The lists one subject stands on after ``changes``."""
    for change in changes:
        held = held | {change.list} if change.entered else held - {change.list}
    return held
