"""Geometry of two histories of the same days, one above the other: known time goes down, valid time across, in percent of the width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.publication.domain.history import Span
from services.publication.domain.vocabulary import Term, Vocabulary

BAR, LABEL, GAP, AXIS = 26, 22, 14, 22
_ONE_DAY = timedelta(days=1)
# Of the width: what a letter needs, and what each character of a name needs on a phone.
_LETTER, _ZH, _EN = 5.0, 4.6, 2.6
_LEAST_MARGIN = 30


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one lane. ``text``: written into it where there is room, ``middle`` its place."""

    x: str
    width: str
    middle: str
    shade: int | None
    text: Term | None
    letter: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """What was known at one instant. ``last``: that instant's day; ``y``: top of its bar, ``label_y``: base of its heading."""

    pieces: Sequence[Piece]
    last: date
    y: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Strips:
    """``then`` above ``now``; ``marks``: (x, width) of the days between them that differ; ``asked``: x of the day asked for."""

    then: Lane
    now: Lane
    marks: Sequence[tuple[str, str]]
    asked: str | None
    first: date
    last: date
    height: int


@dataclass(frozen=True, slots=True)
class Two:
    """Two histories and the last day of each. ``differ``: first and last day of the stretches that differ, not empty."""

    then: Sequence[Span]
    now: Sequence[Span]
    then_last: date
    now_last: date
    differ: Sequence[tuple[date, date]]


def strips(regime: str, two: Two, *, as_of: date, vocabulary: Vocabulary) -> Strips:
    """The days from a little before the first that differs, or that is asked for, to the last that is known."""
    first, last = _window(two, as_of)
    length = (last - first).days + 1

    def x(day: date) -> float:
        return 100 * (min(max(day, first), last + _ONE_DAY) - first).days / length

    def lane(spans: Sequence[Span], until: date, top: int) -> Lane:
        pieces = []
        for span in _joined(spans):
            end = min(span.end or until + _ONE_DAY, until + _ONE_DAY)
            left, right = x(span.start), x(end)
            if right > left:
                pieces.append(_piece(regime, span, left, right, vocabulary))
        return Lane(pieces, until, top + LABEL, top + LABEL - 8)

    below = LABEL + BAR + GAP
    marks = [(f"{x(one):.2f}%", f"{x(end + _ONE_DAY) - x(one):.2f}%") for one, end in two.differ]
    asked = f"{x(as_of) + 50 / length:.2f}%" if first <= as_of <= last else None
    then, now = lane(two.then, two.then_last, 0), lane(two.now, two.now_last, below)
    return Strips(then, now, marks, asked, first, last, below + LABEL + BAR + AXIS)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours that look the same as one, whatever reasons they had."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].end == span.start and found[-1].pair == span.pair:
            found[-1] = replace(found[-1], end=span.end)
        else:
            found.append(span)
    return found


def _window(two: Two, as_of: date) -> tuple[date, date]:
    last = max(two.then_last, two.now_last)
    begins = min((one.start for one in (*two.then, *two.now) if one.start != date.min), default=as_of)
    wanted = min(two.differ[0][0], as_of)
    margin = timedelta(days=max(_LEAST_MARGIN, (last - wanted).days // 3))
    earliest = wanted - margin if wanted - date.min > margin else wanted
    return min(max(earliest, begins), wanted), last


def _piece(regime: str, span: Span, left: float, right: float, vocabulary: Vocabulary) -> Piece:
    width = right - left
    if span.grade is not None:
        term, letter = vocabulary.grade(regime, span.grade), True
        fits = width >= _LETTER
    else:
        term, letter = vocabulary.status(regime, span.status), False
        fits = width >= max(_ZH * len(term.zh), _EN * len(term.en)) + 3
    return Piece(f"{left:.2f}%", f"{width:.2f}%", f"{(left + right) / 2:.2f}%", term.shade, term if fits else None, letter)
