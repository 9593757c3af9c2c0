"""One golden event of each type, read both ways: bytes → model → the same bytes."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.canonical import canonical_bytes, parse_strict
from schemas.envelope import Event, check_data
from schemas.events import CATALOGUE
from schemas.events.base import Data
from tests.unit.schemas.goldens import FOLDER, golden_event

# Fields that exclude each other: an objection is about an entry or about something derived, a grade follows from facts or from parts.
EITHER_OR = {
    "objection.raised": {"derived"},
    "grade.determined": {"parts"},
    "grade.corrected": {"parts", "rebuilt_by"},
    "finding.raised": {"statistic", "retracted"},
}


def test_every_type_has_a_golden_file_and_no_file_is_left_over() -> None:
    assert sorted(f"{name}.json" for name in CATALOGUE) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
class TestGolden:
    def test_reads_both_ways(self, row: Any) -> None:
        text = (FOLDER / f"{row.type}.json").read_bytes()
        event = parse_strict(text)
        data = check_data(row, event["data"], event["subject"])
        assert canonical_bytes(event["data"]) == canonical_bytes(data.model_dump(mode="json", exclude_unset=True))
        assert data == check_data(row, data.model_dump(mode="json", exclude_unset=True))
        if row.route != "derived":
            around = Event.model_validate_json(text)
            assert canonical_bytes(event) == canonical_bytes(around.model_dump(mode="json"))

    def test_is_about_a_subject_the_type_allows(self, row: Any) -> None:
        event = golden_event(row.name)
        assert event["subject"].partition(":")[0] in row.subjects
        assert (event["source"].startswith("/services/")) == (row.route == "derived")

    def test_shows_every_field_of_its_type(self, row: Any) -> None:
        own = set(row.model.model_fields) - set(Data.model_fields)
        shown = set(golden_event(row.name)["data"])
        assert own - shown == EITHER_OR.get(row.name, set())


def test_the_fields_any_event_may_carry_are_shown_once() -> None:
    shown = set(golden_event("inspection.recorded")["data"]) | set(golden_event("enterprise.registered")["data"])
    assert set(Data.model_fields) <= shown


def test_the_goldens_are_plainly_made_up() -> None:
    """Codes of a region that does not exist, names that say 样例."""
    for path in FOLDER.iterdir():
        event = parse_strict(path.read_bytes())
        if event["subject"].startswith("uscc:"):
            assert event["subject"].startswith("uscc:91990000")
