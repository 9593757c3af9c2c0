"""What two drivers must agree on, as lines and one digest: grades, clauses and days, never where a fact stands in Kafka.

A line is the JSON of a list. Final standings: subject, regime, grade, status, in force from, last day of the evaluated period,
clauses; after it the duties of offices about the subject. Grade events: the same, with kind, last corrected day and the grade and
status before; duty events with the state before. Lines are sorted as bytes, so by subject first; the digest is SHA-256 over them, each
ended by a line feed. Whom a regime does not rate has no line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from schemas.events.derived import NOT_RATED
from services.rating.domain.duties import Duty
from services.rating.domain.duty_events import TYPES as DUTY_TYPES
from services.rating.domain.standing import Standing


def final_line(subject: str, regime: str, found: Standing | None) -> bytes | None:
    """A standing as a line."""
    if found is None or found.status == NOT_RATED:
        return None
    # orjson writes dates as YYYY-MM-DD.
    return orjson.dumps([subject, regime, found.grade, found.status, found.in_force_from, found.period_last, found.clauses])


_OF_A_DUTY = ("duty", "office", "clause", "state", "previous_state", "opened_on", "due_on", "performed_on", "lapsed_on")


def duty_lines(subject: str, regime: str, found: Iterable[Duty]) -> Iterator[bytes]:
    """Duties as lines."""
    for one in found:
        days = (one.opened_on, one.due_on, one.performed_on, one.lapsed_on)
        yield orjson.dumps([subject, regime, "duty", one.id, one.office, one.measure.clause, one.state, *days])


def told_line(event: Mapping[str, Any]) -> bytes | None:
    """The same line of the ``grade.determined`` event that told the standing."""
    data = event["data"]
    if data["status"] == NOT_RATED:
        return None
    names = ("regime", "grade", "status", "in_force_from", "period_last", "clauses")
    return orjson.dumps([event["subject"], *(data[name] for name in names)])


def step_line(event: Mapping[str, Any], place: int) -> bytes:
    """A grade event as a line, or one of a duty. ``place``: the how-manyeth of its kind, subject and regime, from 0, for the order
    counts."""
    data = event["data"]
    if event["type"] in DUTY_TYPES:
        return orjson.dumps([event["subject"], data["regime"], place, event["type"], *(data[name] for name in _OF_A_DUTY)])
    names = ("grade", "status", "in_force_from", "corrected_to", "previous_grade", "previous_status", "period_last", "clauses")
    return orjson.dumps([event["subject"], data["regime"], place, event["type"], *(data.get(name) for name in names)])


def digest_of(lines: Iterable[bytes]) -> str:
    """Lower-case hex SHA-256 of the lines, whatever order they come in."""
    whole = hashlib.sha256()
    for line in sorted(lines):
        whole.update(line + b"\n")
    return whole.hexdigest()
