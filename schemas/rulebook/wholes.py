"""Subjects that are rated by their parts: who they are, how many parts it takes, and what an unrated part counts as (ADR 0026)."""

from __future__ import annotations

from pydantic import Field

from schemas import fields as f
from schemas.events.enterprise import BusinessKind
from schemas.rulebook.parts import ParameterName, ReadingId, Section, Texts

# What a part without a grade counts as: nothing, or one part more of which no share is made.
UNRATED = ("left_out", "counted")


class Parts(Section):
    """Enterprises of these kinds are graded by the rules ``at: [parts]`` over those that joined them, by no other, and are no part
    themselves. ``least``, ``unrated``: parameters. ``too_few`` may show {found} and {needed}, ``no_rule`` {counted}."""

    clause: f.Name
    business_kinds: tuple[BusinessKind, ...] = Field(min_length=1)
    least: ParameterName
    unrated: ParameterName
    readings: tuple[ReadingId, ...] = ()
    too_few: Texts
    no_rule: Texts
