"""Values that are made by the million: facts, acts, reasons, standings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def quick(cls: type[T]) -> type[T]:
    """A dataclass with slots that nobody changes once it is made.

    Frozen to whoever checks types, and held to it by ``tests/fitness/test_values.py``; not frozen when it runs, for a frozen one
    takes seven times as long to make, and rating a subject makes dozens."""
    return dataclass(slots=True)(cls)
