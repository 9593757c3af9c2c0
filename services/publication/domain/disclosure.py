"""What the public may see of an event: the contract's ``public`` fields, copied one by one.

Invariants
1. Nothing is passed on by default: a value is copied only where the contract's model names its field ``public``,
   at every depth, and what is to stand in another fact's place where that fact's own type does. A field that a newer intake
   adds is unknown here and so stays out.
2. A type that the catalogue doesn't know, or routes elsewhere, gives an empty object.
3. Copied values are scalars, lists of scalars, or objects and lists of objects that were themselves filtered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel

from schemas.events import CATALOGUE
from schemas.fields import disclosure

Shape = dict[str, "Shape | None"]
_SCALARS = (str, int, bool, type(None))


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """The contract's model within ``Model | None``, ``tuple[Model, ...]`` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_inside(part)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=512)
def _shape(model: type[BaseModel]) -> Shape:
    found: Shape = {}
    for name, disclosed in disclosure(model).items():
        if disclosed == "public":
            inner = _model_inside(model.model_fields[name].annotation)
            found[name] = _shape(inner) if inner is not None else None
    return found


def public_shape(type_name: str) -> Shape:
    """Public field names of a type, nested; ``None`` marks a plain value. Empty for a type we don't know and for a withheld one."""
    row = CATALOGUE.get(type_name)
    return _shape(row.model) if row is not None and not row.withheld else {}


def _plain(value: Any) -> bool:
    return isinstance(value, _SCALARS)


def _text(value: Any) -> Any:
    # PostgreSQL keeps no NUL; the contract's names exclude it, free text doesn't.
    return value.replace("\x00", "\ufffd") if type(value) is str else value


def _copy(value: Any, shape: Shape | None) -> Any:
    """The public part of ``value``, or ``None`` where its form is not the contract's."""
    if type(value) is list:
        if shape is None:
            return [_text(item) for item in value if _plain(item)]
        return [_object(item, shape) for item in value if type(item) is dict]
    if shape is None:
        return _text(value) if _plain(value) else None
    return _object(value, shape) if type(value) is dict else None


def _object(value: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    return {name: _copy(value[name], inner) for name, inner in shape.items() if value.get(name) is not None}


def public_data(type_name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """``event.data`` as the public may see it. Absent and null fields are left out."""
    shown = _object(data, public_shape(type_name))
    words = data.get("replacement")
    if "replacement" in shown and type(words) is dict and type(words.get("type")) is str and type(words.get("data")) is dict:
        # What shall stand instead is as public as if it had been entered so (``schemas.events.effect.Replacement``).
        shown["replacement"] = {"type": words["type"], "data": _object(words["data"], public_shape(words["type"]))}
    return shown
