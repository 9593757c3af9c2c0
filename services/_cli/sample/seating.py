"""The plain town's rounds: officers whose visits were drawn one by one are seated so that nobody is at two places at once.

A visit keeps its day, its length and, wherever that can be, who led it: when it is entered, and whether late, stays as it was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from services._cli.sample.acts import ZONE, Act, at, instant
from services._cli.sample.diary import Diary
from services._cli.sample.people import Officer, staff

# Half hours at which a visit may begin instead. It is over before people sit down to enter it.
_OVER = 17
_SHORT = timedelta(minutes=30)
_STARTS = tuple((hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30))


def seated(acts: list[Act], seed: int) -> list[Act]:
    """The acts in their order. Visits through a night keep their times and are seated first, then those that only a visit can do; of the
    rest what finds nobody free is done in writing."""
    rng, diary, made = Random(f"town {seed} rounds"), Diary(), list(acts)
    visits = [place for place, act in enumerate(acts) if act.data.get("started_at") and act.data.get("mode") == "on_site"]
    for place in sorted(visits, key=lambda one: (_rank(acts[one]), acts[one].data["started_at"], one)):
        made[place] = _seat(acts[place], diary, rng)
    return made


def _rank(act: Act) -> int:
    return 0 if _through_a_night(act) else 1 if "violations" in act.data or "corrected" in act.data else 2


def _through_a_night(act: Act) -> bool:
    assert act.ended is not None
    return act.ended.date() != _drawn(act).date()


def _drawn(act: Act) -> datetime:
    """When the visit was to begin, by the town's clock."""
    return datetime.fromisoformat(act.data["started_at"]).astimezone(ZONE)


def _seat(act: Act, diary: Diary, rng: Random) -> Act:
    for lead, pair, start, end in _ways(act, rng):
        if all(diary.free(one, start, end) for one in pair):
            diary.keep(pair, start, end)
            times = {"started_at": instant(start), "ended_at": instant(end)}
            return replace(act, lead=lead, data={**act.data, **times, "officers": list(pair)}, ended=end)
    return replace(act, data={**act.data, "mode": "written"}) if _rank(act) == 2 else act


def _ways(act: Act, rng: Random) -> Iterator[tuple[Officer, tuple[str, ...], datetime, datetime]]:
    """As it was drawn; with another colleague; at another time of the day; led by somebody else; on a busy day a short one."""
    assert act.ended is not None
    drawn = _drawn(act)
    took, fixed = act.ended - drawn, _through_a_night(act)
    yield from _of_length(act, rng, drawn, took, fixed=fixed)
    if not fixed:
        yield from _of_length(act, rng, drawn, min(took, _SHORT), fixed=False)


def _of_length(
    act: Act, rng: Random, drawn: datetime, took: timedelta, *, fixed: bool
) -> Iterator[tuple[Officer, tuple[str, ...], datetime, datetime]]:
    starts = [drawn]
    if not fixed:
        others = (at(drawn.date(), hour, minute) for hour, minute in rng.sample(_STARTS, len(_STARTS)))
        starts += [one for one in others if one + took <= at(drawn.date(), _OVER)]
    team = staff(act.lead.office)
    leads = [act.lead, *rng.sample([one for one in team if one != act.lead], len(team) - 1)]
    for lead in leads:
        drawn_pair = tuple(act.data["officers"]) if lead == act.lead else ()
        colleagues = sorted((one.pseudonym for one in team if one != lead), key=lambda one: one not in drawn_pair)
        for start in starts:
            for other in colleagues:
                yield lead, tuple(sorted((lead.pseudonym, other))), start, start + took
