"""A quality report as a page of its own: Chinese first, English second, no script, nothing to fetch."""

from __future__ import annotations

from services.rating.analysis.discrimination import FEW_OF_A_KIND, curve
from services.rating.analysis.proportions import FEW
from services.rating.analysis.quality import Followed, Matrix, Quality
from services.rating.report.charts import Tick, Whisker, path, whiskers
from services.rating.report.names import words
from services.rating.report.page import Frame, render

_HEAT = 5
_CURVES = 400


def quality_page(found: Quality, frame: Frame) -> str:
    """The whole page as HTML."""
    rulebook = found.scene.book.rulebook
    first = found.followed[0] if found.followed else None
    rows, ticks = _whiskers(first) if first else ([], [])
    return render(
        "quality.html",
        words(rulebook),
        found=found,
        frame=frame,
        name=rulebook.header.name,
        first=first,
        whiskers=rows,
        ticks=ticks,
        roc=path(curve(first.observations)) if first and first.by_grade else None,
        roc_score=_thin(first) if first and first.by_score else None,
        matrices=[(one, _rows(found, one), _columns(found, one), _heat(one)) for one in _shown(found)],
        few=FEW,
        few_of_a_kind=FEW_OF_A_KIND,
    )


def _shown(found: Quality) -> list[Matrix]:
    """All years together where there are several, then each."""
    pooled = [found.pooled] if found.pooled and len(found.matrices) > 1 else []
    return [*pooled, *found.matrices]


def _rows(found: Quality, one: Matrix) -> list[str]:
    return [name for name in found.labels if one.row(name)]


def _columns(found: Quality, one: Matrix) -> list[str]:
    return [name for name in found.labels if any(one.cells.get((was, name)) for was in found.labels)]


def _heat(one: Matrix) -> dict[tuple[str, str], int]:
    return {(was, now): max(1, -(-_HEAT * n // one.row(was))) for (was, now), n in one.cells.items() if n}


def _whiskers(first: Followed) -> tuple[list[Whisker], list[Tick]]:
    shown = [(grade, one.share or 0.0, one.low or 0.0, one.high or 0.0) for grade, one in first.shares.items() if one.n]
    return whiskers(shown)


def _thin(first: Followed) -> str:
    """A score has many values: a curve of at most so many points looks the same."""
    points = curve(first.scored)
    step = max(1, len(points) // _CURVES)
    return path([*points[:-1:step], points[-1]])
