"""Proposals that nobody decides; and those that are decided, or wait for a few days only. What is proposed follows from the town."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services._cli.sample.approvals import Proposed, approvals, signed_town
from services._cli.sample.falsify import unvisited
from services._cli.sample.people import APPROVER, BUREAU
from services._cli.sample.town import Sent, Town
from services.rating.domain.fold import Book

KIND = "approval_open"
# How many are left open, and how long before the town's end at least; and how many of the others are named as look-alikes.
_LEFT, _LONG_DAYS, _NAMED = 3, 120, 6


def some_left_open(town: Town, sent: Sequence[Sent], book: Book) -> Town:
    """The town with the approver's signatures but those that are left out. ``sent``: all of it in the order of entry."""
    signed, proposed = approvals(town, sent, book)
    left = _left(town, proposed)
    again, _ = approvals(town, sent, book, only={one.subject for one in left}, left={one.id for one in left})
    subjects = {one.subject for one in left}
    signed = [*(one for one in signed if one.event["subject"] not in subjects), *again]
    # Signed, and open all the same by what rating says: nothing that was sown, and nothing to be silent about.
    odd = {one.subject for one in proposed if one.decided and not one.closed} - subjects
    lines = [_line(one, planted=None, why="signed, and still open by what rating says") for one in proposed if one.subject in odd]
    lines += [_line(one, planted=True, why="proposed months ago, and nobody decided") for one in left]
    if town.choice in ("both", "lookalikes"):
        others = [one for one in proposed if one.subject not in subjects | odd]
        waiting = [_line(one, planted=False, why="proposed in the town's last days") for one in others if not one.decided]
        decided = [_line(one, planted=False, why="decided some working days later") for one in others if one.decided][:_NAMED]
        lines += [*waiting, *decided]
    return signed_town(replace(town, matters=(*town.matters, *lines)), _numbered(signed))


def _left(town: Town, proposed: Sequence[Proposed]) -> list[Proposed]:
    """The last ones of their subjects, months before the end."""
    if town.choice not in ("both", "planted"):
        return []
    # What an office owes by a grade is owed only once the grade is approved: a visit that was sown as owed must be.
    owed = {subject for one in town.matters if one["kind"] == unvisited.KIND for subject in one["subjects"]}
    last = {one.subject: one for one in proposed if one.subject not in owed}
    old = [one for one in last.values() if one.decided and (town.plan.until - one.moment).days > _LONG_DAYS]
    return sorted(old, key=lambda one: one.moment)[-_LEFT:]


def _numbered(signed: Sequence[Sent]) -> list[Sent]:
    """The bureau numbers its approvals through the year, in the order of their days."""
    last: dict[int, int] = {}
    found: list[Sent] = []
    for one in sorted(signed, key=lambda one: (one.received, one.event["id"])):
        year = int(one.event["data"]["occurred_on"][:4])
        last[year] = last.get(year, 0) + 1
        data = {**one.event["data"], "document_no": f"样例信批〔{year}〕{last[year]}号"}
        found.append(replace(one, event={**one.event, "data": data}))
    return found


def _line(one: Proposed, *, planted: bool | None, why: str) -> dict[str, Any]:
    return {
        "kind": KIND,
        "planted": planted,
        "entries": [],
        "office": BUREAU,
        "officers": [APPROVER.pseudonym],
        "subjects": [one.subject],
        "why": why,
        "proposal": one.id,
        "proposed_at": one.moment.isoformat(),
    }
