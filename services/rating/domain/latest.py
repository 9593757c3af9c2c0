"""Grading by the newest rated inspection: its component scores meet the published bands, or a published status stands."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from schemas.rulebook import Rulebook
from services.rating.domain.days import ONE_DAY, civil_day, day
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Look
from services.rating.domain.rules import holding_rules, pick
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.view import View


def standing(view: View, rulebook: Rulebook, as_of: date) -> Standing | None:
    """None where neither a rated inspection nor a published status counts on the day."""
    zone = ZoneInfo(rulebook.header.time_zone)
    inspection = _newest_inspection(view.rated.get(rulebook.regime, ()), as_of, zone)
    declared = max(
        (one for one in view.declared.get(rulebook.regime, ()) if _from(one, zone) <= as_of),
        key=lambda one: (_from(one, zone), one.offset),
        default=None,
    )
    if inspection and (declared is None or not _newer(declared, inspection)):
        return _inspected(view, rulebook, inspection)
    return _declared(rulebook, declared) if declared else None


def days_of(view: View, rulebook: Rulebook, first: date, last: date) -> Iterator[date]:
    """The days from ``first`` to ``last`` from which an inspection or a status counts."""
    zone = ZoneInfo(rulebook.header.time_zone)
    rated = view.rated.get(rulebook.regime, ())
    low = bisect_left(rated, first.isoformat(), key=_on)
    high = bisect_right(rated, (last + ONE_DAY).isoformat(), key=_on)
    yield from (_from(one, zone) for one in (*rated[low:high], *view.declared.get(rulebook.regime, ())))


def _on(fact: Fact) -> str:
    on: str = fact.data["occurred_on"]
    return on


def _from(fact: Fact, zone: ZoneInfo) -> date:
    """The day from which it counts. What the office's calendar dates after the day on which it was known has happened all the same:
    the office lies in another time zone."""
    known = civil_day(fact.known, zone)
    on = day(fact.data.get("occurred_on"))
    return min(on, known) if on else known


def _newest_inspection(rated: Sequence[Fact], as_of: date, zone: ZoneInfo) -> Fact | None:
    at = bisect_right(rated, (as_of + ONE_DAY).isoformat(), key=_on)
    today = as_of.isoformat()
    return next((one for one in reversed(rated[:at]) if _on(one) <= today or _from(one, zone) <= as_of), None)


def _newer(declared: Fact, inspection: Fact) -> bool:
    """By day where the status has one, by place in the partition where it has none or the days are the same."""
    on = declared.data.get("occurred_on")
    if on is None or on == inspection.data["occurred_on"]:
        return declared.offset > inspection.offset
    return bool(on > inspection.data["occurred_on"])


def _inspected(view: View, rulebook: Rulebook, inspection: Fact) -> Standing:
    latest = rulebook.latest
    assert latest is not None
    on = day(inspection.data["occurred_on"])
    assert on is not None
    scores = {one["component"]: one["points"] for one in inspection.data.get("component_scores") or ()}
    said = latest.not_gradable
    components = {name: scores[name] for name in latest.components if name in scores}
    if len(components) == len(latest.components):
        look = Look(rulebook, view, first=on, last=on, day=on, components=components, inspection=inspection)
        if reasons := holding_rules(look, "latest").counted:
            chosen = pick(rulebook, reasons)
            graded = rulebook.status_for("graded")
            assert graded is not None
            best = tuple(reason for reason in reasons if reason.grade == chosen)
            return Standing(chosen, graded.status, on, "evaluation", best)
        said = latest.no_rule or said
    status = rulebook.status_for("not_gradable")
    assert status is not None
    reason = Reason(
        status.status,
        status.clause,
        None,
        said,
        {"day": on},
        facts=(Decisive(inspection),),
    )
    return Standing(None, status.status, on, "status", (reason,))


def _declared(rulebook: Rulebook, declared: Fact) -> Standing:
    latest = rulebook.latest
    assert latest is not None
    word = declared.data["status"]
    # An authority may declare what an act would bring about as well, such as that premises have closed.
    named = rulebook.status_words.get(word)
    known = named if named and named.role in ("declared", "terminal") else rulebook.status_for("not_gradable")
    assert known is not None
    values = {"status_zh": known.name.zh, "status_en": known.name.en} if known is named else {"status_zh": word, "status_en": word}
    reason = Reason(known.status, known.clause, None, latest.declared, values, facts=(Decisive(declared),))
    return Standing(None, known.status, day(declared.data.get("occurred_on")), "status", (reason,))
