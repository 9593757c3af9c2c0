"""What is generated is what is checked in, and the JSON Schemas say the same as the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from schemas.generate import PARTS, ROOT, differences, outputs, write
from schemas.keys import SigningKey
from schemas.receipts import Receipt, Refusal, sign_receipt
from tests.unit.schemas.goldens import golden_event

JSON = ROOT / "schemas" / "json"


@pytest.fixture(scope="module")
def registry() -> Registry:
    """All schemas by their ``$id``."""
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in JSON.glob("*.json")]
    return Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in loaded])


def _validator(name: str, registry: Registry) -> jsonschema.Draft202012Validator:
    schema = json.loads((JSON / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@pytest.mark.parametrize("part", PARTS)
def test_generated_files_are_true(part: str) -> None:
    """After a change of the contract: ``python -m schemas.generate``, and read the difference before committing it."""
    assert differences(outputs(part)) == []


def test_a_changed_a_missing_and_a_left_over_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.generate.ROOT", tmp_path)
    folder = tmp_path / "schemas" / "json"
    made = {folder / "a.json": "{}\n", folder / "b.json": "{}\n"}
    write(made)
    assert differences(made) == []
    (folder / "a.json").write_text("[]\n")
    (folder / "b.json").unlink()
    (folder / "c.json").write_text("{}\n")
    assert [line.split()[0] for line in differences(made)] == ["schemas/json/a.json", "schemas/json/b.json", "schemas/json/c.json"]
    write(made)
    assert differences(made) == []


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_a_golden_event_fits_its_schema_and_a_damaged_one_does_not(row: Any, registry: Registry) -> None:
    validator = _validator(row.type, registry)
    event = golden_event(row.name)
    validator.validate(event)
    for damaged in (
        {**event, "type": "mingjian.unknown.v1"},
        {**event, "subject": "vat:1"},
        {**event, "surprise": 1},
        {**event, "data": {**event["data"], "surprise": 1}},
        {key: value for key, value in event.items() if key != "time"},
    ):
        assert not validator.is_valid(damaged)


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_a_required_field_is_required_by_schema_and_model_alike(row: Any, registry: Registry) -> None:
    validator = _validator(row.type, registry)
    event = golden_event(row.name)
    for name, info in row.model.model_fields.items():
        if name not in event["data"]:
            continue
        without = {key: value for key, value in event["data"].items() if key != name}
        assert info.is_required() == (not validator.is_valid({**event, "data": without})), name
        if info.is_required():
            with pytest.raises(ValueError):
                check_data(row, without)


def test_submission_receipt_and_envelope_fit_their_schemas(registry: Registry) -> None:
    key = SigningKey.from_seed(bytes(32))
    event = golden_event("inspection.recorded")
    signature = key.signature(event)
    _validator("submission", registry).validate({"event": event, "signature": signature})
    _validator("event", registry).validate(event)
    entry = {"received_at": "2026-03-10T06:30:01.204Z", "channel": "field", "batch": None, "registry_offset": 17}
    _validator("envelope", registry).validate({"event": event, "signature": signature, "entry": entry})
    body = Receipt(
        source=event["source"],
        id=event["id"],
        event_hash="0" * 64,
        topic="mingjian.facts.v1",
        partition=3,
        offset=9,
        received_at="2026-03-10T06:30:01.204Z",
        known_from="2026-03-10T06:30:01.210Z",
    )
    _validator("receipt", registry).validate(sign_receipt(body, key))
    assert not _validator("submission", registry).is_valid({"event": event})
    assert not _validator("receipt", registry).is_valid({"receipt": {}, "signature": signature})


def test_the_page_names_every_type_and_every_field() -> None:
    text = (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8")
    for row in CATALOGUE.values():
        assert f"### {row.name}\n" in text
        for name in row.model.model_fields:
            assert f"| `{name}`" in text


def test_a_receipt_or_a_refusal_lacks_no_member(registry: Registry) -> None:
    """Also those that can have one value alone: whoever reads by the schema may rely on them."""
    for name, model in (("receipt_body", Receipt), ("refusal_body", Refusal)):
        schema = json.loads((JSON / f"{name}.json").read_text(encoding="utf-8"))
        assert list(model.model_fields) == schema["required"]
        assert not _validator(name, registry).is_valid({key: "x" for key in model.model_fields if key != "type"})


def test_any_event_names_a_subject_of_a_known_scheme(registry: Registry) -> None:
    event = golden_event("inspection.recorded")
    signature = {"key_id": "0" * 32, "alg": "Ed25519", "value": "A" * 86}
    for name, around in (("event", lambda one: one), ("submission", lambda one: {"event": one, "signature": signature})):
        validator = _validator(name, registry)
        for subject, fits in ((event["subject"], True), ("regime:fhrs", True), ("vat:1", False), ("uscc:9199", False), ("", False)):
            assert fits == validator.is_valid(around({**event, "subject": subject})), (name, subject)
