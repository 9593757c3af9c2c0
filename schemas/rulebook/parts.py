"""What all sections of a rulebook are made of: names, texts in both languages, dates."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from schemas import fields as f
from schemas.rulebook.conditions import Growing

ParameterName = f.Word
GradeName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z+-]{0,9}$")]
ReadingId = Annotated[str, StringConstraints(pattern=r"^R[1-9][0-9]?$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}\.[0-9]{1,3}$")]
ListName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Section(Growing):
    """Parts of a rulebook aren't subject data: no disclosure class, everything in them is public."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Texts(Section):
    """The same in Chinese and in English."""

    zh: f.Text
    en: f.Text


class Dates(Section):
    """From when it decides, when it was published, when it was last compared with its source."""

    in_force_from: f.CivilDate
    published_on: f.CivilDate | None
    checked_on: f.CivilDate
