"""The history of a grade in valid time, as known now: which grade or status held from which day to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Told:
    """A change in the order in which it was told. ``until``: last day of a corrected past, None where it holds on."""

    seq: int
    grade: str | None
    status: str
    start: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to the day before ``end`` (None: still)."""

    seq: int
    grade: str | None
    status: str
    start: date
    end: date | None


def spans(told: Iterable[Told]) -> list[Span]:
    """Lay each change over what was told before it; what was told later covers what was told earlier."""
    laid: list[Span] = []
    for one in sorted(told, key=lambda change: change.seq):
        end = one.until + timedelta(days=1) if one.until is not None else None
        if end is not None and end <= one.start:
            continue
        laid = [piece for span in laid for piece in _outside(span, one.start, end)]
        laid.append(Span(one.seq, one.grade, one.status, one.start, end))
    return sorted(laid, key=lambda span: span.start)


def _outside(span: Span, start: date, end: date | None) -> list[Span]:
    pieces: list[Span] = []
    if span.start < start:
        pieces.append(replace(span, end=min(start, span.end) if span.end else start))
    if end is not None and (span.end is None or span.end > end):
        pieces.append(replace(span, start=max(span.start, end)))
    return pieces
