"""Geometry of grades over days: lanes one below the other, valid time across, in percent of the width. The same style everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.audit.domain.known_grades import EVER, Stretch
from services.audit.web.console.words import APPROVALS, SUPPOSING, Grade, Words, pick

BAR, LABEL, GAP, AXIS = 26, 22, 14, 24
_ONE_DAY = timedelta(days=1)
# Of the width: what a letter needs, and what each character of a name needs on a phone.
_LETTER, _ZH, _EN = 4.0, 4.6, 2.6
_COUNTED = 12.0


@dataclass(frozen=True, slots=True)
class Days:
    """Days with one grade, both ends inclusive; ``last`` None: to the end of the drawing. ``faint``: the public did not see it."""

    first: date
    last: date | None
    grade: Grade
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a lane: per cent of the width as text. ``fits``: its name or letter has room."""

    x: str
    width: str
    middle: str
    grade: Grade
    fits: bool
    faint: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """``y``: top of the bar; ``label_y``: base line of the heading."""

    heading: str
    pieces: tuple[Piece, ...]
    y: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Days that differ. ``count``: their number where there is room to write it; ``certain``: under every assumption."""

    x: str
    width: str
    middle: str
    count: int | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """``top``, ``bottom``: of the marks; ``first``, ``last``: days at the ends."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    first: date
    last: date
    top: int
    bottom: int
    height: int


def drawing(
    lanes: Sequence[tuple[str, Iterable[Days]]], marks: Iterable[tuple[date, date, bool]], first: date, last: date, lang: str
) -> Drawing:
    """``lanes``: heading and days, from the top; ``marks``: first and last day and whether that is certain."""
    length = (last - first).days + 1

    def x(day: date) -> float:
        return 100 * (min(max(day, first), last + _ONE_DAY) - first).days / length

    drawn = []
    for number, (heading, days) in enumerate(lanes):
        top = number * (LABEL + BAR + GAP)
        pieces = tuple(piece for one in days if (piece := _piece(one, x, last, lang)) is not None)
        drawn.append(Lane(heading, pieces, top + LABEL, top + LABEL - 8))
    bottom = drawn[-1].y + BAR
    return Drawing(tuple(drawn), tuple(_mark(*one, x) for one in marks), first, last, LABEL, bottom, bottom + AXIS)


def _piece(one: Days, x: Any, last: date, lang: str) -> Piece | None:
    left, right = x(one.first), x((one.last or last) + _ONE_DAY)
    width = right - left
    if width <= 0:
        return None
    needs = _LETTER if one.grade.letter else (_ZH if lang == "zh" else _EN) * len(one.grade.name(lang)) + 3
    return Piece(f"{left:.2f}%", f"{width:.2f}%", f"{(left + right) / 2:.2f}%", one.grade, width >= needs, one.faint)


def _mark(first: date, last: date, certain: bool, x: Any) -> Mark:
    left, right = x(first), x(last + _ONE_DAY)
    count = (last - first).days + 1 if right - left >= _COUNTED else None
    return Mark(f"{left:.2f}%", f"{right - left:.2f}%", f"{(left + right) / 2:.2f}%", count, certain)


def both_paths(effect: Mapping[str, Any], words: Words, lang: str) -> Drawing:
    """What was shown above what would have been; ``effect``: data of ``finding.assessed``. Headings have to fit a phone: where approvals
    are supposed the lanes are named by them, and the page says what else is."""
    first, last = date.fromisoformat(effect["from_day"]), date.fromisoformat(effect["to_day"])
    regime = effect["regime"]
    lanes = [("所示" if lang == "zh" else "Shown", _days(effect["shown"], regime, words))]
    for one in effect["supposed"]:
        named = SUPPOSING, effect["supposing"]
        if one["approvals"] != "no_approval":
            named = APPROVALS, one["approvals"]
        days = f"{one['days']} 日" if lang == "zh" else f"{one['days']} day{'' if one['days'] == 1 else 's'}"
        lanes.append((f"{pick(*named, lang)}{'：' if lang == 'zh' else ': '}{days}", _days(one["path"], regime, words)))
    wrong = [
        (date.fromisoformat(one["first"]), date.fromisoformat(one["last"]), bool(one["certain"]))
        for one in effect["wrong"]
        if one["what"] == "grade"
    ]
    return drawing(lanes, wrong, first, last, lang)


def _days(path: Iterable[Mapping[str, Any]], regime: str, words: Words) -> list[Days]:
    return [
        Days(
            date.fromisoformat(one["first"]),
            date.fromisoformat(one["last"]) if one["last"] else None,
            words.grade(regime, one["grade"], one["status"]),
            not one["displayed"],
        )
        for one in path
    ]


def of_stretches(laid: Iterable[Stretch], regime: str, words: Words, first: date, until: date) -> list[Days]:
    """What was known at an instant, no further than its own day."""
    return [
        Days(max(one.first, first), min(one.last or until, until), words.grade(regime, one.by.grade, one.by.status))
        for one in laid
        if one.first <= until and (one.last is None or one.last >= first)
    ]


def begins(laid: Iterable[Stretch], default: date) -> date:
    """The first day of which is known from when it held."""
    return min((one.first if one.first != EVER else one.last or default for one in laid), default=default)
