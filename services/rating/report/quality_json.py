"""A quality report as JSON values, each figure with what it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.rating.analysis.discrimination import Area, curve
from services.rating.analysis.proportions import LEVEL, Share
from services.rating.analysis.quality import Followed, Matrix, Quality
from services.rating.report.notes import Note

METHODS = {
    "level": LEVEL,
    "shares": "Wilson score interval",
    "trend": "Cochran-Armitage, two-sided",
    "auc": "DeLong, clustered by subject (Obuchowski 1997); analytic, no seed",
    "psi": "population stability index over the grades; below 0.10 stable, to 0.25 some shift, above marked",
}


def quality_json(found: Quality, notes: Sequence[Note], *, known_at: str | None) -> dict[str, Any]:
    """``known_at``: the instant that the history was cut at, None for all of it."""
    book = found.scene.book
    return {
        "regime": book.rulebook.regime,
        "rulebook": {"version": book.rulebook.version, "sha256": book.sha256},
        "as_of": found.as_of.isoformat(),
        "known_at": known_at,
        "go_live": found.scene.go_live.isoformat(),
        "outcome": {"acts": found.outcome.acts, "fields": found.outcome.fields} if found.outcome else None,
        "methods": METHODS,
        "notes": [{"zh": zh, "en": en} for zh, en in notes],
        "subjects": found.subjects,
        "grades": list(found.grades),
        "labels": list(found.labels),
        "withdrawn_labels": sorted(found.ended),
        "cohorts": [
            {"day": one.day.isoformat(), "subjects": one.n, "graded": one.graded, "followed": one.followed, "counts": dict(one.counts)}
            for one in found.cohorts
        ],
        "transitions": [_matrix(found, one) for one in found.matrices],
        "transitions_pooled": _matrix(found, found.pooled) if found.pooled else None,
        "followed": [_followed(one) for one in found.followed],
        "stability": [
            {
                "first": first.isoformat(),
                "second": second.isoformat(),
                "psi": one.psi,
                "reading": one.reading,
                "by_chance": one.by_chance,
                "n": [one.n, one.m],
                "empty_classes": list(one.filled),
            }
            for first, second, one in found.steadiness
        ],
    }


def share_json(one: Share) -> dict[str, Any]:
    return {"hits": one.hits, "n": one.n, "share": one.share, "low": one.low, "high": one.high, "few": one.few}


def _matrix(found: Quality, one: Matrix) -> dict[str, Any]:
    cells = [
        {"from": was, "to": now, "subjects": n}
        | {key: value for key, value in share_json(one.share(was, now)).items() if key != "hits"}
        | {"share_without_withdrawn": None if now in found.ended else one.share_of_staying(was, now, found.ended).share}
        for was in found.labels
        for now in found.labels
        if (n := one.cells.get((was, now), 0))
    ]
    return {"first": one.first.isoformat(), "second": one.second.isoformat(), "subjects": one.n, "newcomers": one.newcomers, "cells": cells}


def _followed(one: Followed) -> dict[str, Any]:
    return {
        "cohorts": [day.isoformat() for day in one.days],
        "observations": one.n,
        "penalised": one.hits,
        "withdrawn_unpenalised": one.withdrawn,
        "by_grade": {grade: share_json(each) for grade, each in one.shares.items()},
        "by_grade_without_withdrawn": {grade: share_json(each) for grade, each in one.staying.items()},
        "monotone": one.monotone,
        "breaks": [{"better": better, "worse": worse, "intervals_overlap": overlap} for better, worse, overlap in one.breaks],
        "trend": {"z": one.trend.z, "p": one.trend.p} if one.trend else None,
        "auc_of_grade": area_json(one.by_grade),
        "auc_of_score": area_json(one.by_score),
        "auc_of_grade_where_scored": area_json(one.by_grade_where_scored),
        "roc_of_grade": [[x, y] for x, y in curve(one.observations)] if one.by_grade else [],
    }


def area_json(one: Area | None) -> dict[str, Any] | None:
    if one is None:
        return None
    gini = one.gini_bounds
    return {
        "auc": one.auc,
        "se": one.se,
        "low": one.low,
        "high": one.high,
        "gini": one.gini,
        "gini_low": gini[0] if gini else None,
        "gini_high": gini[1] if gini else None,
        "penalised": one.hits,
        "others": one.others,
        "subjects": one.clusters,
        "few": one.few,
    }
