"""A real authority's ratings under a stricter band: who moves is counted from the published file itself."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import orjson
import pytest

from services.intake.importers import fhrs
from services.rating.adapters.files import read
from services.rating.analysis.editions import of_file
from services.rating.analysis.history import Scene
from services.rating.analysis.quality import quality
from services.rating.analysis.simulation import simulate
from services.rating.domain.fold import Book
from tests.cases.ledger import book
from tests.unit.rating.analysis.made import SHIPPED

pytestmark = pytest.mark.sweep


def test_with_a_highest_sum_of_ten_those_above_it_fall_from_5_to_4(shared: Path) -> None:
    path = shared / "data" / "fhrs_westminster.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [one for one in fhrs.read(lines) if isinstance(one, fhrs.Row)]
    with path.open(newline="", encoding="utf-8-sig") as lines:
        published = [row for row in csv.DictReader(lines) if row["RatingValue"] == "5" and row["Hygiene"]]
    falling = {
        f"fhrs:{row['FHRSID']}"
        for row in published
        if int(row["Hygiene"]) + int(row["Structural"]) + int(row["ConfidenceInManagement"]) > 10
    }
    text = SHIPPED["fhrs"]["bands.yaml"].replace(b"{value: 15, clause: score bands", b"{value: 10, clause: score bands", 1)
    edition = of_file(text, "bands.yaml", SHIPPED)
    old = Scene.of(book("fhrs"))
    read_once = read((orjson.dumps(event) for row in rows for event in row.events), old.book)
    found = simulate(read_once, old, Scene.of(Book.of(edition.rulebook), old.go_live), date(2026, 1, 1))
    assert 100 < len(falling)
    assert falling == {one.subject for one in found.movers}
    assert {("5", "4")} == {(one.old.grade, one.new.grade) for one in found.movers if one.old and one.new}
    assert 5160 == found.rated
    assert () == found.lists == found.load


def test_a_regime_by_inspections_has_a_cohort_each_year_and_no_penalties(shared: Path) -> None:
    path = shared / "data" / "fhrs_westminster.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [one for one in fhrs.read(lines) if isinstance(one, fhrs.Row)]
    scene = Scene.of(book("fhrs"), date(2023, 1, 1))
    found = quality(
        read((orjson.dumps(event) for row in rows for event in row.events), scene.book), scene, date(2025, 12, 31), outcome="penalties"
    )
    assert [date(2023, 12, 31), date(2024, 12, 31), date(2025, 12, 31)] == [one.day for one in found.cohorts]
    assert found.outcome is None
    with path.open(newline="", encoding="utf-8-sig") as lines:
        by_then = sum(
            row["RatingValue"].isdigit() and bool(row["Hygiene"]) and row["RatingDate"] <= "2024-12-31" for row in csv.DictReader(lines)
        )
    assert by_then == found.cohorts[1].graded
    assert all(one.n == first.n for one, first in zip(found.matrices, found.cohorts, strict=False))
