"""The FHRS importer's rows: each becomes the events that its columns say, or is refused with its line and the reason."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from schemas.canonical import canonical_bytes
from schemas.envelope import Event, check_data, lookup
from services._cli.errors import CliError
from services._cli.importing import batches, read_rows
from services.intake.importers import fhrs
from services.intake.importers.fhrs import COLUMNS, NotFhrs, Refused, Row

GOOD = {
    "FHRSID": "1177669",
    "LocalAuthorityBusinessID": "19/00376",
    "BusinessName": "Made-up Café",
    "BusinessType": "Restaurant/Cafe/Canteen",
    "AddressLine1": "5 MADE-UP STREET, BASEMENT",
    "AddressLine3": "LONDON",
    "PostCode": "ZZ1 1ZZ",
    "RatingValue": "4",
    "RatingDate": "2019-11-19",
    "LocalAuthorityName": "City of Made-up",
    "Hygiene": "5",
    "Structural": "0",
    "ConfidenceInManagement": "10",
    "NewRatingPending": "FALSE",
}


def text(*rows: dict[str, str], header: tuple[str, ...] = COLUMNS, mark: bool = True) -> list[str]:
    import csv

    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return (("\ufeff" if mark else "") + out.getvalue()).splitlines(keepends=True)


def one(**changed: str) -> Row | Refused:
    (found,) = fhrs.read(text(GOOD | changed))
    return found


def data_of(row: Row | Refused, number: int) -> dict[str, object]:
    assert isinstance(row, Row)
    return row.events[number]["data"]


def test_a_rated_row_becomes_a_registration_and_an_inspection_with_its_scores() -> None:
    row = one()
    assert isinstance(row, Row)
    assert [event["type"] for event in row.events] == ["mingjian.enterprise.registered.v1", "mingjian.inspection.recorded.v1"]
    assert row.subject == "fhrs:1177669"
    assert row.office == "/departments/city-of-made-up/offices/fhrs-import"
    for event in row.events:
        Event.model_validate(event)
        check_data(lookup(event["type"]), event["data"])
    assert data_of(row, 0)["address"] == "5 MADE-UP STREET, BASEMENT, LONDON"
    assert data_of(row, 1)["published_outcome"] == "4"
    assert data_of(row, 1)["component_scores"] == [
        {"component": "hygiene", "points": 5},
        {"component": "structural", "points": 0},
        {"component": "confidence_in_management", "points": 10},
    ]


def test_a_rating_without_scores_stays_without_scores() -> None:
    assert "component_scores" not in data_of(one(Hygiene="", Structural="", ConfidenceInManagement=""), 1)


def test_a_pending_rating_is_marked() -> None:
    assert data_of(one(NewRatingPending="TRUE"), 1)["outcome_pending"] is True


@pytest.mark.parametrize(
    ("value", "status"),
    [("AwaitingInspection", "awaiting_inspection"), ("AwaitingPublication", "awaiting_publication"), ("Exempt", "exempt")],
)
def test_a_value_that_is_no_rating_becomes_a_status(value: str, status: str) -> None:
    row = one(RatingValue=value, RatingDate="", Hygiene="", Structural="", ConfidenceInManagement="")
    assert data_of(row, 1) == {"regime": "fhrs", "status": status, "entered_by": "officer:fhrs-import"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"FHRSID": "12a"}, "FHRSID '12a' is not a number"),
        ({"FHRSID": "0123"}, "FHRSID '0123' is not a number"),
        ({"BusinessName": " "}, "BusinessName is empty"),
        ({"BusinessName": "x" * 201}, "name is longer than 200 characters"),
        ({"RatingValue": "6"}, "RatingValue '6' is neither 0 to 5"),
        ({"RatingValue": "Pass"}, "RatingValue 'Pass' is neither"),
        ({"RatingDate": ""}, "RatingValue is 4 but RatingDate is empty"),
        ({"RatingDate": "2019-02-30"}, "RatingDate '2019-02-30' is not a date"),
        ({"RatingDate": "19/11/2019"}, "is not a date"),
        ({"Hygiene": ""}, "only 2 of the 3 component scores are given"),
        ({"Hygiene": "-5"}, "Hygiene '-5' is not a score"),
        ({"LocalAuthorityName": "—"}, "LocalAuthorityName is empty"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_line_and_reason(changed: dict[str, str], reason: str) -> None:
    found = one(**changed)
    assert isinstance(found, Refused)
    assert found.line == 2
    assert reason in found.reason


def test_a_line_with_too_few_or_too_many_fields_is_refused_and_the_next_is_read() -> None:
    lines = text(GOOD, GOOD | {"FHRSID": "2"})
    short = lines[:1] + ["1,2,3\r\n", lines[1].strip() + ",a,b,c\r\n"] + lines[2:]
    first, second, third = fhrs.read(short)
    assert isinstance(first, Refused) and first.line == 2
    assert isinstance(second, Refused) and second.line == 3
    assert isinstance(third, Row)


def test_the_same_premises_twice_with_other_content_is_refused_the_second_time() -> None:
    first, same, other = fhrs.read(text(GOOD, GOOD, GOOD | {"RatingValue": "5"}))
    assert isinstance(first, Row) and isinstance(same, Row)
    assert first.events == same.events
    assert isinstance(other, Refused) and "stands in line 2 with other content" in other.reason


def test_with_or_without_a_mark_at_its_head_the_file_reads_the_same() -> None:
    assert list(fhrs.read(text(GOOD))) == list(fhrs.read(text(GOOD, mark=False)))


def test_a_file_of_another_kind_is_refused_as_a_whole() -> None:
    with pytest.raises(NotFhrs, match="RatingValue"):
        list(fhrs.read(text(GOOD, header=tuple(name for name in COLUMNS if name != "RatingValue"))))
    with pytest.raises(NotFhrs):
        list(fhrs.read([]))


def test_the_same_row_gives_the_same_bytes_and_a_changed_one_other_ids() -> None:
    first, again, changed = one(), one(), one(RatingValue="5")
    assert canonical_bytes(list(first.events)) == canonical_bytes(list(again.events))
    assert first.events[0]["id"] == changed.events[0]["id"]
    assert first.events[1]["id"] != changed.events[1]["id"]


def test_a_row_s_events_travel_in_one_batch() -> None:
    rows = list(fhrs.read(text(*(GOOD | {"FHRSID": str(number)} for number in range(1, 8)))))
    sizes = [len(batch) for batch in batches(rows, 5)]
    assert sizes == [4, 4, 4, 2]
    assert sum(sizes) == sum(len(row.events) for row in rows)


def test_a_file_that_is_missing_or_not_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="there is no file"):
        read_rows(tmp_path / "none.csv", fhrs)
    (tmp_path / "bytes.csv").write_bytes(b"FHRSID\xff\xfe")
    with pytest.raises(CliError, match="not UTF-8"):
        read_rows(tmp_path / "bytes.csv", fhrs)


def test_every_row_of_a_real_authority_s_file_is_accounted_for(shared: Path) -> None:
    rows, refused = read_rows(shared / "data" / "fhrs_westminster.csv", fhrs)
    assert (len(rows), len(refused)) == (5160, 0)
    kinds = Counter(row.events[1]["type"] for row in rows)
    assert kinds == {"mingjian.inspection.recorded.v1": 4740, "mingjian.enterprise.status.declared.v1": 420}
    assert sum("component_scores" in row.events[1]["data"] for row in rows) == 4601
