"""The loader takes what it should and refuses the rest, naming file, line and remedy: one bad file for each mistake."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.rulebook import Rulebook, RulebookError, digest, load_all, load_rulebook, load_texts
from schemas.rulebook.__main__ import main
from schemas.rulebook.jsonschema import PATH, schema_text
from schemas.rulebook.uses import HEARING

HERE = Path(__file__).resolve().parent
BOOKS = {folder.name: {path.name: path.read_bytes() for path in folder.glob("*.yaml")} for folder in sorted((HERE / "good").iterdir())}
GOOD = BOOKS["town"]
BAD = sorted((HERE / "bad").glob("*.yaml"))
RULEBOOKS = HERE.parents[2] / "rulebooks"


def load(files: dict[str, bytes]) -> Rulebook:
    return load_texts(files, folder="town")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_mistake_is_refused_with_its_file_its_line_and_what_to_do(path: Path) -> None:
    head = path.read_bytes().decode("utf-8", "replace").splitlines()[:3]
    code, replaces, line = (one.partition(": ")[2] for one in head)
    folder, name = Path(replaces).parts if "/" in replaces else ("town", replaces)
    with pytest.raises(RulebookError) as refused:
        load_texts({**BOOKS[folder], name: path.read_bytes()}, folder=folder)
    error = refused.value
    assert code == error.code, str(error)
    assert int(line) == error.line, str(error)
    assert error.file in (f"{folder}/{name}", f"{folder}/rulebook.yaml", folder)
    assert len(error.remedy) > 10 and str(error) == f"{error.file}:{error.line}: {error.what}. {error.remedy}."


def test_there_are_more_than_fifty_kinds_of_mistake() -> None:
    assert len(BAD) >= 90
    assert len({path.read_bytes().splitlines()[0] for path in BAD}) >= 50


@pytest.mark.parametrize("regime", sorted(BOOKS))
def test_what_the_mistakes_are_made_in_loads(regime: str) -> None:
    assert load_texts(BOOKS[regime], folder=regime).regime == regime


def test_the_good_one_loads_with_its_dated_values() -> None:
    parameter = load(GOOD).parameter("highest_sum")
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2023, 12, 31), date(2024, 1, 1))
    assert [None, 10, 10, "9.5"] == [parameter.at(day) for day in days]


def test_null_repeals_a_parameter_from_its_date() -> None:
    text = GOOD["rules.yaml"].replace(b'value: "9.5"', b"value: null")
    text = text.replace(b"    readings: [R1]", b"    readings: [R1]\n    repealed_on: 2024-01-01")
    book = load({**GOOD, "rules.yaml": text})
    assert [10, None] == [book.parameter("highest_sum").at(day) for day in (date(2023, 12, 31), date(2024, 1, 1))]
    with pytest.raises(LookupError):
        book.value("highest_sum", date(2024, 1, 1))


def test_every_value_moves_the_digest_and_nothing_else_does() -> None:
    before = digest(load(GOOD))
    commented = {name: b"# a remark\n" + text.replace(b"\n", b"\n\n", 1) for name, text in GOOD.items()}
    moved = {f"x-{name}": text for name, text in GOOD.items()}
    assert before == digest(load(commented)) == digest(load(moved))
    other = GOOD["rules.yaml"].replace(b"value: 10", b"value: 11")
    assert before != digest(load({**GOOD, "rules.yaml": other}))


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_with_other_values_answers_by_its_own(deep: bool) -> None:
    book = load(GOOD)
    asked = (book.parameter("highest_sum").unit, book.rank, book.sets, book.clause_texts, book.status_words)
    assert ("points", {"A": 0, "B": 1}) == asked[:2]
    other = book.model_copy(update={"parameters": (), "grades": book.grades[:1], "clauses": (), "statuses": ()}, deep=deep)
    with pytest.raises(KeyError):
        other.parameter("highest_sum")
    assert ({"A": 0}, {}, {}) == (other.rank, other.clause_texts, other.status_words)
    assert asked[1:] == (book.rank, book.sets, book.clause_texts, book.status_words)


def test_the_check_prints_the_digest_or_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "town"
    bad.mkdir()
    for name, text in {**GOOD, "rules.yaml": (HERE / "bad" / "unknown_clause.yaml").read_bytes()}.items():
        (bad / name).write_bytes(text)
    assert [0, 1, 1, 2] == [
        main(one) for one in ([str(HERE / "good" / "town")], [str(bad)], [str(bad), str(HERE / "good" / "village")], [])
    ]
    said = capsys.readouterr()
    assert f"town 2026.1 {digest(load(GOOD))}" in said.out and "village 2026.1" in said.out
    assert "town/rules.yaml:6: " in said.err and "usage" in said.err


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="no \\*.yaml file"):
        load_rulebook(tmp_path)


def test_the_repositorys_rulebooks_load() -> None:
    assert {"fhrs", "liyujiang", "nyc", "shenzhen-pharmacy", "wuhan-2017"} <= set(load_all(RULEBOOKS))


def test_the_checked_in_json_schema_is_the_models() -> None:
    assert schema_text() == PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("regime", ["fhrs", "liyujiang", "nyc", "shenzhen-pharmacy", "wuhan-2017"])
def test_every_parameter_is_named_somewhere_and_every_reading_relied_on(regime: str) -> None:
    book = load_rulebook(RULEBOOKS / regime)
    text = b"".join(path.read_bytes() for path in sorted((RULEBOOKS / regime).glob("*.yaml"))).decode()
    # What audit asks for by name, it asks for in its own code.
    own = ("entry_", "reconciliation_", "accountability_", "approval_working_")
    unused = [one.name for one in book.parameters if text.count(one.name) < 2 and not one.name.startswith(own)]
    unused = [name for name in unused if name not in HEARING]
    assert [] == unused
    assert [] == [one.id for one in book.readings if text.count(one.id) < 2]


MEASURES = b"""
measures:
  - name: often
    title: {zh: x, en: Often}
    clause: "1"
    grades: [B]
    opened_by: {kind: period, months: year}
    needs:
      - {any_of: [{act: inspection}], at_least: yearly}
    due: {kind: period_end}
    after_grade_change: after
    whose: whose
  - {name: seldom, title: {zh: x, en: Seldom}, clause: "1", grades: [A], power: {zh: x, en: Nothing is due}}
parameters:
  - name: yearly
    unit: count
    title: {zh: x, en: How often}
    values:
      - {value: 2, clause: "1", in_force_from: 2020-01-01, published_on: null, checked_on: 2026-01-01}
  - name: year
    unit: months
    title: {zh: x, en: A year}
    values:
      - {value: 12, clause: "1", in_force_from: 2020-01-01, published_on: null, checked_on: 2026-01-01}
  - name: after
    unit: word
    title: {zh: x, en: Afterwards}
    values:
      - {value: lapses, clause: "1", in_force_from: 2020-01-01, published_on: null, checked_on: 2026-01-01}
  - name: whose
    unit: word
    title: {zh: x, en: Whose acts}
    values:
      - {value: any, clause: "1", in_force_from: 2020-01-01, published_on: null, checked_on: 2026-01-01}
"""


def test_a_rulebook_without_measures_keeps_the_digest_that_it_was_activated_by() -> None:
    """Worked out before there were measures, from these files."""
    assert "f1e5d2f4" == digest(load(GOOD))[:8]
    assert digest(load(GOOD)) != digest(load({**GOOD, "grades.yaml": GOOD["grades.yaml"] + MEASURES}))


def test_a_measure_says_how_often_its_grades_are_inspected() -> None:
    book = load({**GOOD, "grades.yaml": GOOD["grades.yaml"] + MEASURES})
    assert [0, 2, 0] == [book.inspections_a_year(grade, date(2024, 1, 1)) for grade in ("A", "B", None)]
    assert 0 == book.inspections_a_year("B", date(2019, 12, 31))


def test_visits_in_whose_place_something_else_counts_are_no_inspections_that_are_owed() -> None:
    """The load of an inspector is what nothing else can take off, in a whole year and whatever happened in it."""
    text = GOOD["grades.yaml"] + MEASURES
    for old, new in (
        (b"{act: inspection}", b"{act: inspection}, {act: self_inspection_report}"),
        (b"value: 12", b"value: 6"),
    ):
        assert 0 == load({**GOOD, "grades.yaml": text.replace(old, new)}).inspections_a_year("B", date(2024, 1, 1))


def test_who_set_a_parameter_moves_the_digest_only_where_it_is_said() -> None:
    text = GOOD["rules.yaml"].replace(b"    reading: R1", b"    reading: R1\n    set_by: operator", 1)
    book = load({**GOOD, "rules.yaml": text})
    assert ("operator", None) == (book.parameter("highest_sum").set_by, load(GOOD).parameter("highest_sum").set_by)
    assert digest(load(GOOD)) != digest(book)
