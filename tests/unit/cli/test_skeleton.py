"""`event new` gives something that can be filled in, and `sign` takes it back with comments and trailing commas."""

from __future__ import annotations

import json
import re

import pytest

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from services._cli.errors import CliError
from services._cli.explaining import WORDS
from services._cli.skeleton import find_type, read_lenient, skeleton

SENT = sorted(row.name for row in CATALOGUE.values() if row.route != "derived")


@pytest.mark.parametrize("name", SENT)
def test_every_type_that_is_sent_has_a_skeleton_and_an_unfilled_one_is_not_taken(name: str) -> None:
    text = skeleton(name)
    with pytest.raises(CliError, match="subject is still to be filled in"):
        read_lenient(text)
    for key, info in CATALOGUE[f"mingjian.{name}.v1"].model.model_fields.items():
        assert f'"{key}"' in text
        assert (f'// "{key}"' in text) is not info.is_required()


def test_a_filled_skeleton_is_an_event_of_its_type() -> None:
    text = skeleton("inspection.recorded")
    given = {"subject": "fhrs:1177669", "occurred_on": "2026-01-15", "kind": "routine", "mode": "on_site"}
    for key, value in given.items():
        text = re.sub(f'"{key}": "<[^"]*>"', f'"{key}": "{value}"', text)
    event = read_lenient(text)
    assert event["subject"] == "fhrs:1177669"
    check_data(find_type(event["type"]), event["data"])


@pytest.mark.parametrize("name", SENT)
def test_every_optional_field_is_explained_in_both_languages(name: str) -> None:
    lines = [line.strip() for line in skeleton(name).splitlines()]
    for key, info in CATALOGUE[f"mingjian.{name}.v1"].model.model_fields.items():
        if not info.is_required():
            above = lines[next(at for at, line in enumerate(lines) if line.startswith(f'// "{key}": ')) - 1]
            zh, _, en = above.removeprefix("// ").partition(" · ")
            assert re.search(r"[\u4e00-\u9fff]", zh) and re.fullmatch(r"[ -~]+", en), key


def test_a_value_s_form_stands_in_its_place() -> None:
    text = skeleton("inspection.recorded")
    assert '// "started_at": "<instant in UTC such as 2026-01-15T08:30:00.000Z>"' in text
    assert '// "officers": ["<officer:pseudonym>"]' in text
    assert '// "position": {"lat": "<degrees in quotation marks such as 30.2741234>"' in text


def test_the_words_are_those_of_fields_that_there_are() -> None:
    optional = {key for name in SENT for key, info in CATALOGUE[f"mingjian.{name}.v1"].model.model_fields.items() if not info.is_required()}
    assert optional == set(WORDS)


def test_an_optional_field_counts_once_its_comment_is_taken_away() -> None:
    text = '{\n  "a": 1,\n  // "b": 2,\n}'
    assert read_lenient(text) == {"a": 1}
    assert read_lenient(text.replace("// ", "")) == {"a": 1, "b": 2}


@pytest.mark.parametrize("value", ["// not a comment", 'a "quoted", ] text,', "comma, }", "back\\slash,"])
def test_commas_and_slashes_inside_texts_stay(value: str) -> None:
    assert read_lenient(json.dumps({"a": value}, indent=1)) == {"a": value}


def test_a_slip_is_named_with_its_line() -> None:
    with pytest.raises(CliError, match="line 3, column 6"):
        read_lenient('{\n "a": 1,\n "b" 2\n}')


def test_an_unknown_type_is_answered_with_near_ones() -> None:
    with pytest.raises(CliError, match="near it: .*penalty.decided"):
        find_type("penalty.decide")


def test_a_derived_type_has_no_skeleton() -> None:
    with pytest.raises(CliError, match="derived by a service"):
        skeleton("grade.determined")
