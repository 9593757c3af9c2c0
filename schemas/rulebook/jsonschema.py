"""JSON Schema of a rulebook file, for editors that complete and check. ``python -m schemas.rulebook.jsonschema`` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.rulebook.model import RulebookFile

PATH = Path(__file__).resolve().parent.parent / "rulebook.schema.json"


def schema_text() -> str:
    """The schema as it is checked in: two spaces, keys in the model's order, a line break at the end."""
    schema = RulebookFile.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")
