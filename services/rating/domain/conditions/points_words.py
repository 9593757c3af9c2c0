"""The deductions of a window, line by line, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.rulebook import Texts
from services.rating.domain.acts import Act
from services.rating.domain.holding import number_text

# Characters that a sentence spells deductions out with; of more it gives the number and the sum, so that it stays within the contract.
ROOM = 700


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a point table: the act set, and its title."""

    acts: str
    title: Texts


@dataclass(frozen=True, slots=True)
class Line:
    """So many points for one row."""

    row: Row
    points: Decimal


@dataclass(frozen=True, slots=True)
class Deducted:
    """An act that counts, and what it takes off."""

    act: Act
    lines: tuple[Line, ...]

    @property
    def points(self) -> Decimal:
        return sum((line.points for line in self.lines), Decimal(0))


def deductions_text(counted: Sequence[Deducted], total: Decimal) -> tuple[str, str]:
    """In Chinese and in English: each deduction with its day, its document and its points, by day."""
    if not counted:
        return "\u6ca1\u6709\u6263\u5206", "no deduction"
    zh: list[str] = []
    en: list[str] = []
    left, used = total, 0
    for one in counted:
        lines = _line(one, chinese=True), _line(one, chinese=False)
        used += max(len(line) for line in lines) + 2
        if used > ROOM:
            rest = len(counted) - len(zh)
            zh.append(f"\u53e6\u6709 {rest} \u9879\uff0c\u5171 \u2212{number_text(left)}")
            en.append(f"{rest} more, \u2212{number_text(left)} together")
            break
        zh.append(lines[0])
        en.append(lines[1])
        left -= one.points
    return "\uff1b".join(zh), "; ".join(en)


def _line(one: Deducted, *, chinese: bool) -> str:
    titles = [f"{line.row.title.zh if chinese else line.row.title.en} \u2212{number_text(line.points)}" for line in one.lines]
    separator = "\u3001" if chinese else ", "
    said = f"{one.act.effective} {separator.join(titles)}"
    if not one.act.document:
        return said
    return f"{said}\uff08{one.act.document}\uff09" if chinese else f"{said} ({one.act.document})"
