"""Rows of the database → the API's objects. Dates ISO, instants UTC with milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.rulebook.paragraph import paragraph
from schemas.times import instant
from services.publication.adapters.postgres_reader import Row
from services.publication.domain.vocabulary import Published, Vocabulary

_REGISTER = (
    "business_kind",
    "address",
    "postcode",
    "district",
    "business_type",
    "local_ref",
    "licence_numbers",
    "regimes",
    "registered_on",
    "operating_since",
    "operation",
    "closed_on",
    "closed_reason",
)


def grade_row(row: Row) -> dict[str, Any]:
    """See ``contract.GradeRow``."""
    kept = {name: row[name] for name in ("subject", "name", "district", "regime", "grade", "status", "in_force_from", "seq")}
    return kept | {"known_from": instant(row["known_ms"]), "clauses": row["clauses"] or [], "suspended": row["suspended"]}


def change(row: Row) -> dict[str, Any]:
    """See ``contract.Change``."""
    kept = {name: row[name] for name in ("seq", "type", "regime", "grade", "status", "in_force_from", "partition", "offset", "data")}
    return kept | {"id": str(row["id"]), "known_from": instant(row["known_ms"]), "suspended": row["suspended"]}


def in_words(vocabulary: Vocabulary, regime: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """``explanation`` of a grade; nothing for a regime whose rulebook isn't here, nor while publication of the grade is suspended."""
    book = vocabulary.book(regime)
    return (
        {}
        if book is None or data.get("suspended")
        else {"explanation": {"zh": paragraph(book, data, "zh"), "en": paragraph(book, data, "en")}}
    )


def fact(row: Row) -> dict[str, Any]:
    """See ``contract.Fact``."""
    names = ("type", "event_hash", "occurred_on", "served_on", "received_at", "partition", "offset", "data")
    return {name: row[name] for name in names} | {"event_id": str(row["event_id"]), "known_from": instant(row["known_ms"])}


def belonging(row: Row, column: str) -> dict[str, Any]:
    """See ``contract.Belonging``. ``column``: the one that names the other."""
    return {"subject": row[column], "name": row["name"], "regime": row["regime"], "stretches": row["stretches"]}


def register(row: Row) -> dict[str, Any]:
    """Register data of a subject."""
    return {name: row[name] for name in _REGISTER}


def list_summary(published: Published, members: int | None) -> dict[str, Any]:
    """See ``contract.ListSummary``. ``members`` None: not counted."""
    rule = published.rule
    return {
        "name": rule.name,
        "regime": rule.regime,
        "title_zh": rule.zh,
        "title_en": rule.en,
        "grades": sorted(rule.grades),
        "clause": rule.clause,
        "members": members,
    }


def list_member(row: Row) -> dict[str, Any]:
    """A member of a list."""
    kept = {name: row[name] for name in ("subject", "name", "district", "regime", "grade", "since", "clause")}
    return kept | {"known_from": instant(row["known_ms"])}
