"""Grading by announced evaluations, with lowering at once in between (五(四) ¶4, R10, R11).

The standing on a day follows from the evaluation of the newest period whose date has come and from the causes that took effect
after that period: of the two the worse holds. So nothing is carried from step to step, and a late fact re-rates the past by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import CAUSES
from services.rating.domain.causes import SHOWN, Causes
from services.rating.domain.causes import between as causes_between
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions.operated_for import Operating, operating
from services.rating.domain.controls import Evaluation
from services.rating.domain.days import ONE_DAY, day
from services.rating.domain.final_score import final_score
from services.rating.domain.holding import Look
from services.rating.domain.index import between, index_of
from services.rating.domain.rules import by_gravity, holding_rules, pick, reason_of, unknown_is_new
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

STAYS = "grade_stays"


def standing(subject: Subject, rulebook: Rulebook, go_live: date, evaluations: Sequence[Evaluation], as_of: date) -> Standing:
    """``go_live``: the first day that counts. ``evaluations``: those whose date has come on ``as_of``, the newest period last."""
    found = _standing(subject, rulebook, go_live, evaluations, as_of)
    return replace(found, reasons=(*found.reasons, *_waiting(subject, rulebook))) if subject.served_too_early else found


def _standing(subject: Subject, rulebook: Rulebook, go_live: date, evaluations: Sequence[Evaluation], as_of: date) -> Standing:
    base = _judged(subject, rulebook, go_live, evaluations) if evaluations else _initial(subject, rulebook, go_live, as_of)
    return _lowered(subject, rulebook, go_live, base, as_of)


def _waiting(subject: Subject, rulebook: Rulebook) -> list[Reason]:
    """R3: what has no effect because its service can't be right."""
    assert rulebook.periodic is not None
    note = rulebook.periodic.served_too_early
    pairs = list(subject.served_too_early.values())[:SHOWN]
    numbers = list(dict.fromkeys(document.data["document_no"] for document, _ in pairs))
    facts = tuple(Decisive(fact) for pair in pairs for fact in pair)
    return [Reason("served_too_early", note.clause, None, note, {"documents": ", ".join(numbers)}, decisive=facts, readings=note.readings)]


def _operating(subject: Subject, rulebook: Rulebook, on: date) -> Operating:
    assert rulebook.periodic is not None
    months = rulebook.parameter(rulebook.periodic.new_enterprises.months).at(on)
    return Operating(None, None, ()) if months is None else operating(subject, months)


def _new_on(subject: Subject, rulebook: Rulebook, on: date) -> bool:
    return _operating(subject, rulebook, on).new_on(on, unknown_is_new(rulebook, on))


def _initial(subject: Subject, rulebook: Rulebook, go_live: date, as_of: date) -> Standing:
    """Before the first evaluation: new, or not yet evaluated."""
    found = _operating(subject, rulebook, as_of)
    after = go_live - ONE_DAY
    if found.new_on(as_of, unknown_is_new(rulebook, as_of)):
        new = _new(subject, rulebook, found, as_of)
        return replace(new, in_force_from=found.started or _registered_on(subject), after=after)
    return replace(_not_yet_evaluated(subject, rulebook, found), after=after)


def _registered_on(subject: Subject) -> date | None:
    return day(subject.registered.data.get("occurred_on")) if subject.registered else None


def _not_yet_evaluated(subject: Subject, rulebook: Rulebook, found: Operating) -> Standing:
    """No longer new, from the day on which the full year is complete, and no evaluation has given a grade."""
    status = rulebook.status_for("not_yet_evaluated")
    assert status is not None
    facts = tuple(Decisive(fact) for fact in ((subject.registered,) if subject.registered else ()))
    reason = Reason(status.status, status.clause, None, status.name, decisive=facts)
    return Standing(None, status.status, found.complete_on or _registered_on(subject), "status", (reason,))


def _new(subject: Subject, rulebook: Rulebook, found: Operating, on: date) -> Standing:
    assert rulebook.periodic is not None
    rule = rulebook.periodic.new_enterprises
    status = rulebook.status_for("new_enterprise")
    assert status is not None
    values = {"day": on, "months": rulebook.parameter(rule.months).at(on)}
    reason = Reason(
        status.status,
        rule.clause,
        None,
        rule,
        values,
        decisive=tuple(Decisive(fact) for fact in found.facts),
        readings=rule.readings,
    )
    return Standing(None, status.status, found.started, "status", (reason,))


def _judged(subject: Subject, rulebook: Rulebook, go_live: date, evaluations: Sequence[Evaluation]) -> Standing:
    """What the newest evaluation found for the subject, before anything that took effect after its period."""
    periodic = rulebook.periodic
    assert periodic is not None
    evaluation = evaluations[-1]
    last = evaluation.last
    found = _operating(subject, rulebook, last)
    score = final_score(subject, rulebook, evaluation.first, last)
    if found.new_on(last, unknown_is_new(rulebook, last)) and not between(index_of(subject, rulebook).judged_new, evaluation.first, last):
        # It takes no part; what a violation gave it before, it keeps.
        before = _before(subject, rulebook, go_live, evaluations)
        if before.grade is not None:
            return _stays(subject, rulebook, evaluation, before, [], has_score=score is not None)
        fresh = _new(subject, rulebook, found, last)
        return replace(fresh, in_force_from=evaluation.on, moment="evaluation", period_last=last, after=last)
    look = Look(rulebook, subject, first=evaluation.first, last=last, day=last, score=(score.points, score.fact) if score else None)
    reasons = holding_rules(look, "evaluation")
    if score is None or not reasons:
        before = _before(subject, rulebook, go_live, evaluations)
        return _stays(subject, rulebook, evaluation, before, reasons, has_score=score is not None)
    graded = _graded(rulebook, by_gravity(rulebook, reasons), evaluation)
    return replace(graded, reasons=(*graded.reasons, *score.notes))


def _graded(rulebook: Rulebook, reasons: tuple[Reason, ...], evaluation: Evaluation) -> Standing:
    assert rulebook.periodic is not None
    graded = rulebook.status_for("graded")
    assert graded is not None
    grade = pick(rulebook, reasons)
    several = rulebook.periodic.precedence_readings if len({one.grade for one in reasons}) > 1 else ()
    return Standing(
        grade,
        graded.status,
        evaluation.on,
        "evaluation",
        reasons,
        period_last=evaluation.last,
        after=evaluation.last,
        extra_readings=(*rulebook.periodic.readings, *several),
    )


def _stays(
    subject: Subject,
    rulebook: Rulebook,
    evaluation: Evaluation,
    before: Standing,
    reasons: list[Reason],
    *,
    has_score: bool,
) -> Standing:
    """R5: without a final score, or where no condition holds, the grade stays as it was, unless a condition that needs no
    score gives a worse one."""
    assert rulebook.periodic is not None
    if reasons:
        grade = pick(rulebook, reasons)
        if before.grade is None or rulebook.rank[grade] > rulebook.rank[before.grade]:
            return _graded(rulebook, by_gravity(rulebook, reasons), evaluation)
    found, new = _operating(subject, rulebook, evaluation.last), rulebook.status_for("new_enterprise")
    if new and before.status == new.status and not found.new_on(evaluation.last, unknown_is_new(rulebook, evaluation.last)):
        before = _not_yet_evaluated(subject, rulebook, found)
    silent = rulebook.periodic.no_condition if has_score else rulebook.periodic.missing_score
    values = {"period_first": evaluation.first, "period_last": evaluation.last}
    said = Reason(STAYS, silent.clause, before.grade, silent, values, readings=silent.readings)
    kept = tuple(reason for reason in before.reasons if reason.rule != STAYS)
    return replace(before, reasons=(*kept, said), period_last=evaluation.last, after=evaluation.last)


def _before(subject: Subject, rulebook: Rulebook, go_live: date, evaluations: Sequence[Evaluation]) -> Standing:
    """The standing that the newest of ``evaluations`` met: by those of older periods, on the day before it."""
    return _standing(subject, rulebook, go_live, evaluations[:-1], evaluations[-1].on - ONE_DAY)


def _lowered(subject: Subject, rulebook: Rulebook, go_live: date, base: Standing, as_of: date) -> Standing:
    """R10, R11: causes after the evaluated period lower at once, and stay through the evaluation of an earlier period."""
    assert base.after is not None
    first = max(base.after + ONE_DAY, go_live)
    reasons = _at_once(subject, rulebook, "immediate", first, as_of)
    if base.grade is None and not reasons:
        reasons = _at_once(subject, rulebook, "new_enterprise", first, as_of)
    if not reasons:
        return base
    grade = pick(rulebook, reasons)
    if base.grade is not None and rulebook.rank[grade] <= rulebook.rank[base.grade]:
        return base
    since = min(reason.on for reason in reasons if reason.grade == grade and reason.on)
    graded = rulebook.status_for("graded")
    assert graded is not None and rulebook.periodic is not None
    return Standing(
        grade,
        graded.status,
        since,
        "immediate",
        by_gravity(rulebook, reasons),
        period_last=base.period_last,
        after=base.after,
        extra_readings=rulebook.periodic.readings,
    )


def _at_once(subject: Subject, rulebook: Rulebook, moment: str, first: date, as_of: date) -> list[Reason]:
    index = index_of(subject, rulebook)
    plain: list[Reason] = []
    otherwise: list[Reason] = []
    for rule in rulebook.rules:
        if moment not in rule.at:
            continue
        position, condition = next((at, one) for at, one in enumerate(rule.all) if isinstance(one, CAUSES))
        last = min(as_of, rule.repealed_on - ONE_DAY) if rule.repealed_on else as_of
        causes = causes_between(index.causes(rule.id, position, subject), max(first, rule.in_force_from), last)
        if moment == "new_enterprise":
            causes = _while_new(subject, rulebook, causes)
        if not causes:
            continue
        holding = CAUSE_KINDS[condition.kind].describe(condition, rulebook, causes)
        reason = reason_of(rule, [holding], day=causes.first.on, on=causes.first.on)
        (otherwise if len(rule.all) > 1 else plain).append(reason)
    return plain or otherwise


def _while_new(subject: Subject, rulebook: Rulebook, causes: Causes) -> Causes:
    """The causes on days on which the subject was new."""
    assert rulebook.periodic is not None
    if len(rulebook.parameter(rulebook.periodic.new_enterprises.months).values) == 1:
        # By one and the same number of months, who is no longer new never is again.
        return causes.until(lambda cause: not _new_on(subject, rulebook, cause.on))
    new = [cause for cause in causes.of[causes.low : causes.high] if _new_on(subject, rulebook, cause.on)]
    return Causes(new, 0, len(new))
