"""What is wrong with a request, as data. The words stand in ``wording``, the codes are stable.

``zh`` and ``en`` also go into signed refusals, which are kept for ever: they are made of the contract's own words and of
numbers, never of what was sent. What was sent may stand in ``field`` and ``value``, which only the sender sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from services.intake.domain.wording import WORDING

_LONGEST_VALUE = 120


@dataclass(frozen=True, slots=True)
class Fault:
    """``code``: kebab-case. ``status``: HTTP. ``field``: JSON pointer into the submission. ``value``: the offending value, cut to 120
    characters; None for private values and wherever personal data was found."""

    code: str
    status: int
    field: str | None
    value: Any | None
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str

    def within(self, part: str, place: str) -> Fault:
        """The same of data that stand at ``place`` and not at ``part``."""
        return replace(self, field=place + self.field.removeprefix(part)) if self.field and self.field.startswith(part) else self


class Refused(Exception):
    """The request or one of its events is refused for good; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.en}")
        self.fault = fault


def fault(code: str, *, field: str | None = None, value: Any = None, **words: Any) -> Fault:
    """The fault of this code. ``words`` fill the gaps in its sentences: names of the contract and numbers, nothing that was sent.

    Raises ``KeyError`` for a code that isn't in the table, or a gap that isn't filled."""
    words = {"zh": "", "en": "", **words}
    row = WORDING[code]
    zh, en, remedy_zh, remedy_en = (text.format_map(words) for text in (row.zh, row.en, row.remedy_zh, row.remedy_en))
    return Fault(code, row.status, field, _cut(value), zh, en, remedy_zh, remedy_en)


_PERSONAL = {"identity": ("身份证件号码", "an identity number"), "telephone": ("电话号码", "a telephone number")}


def personal_fault(field: str, kind: str) -> Fault:
    """Personal data of this kind at this place; it is not repeated."""
    zh, en = _PERSONAL[kind]
    return fault("personal-data", field=field, zh=zh, en=en)


def _cut(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
