"""A simulation as a page of its own: Chinese first, English second, no script, nothing to fetch."""

from __future__ import annotations

from services.rating.analysis.compared import Compared, deciding, label
from services.rating.analysis.simulation import Simulation, by_day, said, stretch_labels
from services.rating.report.charts import course, pairs
from services.rating.report.names import words
from services.rating.report.page import Frame, render
from services.rating.report.simulation_terminal import change_words

_HEAT = 5


def simulation_page(found: Simulation, frame: Frame) -> str:
    """The whole page as HTML."""
    rulebook = found.new.book.rulebook
    columns = [name for name in found.labels if any(found.transitions.get((was, name)) for was in found.labels)]
    rows = [name for name in found.labels if any(found.transitions.get((name, now)) for now in found.labels)]
    sums = {name: sum(found.transitions.get((name, now), 0) for now in found.labels) for name in found.labels}
    ends = {name: sum(found.transitions.get((was, name), 0) for was in found.labels) for name in found.labels}
    return render(
        "simulation.html",
        words(found.old.book.rulebook, rulebook),
        found=found,
        frame=frame,
        name=rulebook.header.name,
        changes=[(one, change_words(one, chinese=True), change_words(one, chinese=False)) for one in found.changes],
        movers=[_mover(found, one) for one in found.movers],
        better=sum(found.ranks(one) > 0 for one in found.movers),
        worse=sum(found.ranks(one) < 0 for one in found.movers),
        rows=rows,
        columns=columns,
        sums=sums,
        ends=ends,
        heat=_heat(found, sums),
        grades=pairs([(one, sums[one], ends[one]) for one in found.labels if sums[one] or ends[one]]),
        load_old=sum(one.old for one in found.load),
        load_new=sum(one.new for one in found.load),
        load=pairs([(one.grade, one.old, one.new) for one in found.load]),
        course=course(by_day(found), found.as_of),
        ever=[(one, stretch_labels(one)) for one in found.ever],
        ever_days=sum(one.days for one in found.ever),
        names={one.subject: one.name for one in found.compared},
    )


def _mover(found: Simulation, one: Compared) -> dict[str, object]:
    return {
        "subject": one.subject,
        "name": one.name,
        "old": label(one.old),
        "new": label(one.new),
        "since": one.since,
        "ranks": found.ranks(one),
        "was": [] if any(each.new for each in found.numbers(one)) else said(deciding(one.old)),
        "now": said(deciding(one.new)),
        "changes": [(change_words(each, chinese=True), change_words(each, chinese=False)) for each in found.read_parameters(one)],
    }


def _heat(found: Simulation, sums: dict[str, int]) -> dict[tuple[str, str], int]:
    """How dark a cell is, by its share of its row: 1 to ``_HEAT``."""
    return {(was, now): max(1, -(-_HEAT * n // sums[was])) for (was, now), n in found.transitions.items() if n}
