"""Only public fields pass, by construction: whatever a record holds, what comes out was named public by the contract."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.events import CATALOGUE
from schemas.fields import disclosure
from services.publication.domain.disclosure import public_data, public_shape

TYPES = sorted(CATALOGUE)


def full(model: type[BaseModel]) -> dict[str, Any]:
    """An object with every field of a model, each field's value telling its disclosure class."""
    found: dict[str, Any] = {"smuggled": "unknown"}
    for name, disclosed in disclosure(model).items():
        annotation = model.model_fields[name].annotation
        inner = next(iter(nested_of(annotation)), None)
        found[name] = [full(inner)] if inner is not None else disclosed
    return found


def nested_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in get_args(annotation) for one in nested_of(part)]


def leaves(value: Any) -> set[str]:
    """All scalars within a value."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(leaves, value)) if value else set()
    return {value}


@pytest.mark.parametrize("name", TYPES)
def test_of_a_record_with_every_field_only_public_ones_pass(name: str) -> None:
    assert leaves(public_data(name, full(CATALOGUE[name].model))) <= {"public"}


@pytest.mark.parametrize("name", TYPES)
def test_no_public_field_is_lost(name: str) -> None:
    model = CATALOGUE[name].model
    if CATALOGUE[name].withheld:
        assert public_data(name, full(model)) == {}, "R8: nothing of it is for the public"
        return
    wanted = {field for field, disclosed in disclosure(model).items() if disclosed == "public"}
    assert set(public_data(name, full(model))) == wanted


def test_government_fields_of_an_inspection_stay_out_at_every_depth() -> None:
    data = {
        "occurred_on": "2026-01-15",
        "officers": ["officer:one"],
        "note": "seen by nobody",
        "position": {"lat": "1", "lon": "2", "accuracy_m": 3},
        "commitments": {"name": "0" * 64},
        "items": [{"code": "A1", "result": "fail", "remark": "inner remark"}],
    }
    assert public_data("mingjian.inspection.recorded.v1", data) == {
        "occurred_on": "2026-01-15",
        "items": [{"code": "A1", "result": "fail"}],
    }


def test_a_service_s_proof_and_the_office_s_knowledge_stay_out() -> None:
    service = {"served_on": "2026-01-15", "method": "post", "proof_sha256": "0" * 64, "known_to_office_on": "2026-01-16"}
    data = {"occurred_on": "2026-01-10", "document_no": "1", "service": service}
    assert public_data("mingjian.warning.issued.v1", data)["service"] == {"served_on": "2026-01-15", "method": "post"}


def test_an_unknown_type_gives_nothing() -> None:
    assert public_shape("mingjian.made.up.v9") == {}
    assert public_data("mingjian.made.up.v9", {"name": "x", "occurred_on": "2026-01-01"}) == {}


def test_an_object_where_the_contract_has_a_plain_value_does_not_pass() -> None:
    data = {"occurred_on": {"officers": "x"}, "kind": [{"note": "x"}, "routine"], "mode": "on_site"}
    assert public_data("mingjian.inspection.recorded.v1", data) == {"occurred_on": None, "kind": ["routine"], "mode": "on_site"}


def test_a_nul_in_public_text_becomes_the_replacement_character() -> None:
    assert public_data("mingjian.permit.changed.v1", {"changes": "a\x00b"}) == {"changes": "a\ufffdb"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["note", "officers", "service", "items", "code"]), inner),
    max_leaves=12,
)


@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(["note", "officers", "entered_by", "position", "service", "items"]), JSON))
def test_whatever_stands_in_them_the_common_government_fields_never_pass(name: str, data: dict[str, Any]) -> None:
    assert not {"note", "officers", "entered_by", "position"} & set(public_data(name, data))
