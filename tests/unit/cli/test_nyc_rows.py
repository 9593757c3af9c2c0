"""The New York importer's rows: those of one inspection become one fact, and each is accepted or refused with its line and reason."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.canonical import canonical_bytes
from schemas.envelope import Event, check_data, lookup
from schemas.keys import SigningKey
from services._cli.delivery import Outcome
from services._cli.importing import Report, batches, import_rows, read_rows
from services.intake.importers import nyc
from services.intake.importers.nyc import COLUMNS, NotNyc
from services.intake.importers.rows import Refused, Row

GOOD = {
    "camis": "50000001",
    "dba": "MADE-UP  DINER",
    "boro": "Queens",
    "building": "12-34",
    "street": "MADE-UP   AVENUE",
    "zipcode": "11100",
    "cuisine_description": "American",
    "inspection_date": "2024-05-01T00:00:00.000",
    "action": "Violations were cited in the following area(s).",
    "violation_code": "10F",
    "score": "12",
    "grade": "A",
    "inspection_type": "Cycle Inspection / Initial Inspection",
}
# The official file's own head: other order, other case, more columns.
OFFICIAL = (
    "CAMIS,DBA,BORO,BUILDING,STREET,ZIPCODE,PHONE,CUISINE DESCRIPTION,INSPECTION DATE,ACTION,VIOLATION CODE,VIOLATION DESCRIPTION,"
    "CRITICAL FLAG,SCORE,GRADE,GRADE DATE,RECORD DATE,INSPECTION TYPE,Latitude,Longitude,Location"
)


def text(*rows: dict[str, str], header: tuple[str, ...] = COLUMNS, names: tuple[str, ...] = (), mark: bool = False) -> list[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names or header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return (("\ufeff" if mark else "") + out.getvalue()).splitlines(keepends=True)


def read(*rows: dict[str, str]) -> list[Row | Refused]:
    return list(nyc.read(text(*rows)))


def one(**changed: str) -> Row | Refused:
    (found,) = read(GOOD | changed)
    return found


def inspection(**changed: str) -> dict[str, Any]:
    found = one(**changed)
    assert isinstance(found, Row), found
    data = found.events[-1]["data"]
    assert found.events[-1]["type"] == "mingjian.inspection.recorded.v1"
    return data


def test_a_row_becomes_a_registration_and_an_inspection_with_its_points() -> None:
    row = one()
    assert isinstance(row, Row)
    assert ("camis:50000001", "/departments/nyc-health/offices/nyc-import") == (row.subject, row.office)
    for event in row.events:
        Event.model_validate(event)
        check_data(lookup(event["type"]), event["data"])
    registered, inspected = row.events
    assert {
        "name": "MADE-UP DINER",
        "business_kind": "restaurant",
        "regimes": ["nyc"],
        "entered_by": "officer:nyc-import",
        "district": "Queens",
        "address": "12-34 MADE-UP AVENUE",
        "postcode": "11100",
        "business_type": "American",
    } == registered["data"]
    assert {
        "occurred_on": "2024-05-01",
        "kind": "initial",
        "mode": "on_site",
        "regime": "nyc",
        "entered_by": "officer:nyc-import",
        "component_scores": [{"component": "violation_points", "points": 12}],
        "published_outcome": "A",
        "violations": ["10F"],
    } == inspected["data"]
    assert "2024-05-01T12:00:00.000Z" == inspected["time"]


def test_the_rows_of_one_inspection_become_one_fact_with_each_violation_once() -> None:
    found = read(GOOD | {"violation_code": "08A"}, GOOD, GOOD, GOOD | {"violation_code": ""})
    assert [(2, (3, 4, 5))] == [(row.line, row.more) for row in found if isinstance(row, Row)]
    assert ["08A", "10F"] == found[0].events[1]["data"]["violations"]  # type: ignore[union-attr]


def test_premises_are_registered_once_and_inspections_come_by_day() -> None:
    later, earlier = GOOD | {"inspection_date": "2025-05-01"}, GOOD | {"inspection_date": "2023-05-01"}
    rows = [row for row in read(later, GOOD, earlier) if isinstance(row, Row)]
    assert [4, 3, 2] == [row.line for row in rows]
    kinds = [event["type"].split(".")[1] for row in rows for event in row.events]
    assert ["enterprise", "inspection", "inspection", "inspection"] == kinds


def test_what_lets_premises_open_comes_after_what_closed_them_that_day() -> None:
    closed = {"inspection_type": "Cycle Inspection / Re-inspection", "action": "Establishment Closed by DOHMH.", "grade": ""}
    opened = {"inspection_type": "Cycle Inspection / Reopening Inspection", "action": "Establishment re-opened by DOHMH.", "grade": ""}
    rows = [row for row in read(GOOD | opened, GOOD | closed) if isinstance(row, Row)]
    assert ["ordered", "lifted"] == [row.events[-1]["data"]["closure"] for row in rows]


def test_1900_stands_for_premises_that_were_not_inspected_yet() -> None:
    for day in ("1900-01-01T00:00:00.000", "01/01/1900"):
        row = one(inspection_date=day, action="", violation_code="", score="", grade="", inspection_type="")
        assert isinstance(row, Row)
        assert ["mingjian.enterprise.registered.v1"] == [event["type"] for event in row.events]


@pytest.mark.parametrize(
    "written", ["2024-05-01", "2024-05-01T00:00:00.000", "2024-05-01 00:00:00", "05/01/2024", "5/1/2024", "05/01/2024 12:00:00 AM"]
)
def test_days_are_read_in_both_of_the_published_forms(written: str) -> None:
    assert "2024-05-01" == inspection(inspection_date=written)["occurred_on"]


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("Cycle Inspection / Initial Inspection", "initial"),
        ("CYCLE INSPECTION / RE-INSPECTION", "recheck"),
        ("Cycle Inspection /  Reopening Inspection", "reopening"),
        ("Cycle Inspection / Compliance Inspection", "special"),
        ("Cycle Inspection / Second Compliance Inspection", "special"),
        ("Pre-permit (Operational) / Initial Inspection", "initial"),
        ("Pre-permit (Operational) / Re-inspection", "recheck"),
        ("Pre-permit (Non-operational) / Initial Inspection", "licensing"),
        ("Pre-permit (Non-operational) / Re-inspection", "licensing"),
        ("Administrative Miscellaneous / Initial Inspection", "special"),
        ("Administrative Miscellaneous / Re-inspection", "special"),
        ("Smoke-Free Air Act / Limited Inspection", "special"),
        ("Inter-Agency Task Force / Initial Inspection", "special"),
        ("A Programme Of Later Years / Initial Inspection", "special"),
    ],
)
def test_only_two_programmes_have_inspections_for_grading(type: str, kind: str) -> None:
    assert kind == inspection(inspection_type=type)["kind"]


@pytest.mark.parametrize(
    ("type", "action", "closure"),
    [
        (
            "Cycle Inspection / Initial Inspection",
            "Establishment Closed by DOHMH.  Violations were cited in the following area(s).",
            "ordered",
        ),
        ("Cycle Inspection / Reopening Inspection", "Establishment Closed by DOHMH. Violations were cited.", "kept"),
        ("Cycle Inspection / Reopening Inspection", "Establishment re-closed by DOHMH.", "kept"),
        ("Cycle Inspection / Reopening Inspection", "Establishment re-opened by DOHMH", "lifted"),
        ("Cycle Inspection / Initial Inspection", "No violations were recorded at the time of this inspection.", None),
        ("Cycle Inspection / Initial Inspection", "", None),
    ],
)
def test_the_action_says_whether_premises_are_open(type: str, action: str, closure: str | None) -> None:
    assert closure == inspection(inspection_type=type, action=action).get("closure")


@pytest.mark.parametrize(
    ("grade", "outcome", "pending"),
    [("", None, None), ("b", "B", None), ("N", "N", None), ("Not Yet Graded", "N", None), ("Z", "Z", True), ("P", "P", True)],
)
def test_p_and_z_say_that_the_grade_is_pending(grade: str, outcome: str | None, pending: bool | None) -> None:
    data = inspection(grade=grade)
    assert (outcome, pending) == (data.get("published_outcome"), data.get("outcome_pending"))


@pytest.mark.parametrize(("score", "points"), [("0", 0), ("13", 13), ("27.0", 27), ("214", 214)])
def test_points_are_read(score: str, points: int) -> None:
    assert [{"component": "violation_points", "points": points}] == inspection(score=score)["component_scores"]


def test_an_inspection_without_points_has_none() -> None:
    assert "component_scores" not in inspection(score="")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"camis": "5000"}, "CAMIS '5000' is not a number of eight digits"),
        ({"dba": " "}, "DBA is empty"),
        ({"dba": "x" * 201}, "name is longer than 200 characters"),
        ({"inspection_date": ""}, "INSPECTION DATE '' is not a date"),
        ({"inspection_date": "13/01/2024"}, "is not a date"),
        ({"inspection_date": "2024-02-30"}, "is not a date"),
        ({"inspection_date": "1901-01-01"}, "lies outside"),
        ({"inspection_type": ""}, "INSPECTION TYPE '' is not a programme and a kind"),
        ({"inspection_type": "Cycle Inspection / Surprise"}, "'surprise' is none of initial inspection"),
        ({"action": "Establishment moved."}, "ACTION 'Establishment moved.' is not known"),
        ({"score": "-1"}, "SCORE '-1' is not a number of points"),
        ({"score": "12.5"}, "SCORE '12.5' is not"),
        ({"grade": "D"}, "GRADE 'D' is none of A, B, C"),
        ({"violation_code": "10 F"}, "VIOLATION CODE '10 F' is not a code"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_line_and_reason(changed: dict[str, str], reason: str) -> None:
    found = one(**changed)
    assert isinstance(found, Refused)
    assert (2, True) == (found.line, reason in found.reason), found.reason


@pytest.mark.parametrize(("column", "other"), [("score", "13"), ("grade", ""), ("action", "Establishment Closed by DOHMH.")])
def test_a_row_that_contradicts_its_inspection_is_refused_and_the_others_stay(column: str, other: str) -> None:
    refused, row = read(GOOD, GOOD | {column: other, "violation_code": "08A"})
    assert isinstance(refused, Refused) and isinstance(row, Row)
    assert (3, "the same inspection stands in line 2 with another action, score or grade") == (refused.line, refused.reason)
    assert ["10F"] == row.events[1]["data"]["violations"]


def test_a_row_that_contradicts_its_premises_is_refused() -> None:
    refused, _ = read(GOOD, GOOD | {"dba": "ANOTHER", "inspection_date": "2025-01-01"})
    assert isinstance(refused, Refused) and "stands in line 2 with other premises" in refused.reason


def test_more_violations_than_a_fact_can_hold_are_refused() -> None:
    found = read(*(GOOD | {"violation_code": f"10-{number}"} for number in range(51)))
    assert [52] == [one.line for one in found if isinstance(one, Refused)]
    (row,) = (one for one in found if isinstance(one, Row))
    check_data(lookup(row.events[1]["type"]), row.events[1]["data"])


def test_a_line_with_too_few_fields_is_refused_and_the_next_is_read() -> None:
    lines = text(GOOD)
    refused, row = nyc.read([lines[0], "1,2,3\r\n", lines[1]])
    assert isinstance(refused, Refused) and refused.line == 2
    assert isinstance(row, Row) and row.line == 3


def test_the_columns_of_the_official_file_are_known_in_any_case_and_order() -> None:
    header = tuple(nyc._column(name) for name in OFFICIAL.split(","))
    official = list(nyc.read(text(GOOD, header=header, names=tuple(OFFICIAL.split(",")), mark=True)))
    assert official == read(GOOD)


def test_a_file_of_another_kind_is_refused_as_a_whole() -> None:
    with pytest.raises(NotNyc, match="inspection_type"):
        list(nyc.read(text(GOOD, header=tuple(name for name in COLUMNS if name != "inspection_type"))))
    with pytest.raises(NotNyc):
        list(nyc.read([]))


def test_the_order_of_a_file_changes_no_event() -> None:
    rows = [
        GOOD,
        GOOD | {"violation_code": "08A"},
        GOOD | {"camis": "50000002"},
        GOOD | {"inspection_date": "2023-01-01", "grade": "Z", "score": "30"},
        GOOD | {"inspection_type": "Trans Fat / Initial Inspection", "score": "", "grade": ""},
    ]

    def events(found: list[Row | Refused]) -> list[bytes]:
        return sorted(canonical_bytes(event) for row in found for event in row.events)  # type: ignore[union-attr]

    assert events(read(*rows)) == events(read(*reversed(rows)))


def test_two_inspections_of_a_day_that_say_the_same_are_two_facts() -> None:
    empty = {"score": "", "grade": "", "violation_code": "", "action": "No violations were recorded at the time of this inspection."}
    kinds = ("Trans Fat / Initial Inspection", "Calorie Posting / Initial Inspection")
    rows = read(*(GOOD | empty | {"inspection_type": kind} for kind in kinds))
    ids = [event["id"] for row in rows for event in row.events]  # type: ignore[union-attr]
    assert 3 == len(set(ids)) == len(ids)


def test_an_inspection_s_lines_travel_in_one_batch() -> None:
    rows = [row for row in read(*(GOOD | {"camis": f"5000000{number}"} for number in range(7))) if isinstance(row, Row)]
    assert [4, 4, 4, 2] == [len(batch) for batch in batches(rows, 5)]


class Desk:
    """Takes everything but what is about ``unwelcome``."""

    def __init__(self, unwelcome: str) -> None:
        self.unwelcome = unwelcome

    def deliver(self, submissions: list[dict[str, Any]], *, channel: str) -> list[Outcome]:
        assert channel == "migration"
        return [
            Outcome(422, None, {"title": "no"}) if one["event"]["subject"] == self.unwelcome else Outcome(201, {"receipt": {}}, None)
            for one in submissions
        ]


def test_the_account_is_kept_in_lines_of_the_file_whoever_refuses_them() -> None:
    rows = [row for row in read(GOOD, GOOD | {"camis": "50000002"}, GOOD | {"violation_code": "08A"}) if isinstance(row, Row)]
    report = Report("city.csv", rows=3)
    kept: list[Outcome] = []
    desk: Any = Desk("camis:50000001")
    import_rows(rows, SigningKey.generate(), desk, report, moved=lambda done: None, kept=kept.append)
    assert (1, [2, 4], 4, 2) == (report.accepted, sorted(one.line for one in report.refused), report.events, len(kept))
    assert {"50000001"} == {one.premises for one in report.refused}


def test_every_row_of_the_city_s_file_is_accounted_for(shared: Path) -> None:
    rows, refused = read_rows(shared / "data" / "nyc_restaurants.csv", nyc)
    assert [] == refused
    assert sorted(line for row in rows for line in row.lines) == list(range(2, 5002))
    assert Counter(event["type"] for row in rows for event in row.events) == {
        "mingjian.enterprise.registered.v1": 4573,
        "mingjian.inspection.recorded.v1": 4094,
    }
    for row in rows:
        for event in row.events:
            check_data(lookup(event["type"]), event["data"])
