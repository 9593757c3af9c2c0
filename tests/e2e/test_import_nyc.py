"""A city's published inspections through the whole pipe, by the command line: every row accounted for, the grades that the rulebook
alone gives, each reason on the public page, and nothing added by the same file again.

Of the file all premises go through that were inspected twice, closed, opened again or are pending, and a few of the others: the
whole of it is worked out in tests/cases."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import orjson
import pytest

from services._cli.importing import read_rows
from services.intake.importers import nyc
from services.intake.importers.rows import Row
from services.rating.bulk import fold_lines, rate
from tests.cases.ledger import book
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.test_import_westminster import facts, settled

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

FEW = 25
CLOSED_AND_OPENED, DIFFERING = "camis:50130904", "camis:50088385"


def cut(whole: Path, file: Path) -> None:
    """The rows that tell most, in their order."""
    with whole.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows = list(reader)
    days: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        days[row["camis"]].add(row["inspection_date"])
    telling = {row["camis"] for row in rows if "losed" in row["action"] or "re-opened" in row["action"] or row["grade"] in ("P", "Z")}
    telling |= {camis for camis, on in days.items() if len(on) > 1} | set(list(days)[::FEW]) | {DIFFERING.partition(":")[2]}
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in rows if row["camis"] in telling)


@dataclass(frozen=True)
class Brought:
    """What one import came to."""

    at: Terminal
    file: Path
    rows: list[Row]
    report: dict[str, object]
    receipts: list[str]

    @property
    def events(self) -> int:
        return sum(len(row.events) for row in self.rows)


@pytest.fixture(scope="module")
def brought(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    """An empty register on the wall clock, and then the import."""
    folder = tmp_path_factory.mktemp("import")
    file, receipts = folder / "city.csv", folder / "receipts.jsonl"
    cut(shared / "data" / "nyc_restaurants.csv", file)
    rows, _ = read_rows(file, nyc)
    with terminal() as at, at.staying("mingjian", "up", "--no-sample") as running:
        running.wait_for("Ctrl-C stops", 240)
        report = json.loads(at.mingjian("import", "nyc", str(file), "--json", "--receipts", str(receipts), limit_s=300))
        settled(at)
        yield Brought(at, file, rows, report, receipts.read_text().splitlines())


def shown(at: Terminal) -> dict[str, tuple[str, str, str]]:
    """Grade, status and first day by subject, as anyone can fetch them."""
    text = httpx.get(f"{at.ports.url('publication')}/api/v1/grades.csv", params={"regime": "nyc"}, timeout=30).text
    return {row["subject"]: (row["grade"], row["status"], row["in_force_from"]) for row in csv.DictReader(text.splitlines())}


def test_every_row_is_accounted_for(brought: Brought) -> None:
    report, written = brought.report, len(brought.file.read_text().splitlines()) - 1
    assert (written, written, [], 0) == (report["rows"], report["accepted"], report["refused"], report["known"])
    assert brought.events == report["events"] == len(brought.receipts)
    assert written > 900


def test_the_stack_gives_what_the_file_driver_gives(brought: Brought) -> None:
    folded = fold_lines((orjson.dumps(event) for row in brought.rows for event in row.events), book("nyc"))
    wanted = {
        subject: (found.grade or "", found.status, str(found.in_force_from or ""))
        for subject, found in rate(folded, book("nyc"), as_of=date(2026, 4, 10))
    }
    assert {row.subject for row in brought.rows} == wanted.keys()
    assert wanted == shown(brought.at)


def test_the_newest_letter_of_all_premises_but_one_is_the_official_one(brought: Brought) -> None:
    """Of premises whose newest inspection has one; what else has a letter is worked out in tests/cases."""
    newest: dict[str, dict[str, object]] = {}
    for row in brought.rows:
        for event in row.events:
            data = event["data"]
            if data.get("component_scores") or data.get("published_outcome"):
                newest[row.subject] = data
    official = {
        subject: str(data["published_outcome"]) for subject, data in newest.items() if data.get("published_outcome") in ("A", "B", "C")
    }
    grades = shown(brought.at)
    assert len(official) > 150
    assert {DIFFERING: ("B", "C")} == {
        subject: (letter, grades[subject][0]) for subject, letter in official.items() if grades[subject][0] != letter
    }


def test_premises_have_a_page_that_says_why_in_both_languages(brought: Brought) -> None:
    page = f"{brought.at.ports.url('publication')}/subjects/{CLOSED_AND_OPENED}"
    english = httpx.get(page, params={"lang": "en"}, timeout=30).text
    chinese = httpx.get(page, params={"lang": "zh"}, timeout=30).text
    assert "New York City restaurant grades" in english and "Many violation points" in english
    assert "Closed at the re-inspection of" in english and "76 points, more than 27." in english
    assert "纽约市餐饮店卫生等级" in chinese and "违规分高" in chinese and "违规分 76，超过 27" in chinese
    for said, words in (
        (english, ("Order to close", "ordered", "lifted", "violation points")),
        (chinese, ("停业决定", "责令停业", "准许重新营业")),
    ):
        assert [] == [word for word in words if word not in said]


def test_the_page_on_how_grades_work_has_every_status_with_its_clause(brought: Brought) -> None:
    about = httpx.get(f"{brought.at.ports.url('publication')}/about", params={"regime": "nyc", "lang": "en"}, timeout=30).text
    for words in ("Awaiting re-inspection", "Grade pending", "Closed by order", "Not yet graded", "Grade B: most points", ">27<"):
        assert words in about, words


def test_the_same_file_again_adds_no_fact_and_changes_no_grade(brought: Brought, tmp_path: Path) -> None:
    at, again = brought.at, tmp_path / "again.jsonl"
    before = facts(at), shown(at)
    report = json.loads(at.mingjian("import", "nyc", str(brought.file), "--json", "--receipts", str(again), limit_s=300))
    settled(at)
    assert (brought.report["rows"], brought.events, []) == (report["accepted"], report["known"], report["refused"])
    assert brought.receipts == again.read_text().splitlines()
    assert before == (facts(at), shown(at))


def test_nothing_from_migration_is_late(brought: Brought) -> None:
    assert "" == brought.at.mingjian("findings", "--kind", "late_entry", "--json")
