"""What is generated from the contract's models and checked in: JSON Schema, the page of types, the client vectors.

``python -m schemas.generate`` writes everything, ``--check`` names what differs and writes nothing. Every output is a pure
function of the models and of ``schemas/golden``; a test runs the check, so the generated files can't go stale.
"""

from __future__ import annotations

from pathlib import Path

from schemas.generate.json_schema import json_schemas
from schemas.generate.page import page
from schemas.generate.vectors import vectors

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "schemas" / "golden"
PARTS = ("contract", "vectors")


def outputs(part: str) -> dict[Path, str]:
    """Path → text of every generated file of a part: ``contract`` or ``vectors``. Raises ``KeyError`` for another word."""
    if part == "contract":
        made = {ROOT / "schemas" / "json" / name: text for name, text in json_schemas().items()}
        return {**made, ROOT / "docs" / "schemas.md": page()}
    if part == "vectors":
        return {ROOT / "schemas" / "vectors" / name: text for name, text in vectors(GOLDEN).items()}
    raise KeyError(part)


def differences(made: dict[Path, str]) -> list[str]:
    """One line for each file that is missing, differs, or lies in a generated folder without being generated."""
    found = []
    for path, text in sorted(made.items()):
        if not path.is_file():
            found.append(f"{path.relative_to(ROOT)} is missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{path.relative_to(ROOT)} differs from what the models say")
    folders = {path.parent for path in made if path.suffix == ".json"}
    found += [f"{path.relative_to(ROOT)} is left over" for folder in folders for path in sorted(folder.glob("*.json")) if path not in made]
    return found


def write(made: dict[Path, str]) -> None:
    """Write every file, and remove JSON files in the same folders that are no longer generated."""
    for folder in {path.parent for path in made}:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.parent.name == "schemas":
            for path in folder.glob("*.json"):
                if path not in made:
                    path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
