"""Grading by the newest rated inspection: its component scores meet the published bands, a rule says why there is no grade for the
time being, or a published status stands. What a rulebook passes over leaves the decision to the inspection before."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from schemas.rulebook import Rulebook, Status, Texts
from services.rating.domain.closures import closing_place, first_of_closure, lifts
from services.rating.domain.conditions.components import scored
from services.rating.domain.days import ONE_DAY, civil_day, day
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Look
from services.rating.domain.law import Law
from services.rating.domain.rules import holding_rules, pick
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.view import View


def standing(view: View, rulebook: Rulebook, as_of: date, law: Law | None = None) -> Standing | None:
    """None where neither a rated inspection nor a published status counts on the day. ``law``: where ``rulebook``, that of ``as_of``, is
    not the only one there was; an inspection decides by that of its own day."""
    found = _standing(view, rulebook, as_of, law)
    return replace(found, by=law.on(as_of)) if found and law and found.by is None else found


def _standing(view: View, rulebook: Rulebook, as_of: date, law: Law | None) -> Standing | None:
    zone = rulebook.zone
    rated = view.rated.get(rulebook.regime, ())
    place = _newest_place(rated, as_of, zone)
    declared = max(
        (one for one in view.declared.get(rulebook.regime, ()) if _from(one, zone) <= as_of),
        key=lambda one: (_from(one, zone), one.offset),
        default=None,
    )
    decided = _by_inspections(view, rulebook, rated, place, law) if place is not None else None
    if decided and (declared is None or not _newer(declared, decided[1])):
        return decided[0]
    return _declared(rulebook, declared) if declared else _none_yet(view, rulebook)


def days_of(view: View, rulebook: Rulebook, first: date, last: date) -> Iterator[date]:
    """The days from ``first`` to ``last`` from which an inspection or a status counts."""
    zone = rulebook.zone
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


def _newest_place(rated: Sequence[Fact], as_of: date, zone: ZoneInfo) -> int | None:
    at = bisect_right(rated, (as_of + ONE_DAY).isoformat(), key=_on)
    today = as_of.isoformat()
    return next((place for place in reversed(range(at)) if _on(rated[place]) <= today or _from(rated[place], zone) <= as_of), None)


def _newer(declared: Fact, inspection: Fact) -> bool:
    """By day where the status has one, by place in the partition where it has none or the days are the same."""
    on = declared.data.get("occurred_on")
    if on is None or on == inspection.data["occurred_on"]:
        return declared.offset > inspection.offset
    return bool(on > inspection.data["occurred_on"])


def _by_inspections(view: View, rulebook: Rulebook, rated: Sequence[Fact], newest: int, law: Law | None) -> tuple[Standing, Fact] | None:
    """By the newest inspection that decides, with the one since which that stands: those that the rulebook passes over decide
    nothing where no rule holds."""
    reopened: Fact | None = None
    place = newest
    while place >= 0:
        found = _inspected(view, rulebook, rated, place, law)
        if found is not None:
            return (_reopened(rulebook, found, reopened), reopened) if reopened else (found, rated[place])
        if lifts(rated[place]):
            reopened = reopened or rated[place]
            place = first_of_closure(rated, place)
        place -= 1
    return None


def _inspected(view: View, rulebook: Rulebook, rated: Sequence[Fact], place: int, law: Law | None) -> Standing | None:
    """What the inspection decides; None where it is passed over."""
    on = day(rated[place].data["occurred_on"])
    assert on is not None
    if law is None:
        return _decided(view, rulebook, rated, place, on)
    part = law.on(on)
    found = _decided(view, part.rulebook, rated, place, on)
    return replace(found, by=part) if found else None


def _decided(view: View, rulebook: Rulebook, rated: Sequence[Fact], place: int, on: date) -> Standing | None:
    latest = rulebook.latest
    assert latest is not None
    inspection = rated[place]
    components = scored(inspection, latest.components)
    look = Look(rulebook, view, on, on, on, components=components, inspection=inspection, rated=rated, place=place)
    reasons = holding_rules(look, "latest").counted
    # A rule that gives a status says that there is no grade, whatever the scores come to.
    for word in latest.interim or ():
        if interim := tuple(one for one in reasons if one.status == word):
            return Standing(None, word, on, "status", interim)
    if reasons:
        chosen = pick(rulebook, reasons)
        graded = rulebook.status_for("graded")
        assert graded is not None
        return Standing(chosen, graded.status, on, "evaluation", tuple(one for one in reasons if one.grade == chosen))
    # What premises are graded by that may open again is, where it is on record, the inspection that closed them.
    closing = closing_place(rated, place) if lifts(inspection) else None
    judged = inspection if closing is None else rated[closing]
    over = latest.passed_over
    if over and {inspection.data["kind"], judged.data["kind"]} <= set(rulebook.parameter(over.kinds).at(on) or ()):
        return None
    status = rulebook.status_for("not_gradable")
    assert status is not None
    whole = scored(judged, latest.components) is not None
    said = (latest.no_rule or latest.not_gradable) if whole else latest.not_gradable
    return Standing(None, status.status, on, "status", (_because(status, said, {"day": judged.data["occurred_on"]}, judged),))


def _reopened(rulebook: Rulebook, found: Standing, reopened: Fact) -> Standing:
    """What stood before the closure stands again, from the day on which the premises were allowed to open."""
    assert rulebook.latest is not None and rulebook.latest.passed_over is not None
    over = rulebook.latest.passed_over
    on = day(reopened.data["occurred_on"])
    reason = Reason("reopened", over.clause, found.grade, over.reopened, {"day": on}, facts=(Decisive(reopened),))
    return replace(found, in_force_from=on, reasons=(*found.reasons, reason))


def _none_yet(view: View, rulebook: Rulebook) -> Standing | None:
    """Nothing has decided anything yet. None where the rulebook doesn't say what that is called."""
    over = rulebook.latest.passed_over if rulebook.latest else None
    if over is None:
        return None
    status = rulebook.status_for("not_yet_evaluated")
    assert status is not None
    return Standing(None, status.status, None, "status", (_because(status, over.none_yet, {}, view.registered),))


def _because(status: Status, said: Texts, values: dict[str, Any], fact: Fact | None) -> Reason:
    return Reason(status.status, status.clause, None, said, values, facts=(Decisive(fact),) if fact else ())


def _declared(rulebook: Rulebook, declared: Fact) -> Standing:
    latest = rulebook.latest
    assert latest is not None
    word = declared.data["status"]
    # An authority may declare what an act would bring about as well, such as that premises have closed.
    named = rulebook.status_words.get(word)
    known = named if named and named.role in ("declared", "terminal", "interim") else rulebook.status_for("not_gradable")
    assert known is not None
    values = {"status_zh": known.name.zh, "status_en": known.name.en} if known is named else {"status_zh": word, "status_en": word}
    reason = Reason(known.status, known.clause, None, latest.declared, values, facts=(Decisive(declared),))
    return Standing(None, known.status, day(declared.data.get("occurred_on")), "status", (reason,))
