"""A simulation as JSON values: everything that the page shows, and every subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.rating.analysis.changes import Change
from services.rating.analysis.compared import Compared, deciding, label
from services.rating.analysis.history import Scene
from services.rating.analysis.simulation import Simulation, by_day, said, stretch_labels
from services.rating.domain.sentences import Reason
from services.rating.domain.standing import Standing
from services.rating.report.notes import Note


def simulation_json(found: Simulation, notes: Sequence[Note], *, known_at: str | None, replaced: str | None) -> dict[str, Any]:
    """``known_at``: the instant that the history was cut at, None for all of it; ``replaced``: the file that the new one replaced."""
    rulebook = found.new.book.rulebook
    return {
        "regime": rulebook.regime,
        "as_of": found.as_of.isoformat(),
        "known_at": known_at,
        "go_live": found.old.go_live.isoformat(),
        "old": _edition(found.old),
        "new": _edition(found.new) | {"replaced_file": replaced},
        "changes": [_change(one) for one in found.changes],
        "notes": [{"zh": zh, "en": en} for zh, en in notes],
        "subjects": found.rated,
        "moving": len(found.movers),
        "moves": [_move(found, one) for one in found.movers],
        "transitions": [
            {"old": was, "new": now, "subjects": found.transitions[was, now]}
            for was in found.labels
            for now in found.labels
            if found.transitions.get((was, now))
        ],
        "lists": [
            {
                "list": one.name,
                "zh": one.title[0],
                "en": one.title[1],
                "clause": one.clause,
                "old": one.old,
                "new": one.new,
                "entering": list(one.entering),
                "leaving": list(one.leaving),
            }
            for one in found.lists
        ],
        "inspections_a_year": {
            "old": sum(one.old for one in found.load),
            "new": sum(one.new for one in found.load),
            "by_grade": [
                {
                    "grade": one.grade,
                    "clause": one.clause,
                    "old": {"subjects": one.old_subjects, "each": one.old_each, "inspections": one.old},
                    "new": {"subjects": one.new_subjects, "each": one.new_each, "inspections": one.new},
                }
                for one in found.load
            ],
        },
        "history": _history(found),
    }


def _edition(scene: Scene) -> dict[str, Any]:
    book = scene.book
    return {"version": book.rulebook.version, "sha256": book.sha256}


def _change(one: Change) -> dict[str, Any]:
    return {
        "section": one.section,
        "name": one.name,
        "what": one.what,
        "zh": one.title[0] if one.title else None,
        "en": one.title[1] if one.title else None,
        "clause": one.clause,
        "old": one.old,
        "new": one.new,
        "from": one.first.isoformat() if one.first else None,
    }


def _move(found: Simulation, one: Compared) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "name": one.name,
        "old": _standing(one.old),
        "new": _standing(one.new),
        "differs_since": one.since.isoformat() if one.since else None,
        "ranks": found.ranks(one),
        "decided_by": {
            "parameters": [change.name for change in found.read_parameters(one)],
            "numbers": [
                {
                    "rulebook": "new" if each.new else "old",
                    "rule": each.rule,
                    "clause": each.clause,
                    "name": each.quantity.name,
                    "value": each.quantity.value,
                    "bound": each.quantity.bound,
                }
                for each in found.numbers(one)
            ],
        },
    }


def _standing(standing: Standing | None) -> dict[str, Any]:
    on = standing.in_force_from if standing else None
    return {
        "label": label(standing),
        "grade": standing.grade if standing else None,
        "status": standing.status if standing else None,
        "in_force_from": on.isoformat() if on else None,
        "reasons": [_reason(one) for one in said(deciding(standing))],
    }


def _reason(one: Reason) -> dict[str, Any]:
    numbers = [{"name": each.name, "value": each.value, "bound": each.bound} for each in one.numbers]
    return {"rule": one.rule, "clause": one.clause, "grade": one.grade, "numbers": numbers, "zh": one.zh, "en": one.en}


def _history(found: Simulation) -> dict[str, Any]:
    ever = found.ever
    return {
        "first": min(found.old.go_live, found.new.go_live, found.as_of).isoformat(),
        "last": found.as_of.isoformat(),
        "subjects": len(ever),
        "subject_days": sum(one.days for one in ever),
        "by_subject": [{"subject": one.subject, "name": one.name, "days": one.days, "stretches": list(_stretches(one))} for one in ever],
        "by_day": [{"from": day.isoformat(), "subjects": n} for day, n in by_day(found)],
    }


def _stretches(one: Compared) -> Iterable[dict[str, str]]:
    for first, last, was, now in stretch_labels(one):
        yield {"first": first.isoformat(), "last": last.isoformat(), "old": was, "new": now}
