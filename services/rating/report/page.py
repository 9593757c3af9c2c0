"""What both reports' pages share: the frame, the templates, and figures as a reader expects them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

from services.rating.report.names import Word
from services.rating.report.notes import Note

TEMPLATES = Path(__file__).parent / "templates"
_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True, slots=True)
class Frame:
    """``old``: the rulebook in use, and ``new`` in both languages: how they are called; ``notes``: what has to be said first;
    ``known_at``: as it was asked for."""

    old: str
    new: Note = ("", "")
    notes: Sequence[Note] = ()
    known_at: str | None = None
    sample: bool = False


def render(template: str, words: dict[str, Word], **given: Any) -> str:
    """A whole page, with everything that it needs in it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "figure": figure, "day_zh": day_zh, "day_en": day_en, "thousands": thousands}

    def word(name: str) -> Word:
        return words.get(name) or Word(name, name, name, None)

    return environment.get_template(template).render(word=word, **given)


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def figure(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def thousands(n: int) -> str:
    return f"{n:,}"


def day_zh(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日 {_WEEKDAYS[day.weekday()]}"


def day_en(day: date) -> str:
    return f"{day.isoformat()} ({day.strftime('%a')})"
