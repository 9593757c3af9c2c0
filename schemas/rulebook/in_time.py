"""The sections of a rulebook about its own limits in time and rank, and about who takes over a history (R17, R19; ADR 0025, 0027)."""

from __future__ import annotations

from pydantic import model_validator

from schemas import fields as f
from schemas.rulebook.parts import ParameterName, ReadingId, Section, Texts


class LawInTime(Section):
    """R17: by which law acts are judged that happened under an earlier one (ADR 0025). ``acts_by`` (a word) and ``milder_later`` (a flag)
    are parameters; the sentences may show {documents}, {version} and {from}, the first day of the law that judged."""

    acts_by: ParameterName
    milder_later: ParameterName
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    by_act_day: Texts
    milder: Texts


class Override(Section):
    """What a higher norm forbids to publish, whatever the plan says. Parameters: ``in_force`` (a flag), ``sanctions`` (words: an act that
    is nothing but these is not shown) and ``lists`` (words, names of lists with ``_`` for ``-``). ``clause``: the one that gives way."""

    name: f.Word
    title: Texts
    norm: Texts
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    in_force: ParameterName
    sanctions: ParameterName | None = None
    lists: ParameterName | None = None

    @model_validator(mode="after")
    def _forbids_something(self) -> Override:
        if self.sanctions is None and self.lists is None:
            raise ValueError("a higher norm forbids something: write sanctions, lists, or both")
        return self


class Succession(Section):
    """R19: whoever succeeds an enterprise in one of these ways (``manners``, a parameter) takes over its history. The sentences may show
    {predecessor} and {day}."""

    manners: ParameterName
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    zh: f.Text
    en: f.Text
