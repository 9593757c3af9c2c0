"""Folder of YAML files → ``Rulebook``. Refuses everything doubtful, each with file, line and remedy.

One file is one topic; a name (of a parameter, rule, grade, …) stands once in the whole folder. ``digest`` is SHA-256 over the
canonical bytes of the loaded model: comments, order of files and line breaks don't move it, every value does. A section that came
later and that a rulebook doesn't have leaves its digest as it was.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.canonical import canonical_bytes
from schemas.rulebook.checks import check_whole
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.model import Rulebook, RulebookFile
from schemas.rulebook.scalars import Path as Where
from schemas.rulebook.scalars import read_yaml

# section → the field that names an entry of it
NAMED = {
    "grades": "grade",
    "statuses": "status",
    "parameters": "name",
    "act_sets": "name",
    "concepts": "concept",
    "point_tables": "name",
    "rules": "id",
    "clauses": "clause",
    "readings": "id",
    "lists": "name",
    "measures": "name",
    "overrides": "name",
}
# Sections that registers which run were activated without.
LATER = ("measures", "point_tables", "law_in_time", "overrides", "succession")
SINGLE = ("rulebook", "periodic", "latest", "precedence", "precedence_clause", "law_in_time", "succession")
_REMEDIES = {
    "missing": "Add the key {last!r}",
    "extra_forbidden": "Remove the key {last!r} or correct its spelling",
    "string_type": "Write a text; numbers and truth values that are meant as text need quotes",
    "int_type": "Write a whole number without quotes",
    "bool_type": "Write true or false",
    "date_type": "Write a day as YYYY-MM-DD, without quotes",
    "tuple_type": "Write a list, one '- ' for each entry",
    "model_type": "Write a mapping with its keys below",
    "literal_error": "Use one of the words named",
    "union_tag_invalid": "Use one of the kinds named",
    "union_tag_not_found": "Add 'kind: …' to the condition",
}


def load_rulebook(folder: Path) -> Rulebook:
    """Read every ``*.yaml`` in ``folder``. Raises ``RulebookError``."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise RulebookError(
            "empty-folder", file=str(folder), line=1, what="the folder holds no *.yaml file", remedy="Name the folder of one regime"
        )
    return load_texts({path.name: path.read_bytes() for path in paths}, folder=folder.name)


def load_texts(files: dict[str, bytes], *, folder: str) -> Rulebook:
    """The same from bytes by file name. ``folder`` must be the regime's name. Raises ``RulebookError``."""
    parts: list[tuple[str, RulebookFile, dict[Where, int]]] = []
    for name in sorted(files):
        where = f"{folder}/{name}"
        try:
            text = files[name].decode("utf-8")
        except UnicodeDecodeError as error:
            raise RulebookError(
                "utf-8", file=where, line=1, what=f"byte {error.start} is not UTF-8", remedy="Save the file as UTF-8"
            ) from None
        value, lines = read_yaml(text, where)
        parts.append((where, _validate(value, lines, where), lines))
    return _join(parts, folder)


def load_all(directory: Path) -> dict[str, Rulebook]:
    """Every regime's rulebook below ``directory``, by regime. Raises ``RulebookError``."""
    return {
        folder.name: load_rulebook(folder) for folder in sorted(directory.iterdir()) if folder.is_dir() and not folder.name.startswith(".")
    }


def digest(rulebook: Rulebook) -> str:
    """Lower-case hex SHA-256 of the loaded model's canonical bytes: what ``rulebook.activated`` names."""
    said = rulebook.model_dump(mode="json")
    for section in LATER:
        if not said[section]:
            del said[section]
    return hashlib.sha256(canonical_bytes(said)).hexdigest()


def _validate(value: Any, lines: dict[Where, int], file: str) -> RulebookFile:
    try:
        return RulebookFile.model_validate(value)
    except ValidationError as error:
        errors = error.errors()
        # An entry that can't be read makes its list look too short as well: only the deepest complaint is the mistake.
        deepest = [one for one in errors if not any(one["loc"] == other["loc"][: len(one["loc"])] for other in errors if other is not one)]
        first = min(deepest or errors, key=lambda one: _line(one["loc"], lines))
        loc = tuple(part for part in first["loc"])
        line = _line(loc, lines)
        last = str(loc[-1]) if loc else ""
        kind = first["type"]
        message = first["msg"].removeprefix("Value error, ")
        path = "/".join(str(part) for part in loc) or "the file"
        remedy = _REMEDIES.get(kind, "Correct the value").format(last=last)
        raise RulebookError(kind.replace("_", "-"), file=file, line=line, what=f"{path}: {message}", remedy=remedy) from None


def _line(loc: tuple[str | int, ...], lines: dict[Where, int]) -> int:
    """The line of the longest known beginning of ``loc`` (pydantic adds names of union members, which are no keys)."""
    kept: Where = ()
    for part in loc:
        if (*kept, part) in lines:
            kept = (*kept, part)
    return lines.get(kept, 1)


def _join(parts: list[tuple[str, RulebookFile, dict[Where, int]]], folder: str) -> Rulebook:
    merged: dict[str, Any] = {section: [] for section in NAMED} | dict.fromkeys(SINGLE)
    origin: dict[tuple[str, str], tuple[str, int]] = {}
    for file, part, lines in parts:
        for section in SINGLE:
            if (value := getattr(part, section)) is None:
                continue
            if merged[section] is not None:
                earlier = origin[(section, "")]
                raise RulebookError(
                    "section-twice",
                    file=file,
                    line=lines[(section,)],
                    what=f"the section {section!r} stands twice, first in {earlier[0]}:{earlier[1]}",
                    remedy="Keep one of them",
                )
            merged[section] = value
            origin[(section, "")] = (file, lines[(section,)])
        for section, key in NAMED.items():
            for index, entry in enumerate(getattr(part, section)):
                name = getattr(entry, key)
                line = lines[(section, index)]
                if (section, name) in origin:
                    earlier = origin[(section, name)]
                    raise RulebookError(
                        "name-twice",
                        file=file,
                        line=line,
                        what=f"{section}: {name!r} stands twice, first in {earlier[0]}:{earlier[1]}",
                        remedy="Give it another name, or add a dated value to the first",
                    )
                origin[(section, name)] = (file, line)
                merged[section].append(entry)
    return check_whole(_ordered(merged, folder, origin), origin, folder)


def _ordered(merged: dict[str, Any], folder: str, origin: dict[tuple[str, str], tuple[str, int]]) -> Rulebook:
    for section in ("rulebook", "precedence", "precedence_clause"):
        if merged[section] is None:
            raise RulebookError(
                "section-missing",
                file=folder,
                line=1,
                what=f"no file has the section {section!r}",
                remedy="Add it, as in the other rulebooks' rulebook.yaml",
            )
    if (merged["periodic"] is None) == (merged["latest"] is None):
        raise RulebookError(
            "mode", file=folder, line=1, what="exactly one of the sections 'periodic' and 'latest' is needed", remedy="Keep one of them"
        )
    by_name = {section: tuple(sorted(merged[section], key=lambda one, k=key: getattr(one, k))) for section, key in NAMED.items()}
    by_name["grades"] = tuple(merged["grades"])
    return Rulebook(
        header=merged["rulebook"],
        periodic=merged["periodic"],
        latest=merged["latest"],
        precedence=merged["precedence"],
        precedence_clause=merged["precedence_clause"],
        law_in_time=merged["law_in_time"],
        succession=merged["succession"],
        **by_name,
    )
