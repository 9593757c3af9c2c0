"""A real authority's published ratings, worked out again from its scores: every one equal, none guessed."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import orjson

from services.intake.importers import fhrs
from services.rating.bulk import fold_lines, rate
from tests.cases.ledger import book


def test_all_4601_scored_premises_get_the_official_rating_and_139_are_not_gradable(shared: Path) -> None:
    path = shared / "data" / "fhrs_westminster.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [one for one in fhrs.read(lines) if isinstance(one, fhrs.Row)]
    folded = fold_lines((orjson.dumps(event) for row in rows for event in row.events), book("fhrs"))
    graded = dict(rate(folded, book("fhrs"), as_of=date(2026, 1, 1)))
    with path.open(newline="", encoding="utf-8-sig") as lines:
        official = {f"fhrs:{row['FHRSID']}": row for row in csv.DictReader(lines)}
    assert 5160 == len(official) == len(graded)
    scored = {subject: row["RatingValue"] for subject, row in official.items() if row["RatingValue"].isdigit() and row["Hygiene"]}
    assert scored == {subject: found.grade for subject, found in graded.items() if found.grade is not None}
    assert 4601 == len(scored)
    assert {
        "graded": 4601,
        "not_gradable": 139,
        "awaiting_inspection": 282,
        "exempt": 136,
        "awaiting_publication": 2,
    } == Counter(found.status for found in graded.values())
    dates = {subject: row["RatingDate"] for subject, row in official.items() if row["RatingValue"].isdigit()}
    assert dates == {subject: str(graded[subject].in_force_from) for subject in dates}
