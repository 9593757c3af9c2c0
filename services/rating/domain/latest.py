"""Grading by the newest rated inspection: its component scores meet the published bands, or a published status stands."""

from __future__ import annotations

from datetime import date

from schemas.rulebook import Rulebook
from services.rating.domain.days import day
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Look
from services.rating.domain.rules import holding_rules, pick
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject


def standing(subject: Subject, rulebook: Rulebook, as_of: date) -> Standing | None:
    """None where neither a rated inspection nor a published status is on record."""
    inspection = subject.rated.get(rulebook.regime)
    declared = subject.declared.get(rulebook.regime)
    if inspection and (declared is None or not _newer(declared, inspection)):
        return _inspected(subject, rulebook, inspection)
    return _declared(rulebook, declared) if declared else None


def _newer(declared: Fact, inspection: Fact) -> bool:
    """By day where the status has one, by place in the partition where it has none or the days are the same."""
    on = declared.data.get("occurred_on")
    if on is None or on == inspection.data["occurred_on"]:
        return declared.offset > inspection.offset
    return bool(on > inspection.data["occurred_on"])


def _inspected(subject: Subject, rulebook: Rulebook, inspection: Fact) -> Standing:
    latest = rulebook.latest
    assert latest is not None
    on = day(inspection.data["occurred_on"])
    assert on is not None
    scores = {one["component"]: one["points"] for one in inspection.data.get("component_scores") or ()}
    said = latest.not_gradable
    components = {name: scores[name] for name in latest.components if name in scores}
    if len(components) == len(latest.components):
        look = Look(rulebook, subject, first=on, last=on, day=on, components=components, inspection=inspection)
        if reasons := holding_rules(look, "latest"):
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
        decisive=(Decisive(inspection),),
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
    reason = Reason(known.status, known.clause, None, latest.declared, values, decisive=(Decisive(declared),))
    return Standing(None, known.status, day(declared.data.get("occurred_on")), "status", (reason,))
