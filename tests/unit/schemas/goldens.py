"""The golden events, read from ``schemas/golden``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "schemas" / "golden"


def goldens() -> list[dict[str, Any]]:
    """All of them, by file name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]


def golden_event(name: str) -> dict[str, Any]:
    """The golden event of a type, by its short name."""
    return json.loads((FOLDER / f"mingjian.{name}.v1.json").read_text(encoding="utf-8"))
