"""Tables of deductions: full marks, and what each kind of act takes off them (ADR 0020)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from schemas import fields as f
from schemas.fields import Frozen

# Of several penalties for the same act: each counts; the heaviest of those for one act in one document; the heaviest of those for
# one violation code within the window, whichever documents impose them.
SAME_ACT = ("each", "act", "violation")


class Deduction(Frozen):
    """An act of the set takes ``points`` (a parameter) off. Of two kinds of one set one is counted."""

    acts: f.Word
    points: f.Word


class PointTable(Frozen):
    """``full``, ``least``, ``same_act`` and ``legal_fields`` are names of parameters: where the count begins, below what it
    doesn't fall, what of several penalties counts, and the fields of law that it looks at (absent: all)."""

    name: f.Word
    clause: f.Name
    full: f.Word
    least: f.Word
    same_act: f.Word
    legal_fields: f.Word | None = None
    deductions: tuple[Deduction, ...] = Field(min_length=1)

    def parameters(self) -> Iterator[tuple[str, str, str]]:
        """Each parameter that it reads: the field, the unit that the field needs, the parameter's name."""
        yield "full", "points", self.full
        yield "least", "points", self.least
        yield "same_act", "word", self.same_act
        if self.legal_fields:
            yield "legal_fields", "words", self.legal_fields
        for one in self.deductions:
            yield "points", "points", one.points
