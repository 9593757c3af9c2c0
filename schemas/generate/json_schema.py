"""JSON Schema (2020-12) of every event type and of what goes round it.

A schema says what a single value looks like; what ties fields together (dates in order, sums, check digits) is in the models
and in words in ``docs/schemas.md``. So a document that fits may still be refused, never the other way round.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from schemas.envelope import Entry, Event, Submission
from schemas.events import CATALOGUE, EventType
from schemas.ids import SCHEMES
from schemas.receipts import Receipt, Refusal, SignatureObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[str, type[BaseModel]] = {
    "event": Event,
    "submission": Submission,
    "entry": Entry,
    "signature": SignatureObject,
}
# What intake writes: every member is there, also those that have only one value.
_WRITTEN: dict[str, type[BaseModel]] = {"receipt_body": Receipt, "refusal_body": Refusal}


def text_of(value: Any) -> str:
    """The file's text: two spaces, one line feed at the end, keys as the models order them."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema, its nested objects under ``$defs``."""
    return model.model_json_schema(ref_template="#/$defs/{model}")


def _named(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:mingjian:schema:{name}", **body}


def event_schema(row: EventType) -> dict[str, Any]:
    """A whole event of one type: the keys of CloudEvents with this type's ``data``."""
    around = model_schema(Event)["properties"]
    data = model_schema(row.model)
    defs = data.pop("$defs", {})
    schemes = "|".join(f"{scheme}:{SCHEMES[scheme].pattern}" for scheme in row.subjects)
    source = {"type": "string", "pattern": "^/services/[a-z]{1,20}$"} if row.route == "derived" else around["source"]
    return _named(
        row.type,
        {
            "title": row.en,
            "x-title-zh": row.zh,
            "x-route": row.route,
            "x-roles": list(row.roles),
            "x-subjects": list(row.subjects),
            "x-wired": row.wired,
            "type": "object",
            "additionalProperties": False,
            "required": list(around),
            "properties": {
                **around,
                "source": source,
                "type": {"const": row.type},
                "subject": {"type": "string", "maxLength": 120, "pattern": f"^({schemes})$"},
                "data": data,
            },
            "$defs": defs,
        },
    )


def _signed(part: str) -> dict[str, Any]:
    """``{part, "signature"}``: a receipt or a refusal with the signature over its canonical bytes."""
    return {
        "title": part.capitalize(),
        "type": "object",
        "additionalProperties": False,
        "required": [part, "signature"],
        "properties": {part: {"$ref": f"urn:mingjian:schema:{part}_body"}, "signature": {"$ref": "urn:mingjian:schema:signature"}},
    }


def _envelope() -> dict[str, Any]:
    parts = ("event", "signature", "entry")
    return {
        "title": "Envelope",
        "description": "The Kafka value of a signed fact, in canonical JSON, at most 61,440 bytes.",
        "type": "object",
        "additionalProperties": False,
        "required": list(parts),
        "properties": {part: {"$ref": f"urn:mingjian:schema:{part}"} for part in parts},
    }


def json_schemas() -> dict[str, str]:
    """File name → text."""
    made = {f"{row.type}.json": text_of(event_schema(row)) for row in CATALOGUE.values()}
    for name, model in _PLAIN.items():
        made[f"{name}.json"] = text_of(_named(name, model_schema(model)))
    for name, model in _WRITTEN.items():
        body = model_schema(model)
        made[f"{name}.json"] = text_of(_named(name, {**body, "required": list(body["properties"])}))
    for part in ("receipt", "refusal"):
        made[f"{part}.json"] = text_of(_named(part, _signed(part)))
    made["envelope.json"] = text_of(_named("envelope", _envelope()))
    return made
