"""``event new TYPE``: a skeleton to fill, made from the contract's models, and the lenient reader that takes it back.

The skeleton is JSON with ``//`` comment lines and trailing commas: required fields stand open with a placeholder, optional ones
are commented out, each below a line that says what it means. ``read_lenient`` drops both and refuses a placeholder that was
left in place.
"""

from __future__ import annotations

import json
import re
import types
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from schemas.events import CATALOGUE, EventType
from services._cli.errors import USAGE, CliError
from services._cli.explaining import WORDS, form

_COMMENT = re.compile(r"^\s*//.*$", re.M)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
_OPEN = re.compile(r"^<.*>$")

_EXAMPLES = {
    "uscc": "uscc:<18 characters with check digit>",
    "fhrs": "fhrs:<FHRSID>",
    "camis": "camis:<8 digits>",
    "person": "person:<32 hex digits>",
    "officer": "officer:<pseudonym>",
    "office": "office:/departments/<department>/offices/<office>",
    "regime": "regime:<name>",
    "stack": "stack:<name>",
}


def find_type(name: str) -> EventType:
    """The catalogue's row for ``inspection.recorded`` or the full type name. Raises ``CliError`` with near names."""
    full = name if name.startswith("mingjian.") else f"mingjian.{name}.v1"
    if full in CATALOGUE:
        return CATALOGUE[full]
    near = sorted(row.name for row in CATALOGUE.values() if set(name.split(".")) & set(row.name.split(".")))
    known = near or sorted(row.name for row in CATALOGUE.values() if row.wired and row.route != "derived")
    raise CliError(f"there is no event type {name!r}; {'near it' if near else 'known'}: {', '.join(known)}", USAGE)


def skeleton(name: str) -> str:
    """The text to fill in."""
    row = find_type(name)
    if row.route == "derived":
        raise CliError(f"{row.name} is derived by a service; nobody sends it", USAGE)
    lines = [
        f"// {row.zh} · {row.en}",
        f"// roles: {', '.join(row.roles)} · about: {', '.join(row.subjects)}{'' if row.wired else ' · not yet in use'}",
        *(f"// {line.strip()}" for line in (row.model.__doc__ or "").strip().splitlines() if line.strip()),
        "// id, time, source and the CloudEvents keys are filled in by `mingjian sign`.",
        "{",
        f'  "type": "{row.type}",',
        f'  "subject": "<{" or ".join(_EXAMPLES[scheme].replace("<", "").replace(">", "") for scheme in row.subjects)}>",',
        '  "data": {',
    ]
    kinds = _kinds(row.model)
    lines += [f"    {_line(key, kind)}" for key, kind in kinds.items() if row.model.model_fields[key].is_required()]
    for key, kind in kinds.items():
        if not row.model.model_fields[key].is_required():
            lines += [f"    // {' · '.join(WORDS[key])}", f"    // {_line(key, kind)}"]
    return "\n".join([*lines, "  },", "}", ""])


def _kinds(model: type[BaseModel]) -> dict[str, Any]:
    """Field → its type as the contract writes it, with the name of the form that pydantic takes apart."""
    hints = get_type_hints(model, include_extras=True)
    return {key: hints[key] for key in model.model_fields}


def _line(key: str, kind: Any) -> str:
    return f"{json.dumps(key)}: {json.dumps(placeholder(kind), ensure_ascii=False)},"


def placeholder(kind: Any) -> Any:
    """What to write for a field of this type, in angle brackets."""
    if words := form(kind):
        return f"<{words}>"
    origin = get_origin(kind)
    if origin is Annotated:
        return placeholder(get_args(kind)[0])
    if origin is Literal:
        return f"<{' | '.join(str(one) for one in get_args(kind))}>"
    if origin in (Union, types.UnionType):
        return placeholder(next(one for one in get_args(kind) if one is not type(None)))
    if origin is tuple:
        return [placeholder(get_args(kind)[0])]
    if origin is dict:
        return {"<name>": placeholder(get_args(kind)[1])}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {key: placeholder(inner) for key, inner in _kinds(kind).items() if kind.model_fields[key].is_required()}
    words = {bool: "<true | false>", int: "<whole number>", date: "<date such as 2026-01-15>"}
    return words.get(kind, "<text>")


def read_lenient(text: str) -> Any:
    """JSON with ``//`` lines and trailing commas → a value. Raises ``CliError`` naming the line, or the field left open."""
    bare = _TRAILING.sub(lambda match: match.group(1) or "", _COMMENT.sub("", text))
    try:
        value = json.loads(bare)
    except json.JSONDecodeError as error:
        raise CliError(f"line {error.lineno}, column {error.colno}: {error.msg}", USAGE) from None
    if left := _left_open(value, ""):
        raise CliError(f"{left[0]} is still to be filled in{f', and {len(left) - 1} more' if len(left) > 1 else ''}", USAGE)
    return value


def _left_open(value: Any, where: str) -> list[str]:
    if isinstance(value, dict):
        return [hit for key, item in value.items() for hit in _left_open(item, f"{where}.{key}" if where else key)]
    if isinstance(value, list):
        return [hit for index, item in enumerate(value) for hit in _left_open(item, f"{where}[{index}]")]
    return [where] if isinstance(value, str) and _OPEN.match(value) else []
