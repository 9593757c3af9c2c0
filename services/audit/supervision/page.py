"""The report as a page of its own: Chinese first, English second, no script, nothing to fetch. Charts are SVG drawn here; places along
the width are percentages, so that text keeps its size from a phone to a wide screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.disclosed import LEAST, PEOPLE, Outside, outside
from services.audit.domain.found import FATES, Fate, Scan
from services.audit.domain.supervision import Row, Told, Year
from services.audit.supervision import words

_TEMPLATES = Path(__file__).parent / "templates"
_TALL = 120
# So many matters stand in the page; all of them in the files beside it.
MOST_MATTERS = 50


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a horizontal bar; ``style``: its class."""

    x: str
    width: str
    n: int
    style: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a chart with its class of delay below."""

    x: str
    width: str
    middle: str
    y: float
    height: float
    n: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a detector's runs of the year add up to."""

    detector: str
    versions: str
    runs: int
    looked_at: int
    hits: int
    alphas: str


def page(year: Year, *, edition: str, sample: bool) -> str:
    """The whole page as HTML. ``edition``: ``console`` or ``outside``."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "given": _given, "office": _office, "officer": _officer, "n": _thousands}
    environment.globals |= {"kind": words.kind, "zh_day": zh_day, "en_day": en_day}
    environment.globals |= {"FATES": words.FATES, "STANDINGS": words.STANDINGS, "CONSEQUENCES": words.CONSEQUENCES}
    given: dict[str, Any] = {"year": year, "sample": sample, "scans": list(_ran(year.scans))}
    if edition == "outside":
        rows, whole = outside(year)
        return environment.get_template("outside.html").render(
            rows=rows, bars=_lengths(rows), whole=whole, least=LEAST, people=PEOPLE, **given
        )
    whole_year = _sum(year.offices)
    return environment.get_template("console.html").render(
        whole=whole_year,
        columns=_columns(whole_year),
        shares=[(row, _share(row)) for row in year.offices if row.with_term],
        kinds=[(name, counted, _fates(counted)) for name, counted in sorted(whole_year.fates.items())],
        offices=year.offices,
        officers=year.officers,
        shown=_worth_showing(year.matters),
        most=MOST_MATTERS,
        fates=FATES,
        tall=_TALL,
        **given,
    )


def _sum(rows: Sequence[Row]) -> Row:
    """All offices together."""
    whole = Row("")
    for row in rows:
        for name in ("entries", "migrated", "with_term", "late", "late_cleared", "excused", "moved", "least", "most", "unassessed"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
        whole.delays = [one + other for one, other in zip(whole.delays, row.delays, strict=True)]
        whole.worst = max(whole.worst, row.worst)
        for kind, counted in row.fates.items():
            whole.fates.setdefault(kind, Counter()).update(counted)
    return whole


def _columns(row: Row) -> list[Column]:
    classes, top = words.delay_classes(), max(row.delays) or 1
    step = 100 / len(classes)
    found = []
    for place, (n, (zh, en)) in enumerate(zip(row.delays, classes, strict=True)):
        height = _TALL * n / top
        x = place * step + step * 0.14
        found.append(Column(f"{x:.2f}%", f"{step * 0.72:.2f}%", f"{(place + 0.5) * step:.2f}%", 18 + _TALL - height, height, n, zh, en))
    return found


def _share(row: Row) -> list[Part]:
    """In time, late; what was cleared is in time."""
    return _parts([(row.in_time, "ok", "按时", "in time"), (row.late, "late", "逾期", "late")])


def _lengths(rows: Sequence[Outside]) -> list[tuple[Outside, list[Part]]]:
    """One bar for each office that had entries with a term, by the longest."""
    top = max((row.with_term for row in rows), default=0) or 1
    shown = [row for row in rows if row.with_term]
    return [(row, [Part("0%", f"{100 * row.with_term / top:.3f}%", row.with_term, "ok", "有期限", "with a term")]) for row in shown]


def _fates(counted: Counter[Fate]) -> list[Part]:
    return _parts([(counted[fate], fate, *words.FATES[fate]) for fate in FATES])


def _parts(counts: Sequence[tuple[int, str, str, str]]) -> list[Part]:
    total, at, found = sum(n for n, *_ in counts) or 1, 0.0, []
    for n, style, zh, en in counts:
        width = 100 * n / total
        if n:
            found.append(Part(f"{at:.3f}%", f"{max(width, 0.3):.3f}%", n, style, zh, en))
        at += width
    return found


def _worth_showing(matters: Sequence[Told]) -> list[Told]:
    """Those first that moved a grade most, then the rest by day; retracted ones were none."""

    def weight(one: Told) -> tuple[int, str]:
        stands = one.fate != "cleared" and one.matter.assessed is not None
        return (-one.matter.assessed.most if stands and one.matter.assessed else 0, one.matter.raised_on.isoformat())

    return sorted((one for one in matters if one.fate != "retracted"), key=weight)[:MOST_MATTERS]


def _ran(scans: Sequence[Scan]) -> Iterator[Ran]:
    for detector in sorted({one.detector for one in scans}):
        some = [one for one in scans if one.detector == detector]
        alphas = sorted({one.alpha for one in some if one.alpha is not None})
        versions = ", ".join(str(one) for one in sorted({one.version for one in some}))
        yield Ran(detector, versions, len(some), sum(one.looked_at for one in some), sum(one.hits for one in some), ", ".join(alphas))


def _percent(share: float | None) -> str:
    """Never rounded up to 100 % where something was late."""
    if share is None:
        return "–"
    return "100 %" if share == 1 else f"{min(99.9, 100 * share):.1f} %"


def _given(n: int | None) -> str:
    return "未列出" if n is None else f"{n:,}"


def _office(name: str) -> str:
    """The office within its department."""
    return name.removeprefix("/departments/").replace("/offices/", " / ")


def _officer(name: str) -> str:
    return name.removeprefix("officer:")


def _thousands(n: int) -> str:
    return f"{n:,}"
