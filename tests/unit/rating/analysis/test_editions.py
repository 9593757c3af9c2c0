"""What a bureau hands over becomes a rulebook, or a sentence that says what is wrong, where, and what to do."""

from __future__ import annotations

import pytest

from schemas.rulebook import RulebookError, digest
from schemas.rulebook.loader import NAMED
from services.rating.analysis.changes import WHOLE, changes
from services.rating.analysis.editions import EditionError, of_file, of_folder
from services.rating.report.simulation_terminal import _SECTIONS
from tests.cases.ledger import book
from tests.unit.rating.analysis.made import PLAN, SHIPPED, copy_of, edition

TO_97 = ("value: 98", "value: 97")


def test_a_file_takes_the_place_of_the_one_of_its_topic_whatever_it_is_called() -> None:
    found = of_file(copy_of("scores.yaml", TO_97), "my copy.yml", SHIPPED)
    assert "scores.yaml" == found.replaced
    assert [("score_exemplary", "98", "97")] == [(one.name, one.old, one.new) for one in changes(book(PLAN).rulebook, found.rulebook)]


def test_a_folder_may_be_called_anything() -> None:
    found = of_folder({**SHIPPED[PLAN], "scores.yaml": copy_of("scores.yaml", TO_97)}, "new rules")
    assert found.replaced is None
    assert digest(found.rulebook) == digest(of_file(copy_of("scores.yaml", TO_97), "x", SHIPPED).rulebook)


@pytest.mark.parametrize("regime", sorted(SHIPPED))
def test_every_shipped_file_finds_its_home_and_changes_nothing(regime: str) -> None:
    for name, text in SHIPPED[regime].items():
        found = of_file(text, name, SHIPPED)
        assert (regime, name) == (found.rulebook.regime, found.replaced)
        assert () == tuple(changes(book(regime).rulebook, found.rulebook))


def test_a_mistake_is_named_in_the_given_file() -> None:
    broken = copy_of("scores.yaml", ("value: 98", "value: 97.5"))
    with pytest.raises(RulebookError) as refused:
        of_file(broken, "copies/scores.yaml", SHIPPED)
    assert ("copies/scores.yaml", 9, "float") == (refused.value.file, refused.value.line, refused.value.code)
    assert "quotes" in refused.value.remedy


def test_what_only_shows_in_the_whole_is_named_in_the_given_file_too() -> None:
    empty = copy_of("scores.yaml", ("value: 90", "value: 80"), ('value: 80, clause: "三(二)2(3)"', 'value: 85, clause: "三(二)2(3)"'))
    with pytest.raises(RulebookError) as refused:
        of_file(empty, "copies/scores.yaml", SHIPPED)
    assert "empty-band" == refused.value.code
    gap = copy_of("scores.yaml", ("name: score_exemplary", "name: score_best"))
    with pytest.raises(RulebookError) as refused:
        of_file(gap, "copies/scores.yaml", SHIPPED, PLAN)
    assert "unknown-parameter" == refused.value.code and "score_exemplary" in refused.value.what


def test_a_rulebook_of_the_folder_names_its_own_files() -> None:
    files = {**SHIPPED[PLAN], "scores.yaml": copy_of("scores.yaml", ("value: 98", "value: off"))}
    with pytest.raises(RulebookError) as refused:
        of_folder(files, "new")
    assert ("new/scores.yaml", 9) == (refused.value.file, refused.value.line)


@pytest.mark.parametrize(
    ("text", "regime", "words"),
    [
        (b"topic: fees\n", None, "no file of the topic 'fees' in any rulebook"),
        (copy_of("scores.yaml"), "fhrs", "no file of the topic 'scores' in the rulebook 'fhrs'. Use one of the topics: bands"),
        (b"topic: grades\n", None, "in several rulebooks: fhrs, liyujiang, nyc, shenzhen-pharmacy, wuhan-2017. Say which with --rulebook"),
    ],
)
def test_a_file_without_a_home_is_refused_with_a_remedy(text: bytes, regime: str | None, words: str) -> None:
    with pytest.raises(EditionError) as refused:
        of_file(text, "x.yaml", SHIPPED, regime)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "code"), [(b"parameters: []\n", "missing"), (b"- a\n", "document"), (b"\xff\xfe", "utf-8"), (b"topic: [\n", "yaml")]
)
def test_what_is_no_rulebook_file_is_refused_by_line(text: bytes, code: str) -> None:
    with pytest.raises(RulebookError) as refused:
        of_file(text, "x.yaml", SHIPPED)
    assert (code, "x.yaml") == (refused.value.code, refused.value.file)


def test_a_folder_without_a_header_is_refused() -> None:
    with pytest.raises(EditionError, match="no file says of which regime"):
        of_folder({"scores.yaml": copy_of("scores.yaml")}, "half")


def test_changes_name_every_kind_of_difference() -> None:
    old = book(PLAN).rulebook
    assert [("measures", "special_target", "changed")] == [
        (one.section, one.name, one.what)
        for one in changes(old, edition("measures.yaml", ("四(三)3\n    grades: [D]", "四(三)3\n    grades: [C, D]")).rulebook)
    ]
    ((_, name, what),) = [
        (one.section, one.name, one.what)
        for one in changes(old, edition("conditions.yaml", ("id: c_new_violation", "id: c_newcomer")).rulebook)
        if one.what == "added"
    ]
    assert ("c_newcomer", "added") == (name, what)
    again = edition(
        "scores.yaml", ('98, clause: "三(二)1(1)", in_force_from: 2005-01-01', '98, clause: "三(二)1(1)", in_force_from: 2004-01-01')
    )
    (one,) = changes(old, again.rulebook)
    assert ("–", "98", "2004-01-01") == (one.old, one.new, str(one.first))


def test_a_changed_point_table_is_a_change_like_any_other() -> None:
    old = book("wuhan-2017").rulebook
    (table,) = old.point_tables
    new = old.model_copy(update={"point_tables": (table.model_copy(update={"deductions": table.deductions[1:]}),)})
    assert [("point_tables", table.name, "changed")] == [(one.section, one.name, one.what) for one in changes(old, new)]


def test_every_section_that_can_change_has_a_name() -> None:
    assert {*NAMED, *WHOLE} == set(_SECTIONS)
