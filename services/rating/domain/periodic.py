"""Grading by announced evaluations, with lowering at once in between (五(四) ¶4, R10, R11).

The standing on a day follows from the evaluation of the newest period whose date has come and from the causes that took effect
after that period: of the two the worse holds. So nothing is carried from step to step, and a late fact re-rates the past by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import groupby

from schemas.rulebook import Rulebook
from schemas.rulebook.periodic import Stays
from services.rating.domain.acts import between
from services.rating.domain.approval import Admitted, Gate, approvals, with_proposal
from services.rating.domain.causes import SHOWN, Causes
from services.rating.domain.causes import between as causes_between
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions.operated_for import Operating
from services.rating.domain.controls import Evaluation
from services.rating.domain.course import Course
from services.rating.domain.days import ONE_DAY, day
from services.rating.domain.final_score import FinalScore, final_score
from services.rating.domain.holding import Look
from services.rating.domain.in_time import Judge, at_once, evaluated_by_law, grades_the_new, steps
from services.rating.domain.index import Met, index_of
from services.rating.domain.law import Law
from services.rating.domain.lowering import stepped, worse
from services.rating.domain.newness import new_on, operating_by
from services.rating.domain.plan import cause_rules
from services.rating.domain.rules import by_gravity, holding_rules, pick, reason_of, without_given_way
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.terms import terms_of
from services.rating.domain.view import View

STAYS = "grade_stays"


def standing(
    view: View,
    rulebook: Rulebook,
    go_live: date,
    evaluations: Sequence[Evaluation],
    as_of: date,
    law: Law | None = None,
    *,
    proposing: bool = True,
) -> Standing:
    """``go_live``: the first day that counts. ``evaluations``: those whose date has come on ``as_of``, the newest period last. ``law``:
    where ``rulebook``, that of ``as_of``, is not the only one there was. ``proposing``: with what awaits approval beside it."""
    gate = Gate.of(view, rulebook)
    found = _standing(view, rulebook, Course(go_live, evaluations, gate, law=law), as_of)
    if gate and proposing:
        found = with_proposal(gate, found, lambda lenient: _standing(view, rulebook, Course(go_live, evaluations, lenient, law=law), as_of))
    return replace(found, reasons=(*found.reasons, *_waiting(view, rulebook))) if view.served_too_early else found


def by_conditions(
    view: View,
    rulebook: Rulebook,
    go_live: date,
    evaluations: Sequence[Evaluation],
    score: FinalScore | None,
    as_of: date,
    met: dict[int, Standing],
    law: Law | None = None,
) -> Standing:
    """The same with nothing to approve, and with ``score`` for a period of which none is entered. ``met`` is filled: who asks again
    with more evaluations after these hands it on, so that the older ones aren't judged anew."""
    return _standing(view, rulebook, Course(go_live, evaluations, met=met, assumed=score, law=law), as_of)


def _standing(view: View, rulebook: Rulebook, course: Course, as_of: date) -> Standing:
    evaluated, rulebook = bool(course.evaluations), course.rulebook(rulebook, as_of)
    if evaluated:
        last = course.evaluations[-1].last
        base = course.by(_judged(view, course.rulebook(rulebook, last), course, as_of), last)
    else:
        base = course.by(_initial_by_law(view, rulebook, course, as_of), as_of)
    found = _stepped(view, rulebook, course, base, as_of)
    if evaluated and found is not base and found.in_force_from and found.in_force_from < course.evaluations[-1].on:
        # A cause that stays through the evaluation has acted since its day only where nothing worse held until then.
        met = _before(view, rulebook, course)
        if met.grade != found.grade:
            return replace(found, in_force_from=course.evaluations[-1].on)
    return found


def _waiting(view: View, rulebook: Rulebook) -> list[Reason]:
    """R3: what has no effect because its service can't be right."""
    assert rulebook.periodic is not None
    note = rulebook.periodic.served_too_early
    pairs = list(view.served_too_early.values())[:SHOWN]
    numbers = list(dict.fromkeys(document.data["document_no"] for document, _ in pairs))
    facts = tuple(Decisive(fact) for pair in pairs for fact in pair)
    return [Reason("served_too_early", note.clause, None, note, {"documents": ", ".join(numbers)}, facts=facts, readings=note.readings)]


def initial(view: View, rulebook: Rulebook, go_live: date, as_of: date) -> Standing:
    """Before the first evaluation: new, or not yet evaluated."""
    terms = terms_of(rulebook, as_of)
    found = operating_by(view, terms)
    after = go_live - ONE_DAY
    if found.new_on(as_of, terms.unknown_is_new):
        new = _new(view, rulebook, found, as_of)
        return replace(new, in_force_from=found.started or _registered_on(view), after=after)
    return replace(_not_yet_evaluated(view, rulebook, found), after=after)


def _initial_by_law(view: View, rulebook: Rulebook, course: Course, as_of: date) -> Standing:
    """The same, since the day on which a law first said so."""
    found, law = initial(view, rulebook, course.go_live, as_of), course.law
    if law is None or found.in_force_from is None or (part := law.on(as_of)).first <= found.in_force_from:
        return found
    before = _initial_by_law(view, law.on(part.first - ONE_DAY).rulebook, course, part.first - ONE_DAY)
    return replace(found, in_force_from=before.in_force_from if before.status == found.status else part.first)


def _registered_on(view: View) -> date | None:
    return day(view.registered.data.get("occurred_on")) if view.registered else None


def _not_yet_evaluated(view: View, rulebook: Rulebook, found: Operating) -> Standing:
    """No longer new, from the day on which the full year is complete, and no evaluation has given a grade."""
    status = rulebook.status_for("not_yet_evaluated")
    assert status is not None
    facts = tuple(Decisive(fact) for fact in ((view.registered,) if view.registered else ()))
    reason = Reason(status.status, status.clause, None, status.name, facts=facts)
    return Standing(None, status.status, found.complete_on or _registered_on(view), "status", (reason,))


def _new(view: View, rulebook: Rulebook, found: Operating, on: date) -> Standing:
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
        facts=tuple(Decisive(fact) for fact in found.facts),
        readings=rule.readings,
    )
    return Standing(None, status.status, found.started, "status", (reason,))


def _judged(view: View, rulebook: Rulebook, course: Course, as_of: date) -> Standing:
    """What the newest evaluation found for the subject, before anything that took effect after its period; of what needs approval
    what was approved by ``as_of``."""
    periodic = rulebook.periodic
    assert periodic is not None
    evaluation = course.evaluations[-1]
    last = evaluation.last
    terms = terms_of(rulebook, last)
    found = operating_by(view, terms)
    score = final_score(view, rulebook, evaluation.first, last) or course.assumed
    scored = score is not None or not periodic.by_scores
    if found.new_on(last, terms.unknown_is_new) and not _graded_though_new(view, rulebook, course):
        # It takes no part; what a violation gave it before, it keeps.
        before = _before(view, rulebook, course)
        if before.grade is not None:
            return _stays(view, rulebook, evaluation, before, [], _silent(rulebook, has_score=scored, waiting=False))
        fresh = _new(view, rulebook, found, last)
        return replace(fresh, in_force_from=evaluation.on, moment="evaluation", period_last=last, after=last)
    look = Look(rulebook, view, first=evaluation.first, last=last, day=last, score=(score.points, score.fact) if score else None)
    known = evaluation.fact.known

    def admit(some: list[Reason]) -> Admitted:
        return course.admit(some, on=evaluation.on, known=known, by=as_of)

    notes = score.notes if score else ()
    if course.law:
        (reasons, waiting), of_law = evaluated_by_law(course.law, look, admit)
        notes += of_law
    else:
        reasons, waiting = holding_rules(look, "evaluation", admit)
    if waiting and (kept := _confirmed(view, rulebook, course, [*reasons, *waiting])):
        return kept
    if not scored or not reasons:
        before = _before(view, rulebook, course)
        silent = _silent(rulebook, has_score=scored, waiting=bool(waiting))
        return _stays(view, rulebook, evaluation, before, reasons, silent)
    graded = _graded(rulebook, by_gravity(rulebook, reasons), evaluation)
    return replace(graded, reasons=(*graded.reasons, *notes)) if notes else graded


def _graded_though_new(view: View, rulebook: Rulebook, course: Course) -> bool:
    """三(三): whether a violation of the period grades even a new enterprise."""
    evaluation, law = course.evaluations[-1], course.law
    if law is None:
        return bool(between(index_of(view, rulebook).judged_new, evaluation.first, evaluation.last))
    judge = Judge.of(law, law.number(evaluation.last), evaluation.last)
    return grades_the_new(view, judge, evaluation.first, evaluation.last)


def _confirmed(view: View, rulebook: Rulebook, course: Course, reasons: list[Reason]) -> Standing | None:
    """The grade in force, where the evaluation comes to the same once more: it stays while that awaits approval."""
    before = _before(view, rulebook, course)
    if before.grade is None or before.grade != pick(rulebook, without_given_way(rulebook, reasons)):
        return None
    return before.through(course.evaluations[-1].last)


def _silent(rulebook: Rulebook, *, has_score: bool, waiting: bool) -> Stays:
    """What is said of an evaluation that gives no grade."""
    periodic = rulebook.periodic
    assert periodic is not None
    if not has_score:
        assert periodic.missing_score is not None
        return periodic.missing_score
    return periodic.approval.stays if waiting and periodic.approval else periodic.no_condition


def _graded(rulebook: Rulebook, reasons: tuple[Reason, ...], evaluation: Evaluation) -> Standing:
    assert rulebook.periodic is not None
    graded = rulebook.status_for("graded")
    assert graded is not None
    grade, several, approved_on = pick(rulebook, reasons), (), reasons[0].on or evaluation.on
    if len(reasons) > 1:
        several = rulebook.periodic.precedence_readings if any(one.grade != grade for one in reasons) else ()
        approved_on = min((one.on or evaluation.on for one in reasons if one.grade == grade), default=evaluation.on)
    return Standing(
        grade,
        graded.status,
        max(evaluation.on, approved_on),
        "evaluation",
        (*reasons, *approvals(rulebook, reasons, grade)),
        period_last=evaluation.last,
        after=evaluation.last,
        extra_readings=(*rulebook.periodic.readings, *several),
    )


def _stays(
    view: View,
    rulebook: Rulebook,
    evaluation: Evaluation,
    before: Standing,
    reasons: list[Reason],
    silent: Stays,
) -> Standing:
    """R5: without a final score, or where no condition holds, the grade stays as it was, unless a condition that needs no
    score gives a worse one."""
    if reasons:
        grade = pick(rulebook, reasons)
        if before.grade is None or rulebook.rank[grade] > rulebook.rank[before.grade]:
            return _graded(rulebook, by_gravity(rulebook, reasons), evaluation)
    terms, new = terms_of(rulebook, evaluation.last), rulebook.status_for("new_enterprise")
    found = operating_by(view, terms)
    if new and before.status == new.status and not found.new_on(evaluation.last, terms.unknown_is_new):
        # Until then it was told as new.
        before = replace(_not_yet_evaluated(view, rulebook, found), in_force_from=evaluation.on)
    values = {"period_first": evaluation.first, "period_last": evaluation.last}
    said = Reason(STAYS, silent.clause, before.grade, silent, values, readings=silent.readings)
    kept = tuple(reason for reason in before.reasons if reason.rule != STAYS)
    return replace(before, reasons=(*kept, said), period_last=evaluation.last, after=evaluation.last)


def _before(view: View, rulebook: Rulebook, course: Course) -> Standing:
    """The standing that the newest evaluation met: by those of older periods, on the day before it."""
    number = len(course.evaluations)
    if number not in course.met:
        course.met[number] = _met(view, rulebook, course)
    return course.met[number]


def _met(view: View, rulebook: Rulebook, course: Course) -> Standing:
    """The same, kept with the view until something is entered for that day or one before it. What the gate noted on the way is kept
    along with it."""
    if course.law:
        # What an edition met depends on the others as well.
        return _standing(view, rulebook, course.before(), course.evaluations[-1].on - ONE_DAY)
    gate, kept = course.gate, index_of(view, rulebook).met
    key = (gate and gate.lenient, course.go_live, *((one.fact.offset, one.on) for one in course.evaluations))
    found: Met | None = kept.get(key)
    if found is None:
        own = replace(gate, waited=False, returned=None) if gate else None
        on = course.evaluations[-1].on - ONE_DAY
        standing = _standing(view, rulebook, Course(course.go_live, course.evaluations[:-1], own), on)
        found = kept[key] = Met(on, standing, own is not None and own.waited, own.returned if own else None)
    if gate:
        gate.note(found.waited, found.returned)
    return found.standing


def _lowered(view: View, rulebook: Rulebook, course: Course, base: Standing, as_of: date) -> Standing:
    """R10, R11: causes after the evaluated period lower at once, and stay through the evaluation of an earlier period."""
    if not course.law and not index_of(view, rulebook).trackers:
        return base
    assert base.after is not None
    first = max(base.after + ONE_DAY, course.go_live)
    reasons, notes = _at_once(view, rulebook, course, "immediate", first, as_of)
    if base.grade is None and not reasons:
        reasons, notes = _at_once(view, rulebook, course, "new_enterprise", first, as_of)
    if not reasons:
        return base
    grade = pick(rulebook, reasons)
    if base.grade is not None and rulebook.rank[grade] <= rulebook.rank[base.grade]:
        return base
    since = min(reason.on for reason in reasons if reason.grade == grade and reason.on)
    graded = rulebook.status_for("graded")
    assert graded is not None and rulebook.periodic is not None
    found = Standing(
        grade,
        graded.status,
        since,
        "immediate",
        (*by_gravity(rulebook, reasons), *approvals(rulebook, reasons, grade), *notes),
        period_last=base.period_last,
        after=base.after,
        extra_readings=rulebook.periodic.readings,
    )
    return course.by(found, since)


def _stepped(view: View, rulebook: Rulebook, course: Course, base: Standing, as_of: date) -> Standing:
    """R7 on top of R10: what penalties of other departments after the evaluated period come to."""
    found = _lowered(view, rulebook, course, base, as_of)
    counted = None if course.law else index_of(view, rulebook).lowering
    if not course.law and not counted:
        return found
    assert base.after is not None
    first = max(base.after + ONE_DAY, course.go_live)
    if course.law:
        lowering = steps(view, course.law, first, as_of)
    else:
        lowering = [(act, rulebook) for act in counted.between(first, as_of)] if counted else []
    if not lowering:
        return found

    def without(day: date) -> Standing:
        return _lowered(view, rulebook, course, base, day)

    acts = [act for act, _ in lowering]
    evaluated_on = course.evaluations[-1].on if course.evaluations else date.min
    early = [act for act in acts if act.effective < evaluated_on]
    # What was lowered before the evaluation's date, after its period, was the grade that held then; and it stays lowered.
    held = _standing(view, rulebook, course.before(), early[-1].effective) if early else None

    def count(reason: Reason) -> Reason | None:
        admitted = course.admit([reason], on=None, known=0, by=as_of)
        return admitted.counted[0] if admitted.counted else None

    if not course.law:
        return worse(rulebook, found, stepped(rulebook, acts[len(early) :], without, held, count))
    for day_and_book, some in groupby(lowering[len(early) :], key=lambda one: (one[0].effective, id(one[1]))):
        each = list(some)
        lowered = stepped(each[0][1], [act for act, _ in each], without, held, count)
        held = course.by(lowered, day_and_book[0]) if lowered and lowered is not held else lowered
    return worse(rulebook, found, held)


def _at_once(
    view: View, rulebook: Rulebook, course: Course, moment: str, first: date, as_of: date
) -> tuple[list[Reason], tuple[Reason, ...]]:
    """The reasons that count, and what is to be said of the law."""
    plain: list[Reason] = []
    otherwise: list[Reason] = []
    notes: list[Reason] = []
    trackers = index_of(view, rulebook).trackers
    if course.law:
        counts = partial(_while_new, view) if moment == "new_enterprise" else lambda _, causes: causes
        plain, otherwise, notes = at_once(view, course.law, moment, first, as_of, counts=counts)
    for rule, place, condition in cause_rules(rulebook, moment) if trackers and not course.law else ():
        tracker = trackers.get(place)
        if tracker is None:
            continue
        last = min(as_of, rule.repealed_on - ONE_DAY) if rule.repealed_on else as_of
        causes = causes_between(tracker.causes(view), max(first, rule.in_force_from), last)
        if moment == "new_enterprise":
            causes = _while_new(view, rulebook, causes)
        if not causes:
            continue
        holding = CAUSE_KINDS[condition.kind].describe(condition, rulebook, causes)
        reason = reason_of(rule, [holding], day=causes.first.on, on=causes.first.on)
        (otherwise if len(rule.all) > 1 else plain).append(reason)
    if not plain and not otherwise:
        return [], tuple(notes)
    counted = course.admit(plain, on=None, known=0, by=as_of).counted
    return counted or course.admit(otherwise, on=None, known=-1, by=as_of).counted, tuple(notes)


def _while_new(view: View, rulebook: Rulebook, causes: Causes) -> Causes:
    """The causes on days on which the subject was new."""
    assert rulebook.periodic is not None
    if len(rulebook.parameter(rulebook.periodic.new_enterprises.months).values) == 1:
        # By one and the same number of months, who is no longer new never is again.
        return causes.until(lambda cause: not new_on(view, rulebook, cause.on))
    new = [cause for cause in causes.of[causes.low : causes.high] if new_on(view, rulebook, cause.on)]
    return Causes(new, 0, len(new))
