"""What happens to one enterprise of the sample town in a year, so that the year earns the letter it was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from services._cli.sample.acts import Act, Hand
from services._cli.sample.people import REGIME

VIOLATIONS = ("YP-101", "YP-104", "YP-203", "YP-207", "YP-305", "YX-102")
ROUTINE_A_YEAR = 9
SAMPLES_A_YEAR = 5

# Ranges of the final score in half points, as the plan's bounds draw them: 三(二).
_SCORES = {"A": (196, 200), "B": (180, 195), "C": (160, 179), "D": (140, 159), "E": (80, 139)}


def _penalty_act(hand: Hand, *kinds: str, concepts: tuple[str, ...] = (), gravity: str = "general", amount: int = 0) -> dict[str, Any]:
    act: dict[str, Any] = {
        "violation": hand.rng.choice(VIOLATIONS),
        "kinds": list(kinds),
        "legal_field": "device" if hand.enterprise.kind.startswith("device") else "drug",
        "basis": ["样例条款"],
        "gravity": gravity,
        "fault": hand.rng.choice(("negligence", "gross_negligence")),
    }
    if concepts:
        act["concepts"] = list(concepts)
    if amount:
        act["amount"] = str(amount)
    return act


def _case(hand: Hand, day: date, act: dict[str, Any], *, shortest: int = 8, longest: int = 20) -> list[Act]:
    """A case from its opening to a served decision, ``shortest`` to ``longest`` working days later."""
    number = hand.document_no("案", day)
    opened = hand.make(
        "case.opened", hand.officer(), {"occurred_on": day.isoformat(), "case_no": number, "violations": [act["violation"]]}, day
    )
    decided = hand.workdays.after(day, hand.rng.randint(shortest, longest))
    decision = hand.penalty(decided, act)
    decision.data["case_no"] = number
    closed_on = hand.workdays.after(decision.day_zero, 2)
    closed = hand.make(
        "case.closed", hand.officer(), {"occurred_on": closed_on.isoformat(), "case_no": number, "outcome": "penalised"}, closed_on
    )
    return [opened, decision, closed, *_rechecked(hand, closed_on, number, act["violation"])]


def _rechecked(hand: Hand, closed_on: date, case: str, violation: str) -> list[Act]:
    """四(三)1: after most cases in time, after some too late, after some never. By a chance of its own."""
    chance = Random(f"recheck {case}")
    if chance.random() < _NEVER_RECHECKED:
        return []
    late = chance.random() < _RECHECKED_LATE
    day = hand.workdays.after(closed_on, chance.randint(32, 45) if late else chance.randint(6, 28))
    return [replace(hand, rng=chance).inspection(day, kind="recheck", corrected=(violation,))]


def _warned(hand: Hand, day: date) -> list[Act]:
    """三(二)2(1): warned and ordered to correct; the recheck finds it put right."""
    violation = hand.rng.choice(VIOLATIONS)
    warning, correct_by = hand.warning(hand.workdays.after(day, 1), violation)
    recheck = hand.workdays.after(correct_by, hand.rng.randint(1, 5))
    return [
        hand.inspection(day, violations=(violation,)),
        warning,
        hand.inspection(recheck, kind="recheck", corrected=(violation,)),
    ]


def _ordered(hand: Hand, day: date) -> list[Act]:
    """R5: an order to correct alone."""
    violation = hand.rng.choice(VIOLATIONS)
    return [hand.inspection(day, violations=(violation,)), hand.order(day, violation)]


def _unknowing(hand: Hand, day: date) -> list[Act]:
    """三(二)2(2), R14: goods confiscated for a sale in good faith."""
    return _case(hand, day, _penalty_act(hand, "confiscation_of_property", concepts=("unknowing_sale",), gravity="minor"))


def _fined(hand: Hand, day: date) -> list[Act]:
    """三(二)3(2)."""
    kinds = hand.rng.choice((("fine",), ("fine", "confiscation_of_gains"), ("warning", "fine")))
    return _case(hand, day, _penalty_act(hand, *kinds, amount=hand.rng.randrange(1000, 60000, 500)))


def _fresh(hand: Hand, days: list[date], letter: str) -> list[Act]:
    """A case of the last weeks, entered without delay: what the start page shows as the latest changes."""
    kinds, gravity = (("fine",), "general") if letter == "D" else (("suspension_ordered",), "serious")
    act = _penalty_act(hand, *kinds, gravity=gravity, amount=hand.rng.randrange(1000, 60000, 500) if letter == "D" else 0)
    acts = _case(hand, days[-hand.rng.randint(18, 21)], act, shortest=5, longest=8)
    return [one.entered("in:1", "") if one.judged else one for one in acts]


def _warned_twice(hand: Hand, day: date) -> list[Act]:
    """三(二)3(1), R6: the same violation again after the first warning's term ran out, nothing found corrected in between."""
    violation = hand.rng.choice(VIOLATIONS)
    first, correct_by = hand.warning(day, violation)
    again = hand.workdays.after(correct_by + timedelta(days=20), 1)
    second, _ = hand.warning(hand.workdays.after(again, 1), violation)
    return [hand.inspection(day, violations=(violation,)), first, hand.inspection(again, kind="special", violations=(violation,)), second]


def _suspended(hand: Hand, day: date) -> list[Act]:
    """三(二)4(2)."""
    return _case(hand, day, _penalty_act(hand, "suspension_ordered", gravity="serious"))


def _obstructed(hand: Hand, day: date) -> list[Act]:
    """三(二)4(3): two officers, a served determination, the reply."""
    lead = hand.officer()
    decided = hand.workdays.after(day, 3)
    data = {
        "occurred_on": decided.isoformat(),
        "document_no": hand.document_no("阻", decided),
        "service": {"served_on": decided.isoformat(), "method": "handed_over"},
        "act": hand.rng.choice(("inspection", "sampling", "request_for_material")),
        "reply": hand.rng.choice(("given", "chance_given")),
        "officers": sorted([lead.pseudonym, hand.second(lead).pseudonym]),
    }
    return [hand.make("obstruction.determined", lead, data, decided)]


def _judged(hand: Hand, day: date) -> list[Act]:
    """三(二)4(4)."""
    data = {
        "occurred_on": day.isoformat(),
        "document_no": hand.document_no("刑", day),
        "service": {"served_on": day.isoformat(), "method": "handed_over"},
        "legal_field": "drug",
        "final": True,
    }
    return [hand.make("crime.judged", hand.officer(), data, day)]


_NEVER_RECHECKED, _RECHECKED_LATE = 0.12, 0.15
_FRESH, _FRESH_DAYS = frozenset("DE"), 40
_TOLD_DAYS = 85

# How a year comes to its letter: by facts, or (None) by the score alone. The score-only ways can't act within the year.
_WAYS: dict[str, tuple[Any, ...]] = {
    "A": (None,),
    "B": (None,),
    "C": (_warned, _warned, _ordered, _unknowing, None, None),
    "D": (_fined, _fined, _warned_twice, None),
    "E": (_suspended, _obstructed, _judged, None),
}


def year_acts(hand: Hand, year: int, first: date, last: date) -> list[Act]:
    """All acts of ``year`` between ``first`` and ``last``. The final score is dated in January of the next year."""
    one = hand.enterprise
    begin = max(date(year, 1, 1), first, one.started)
    end = min(date(year, 12, 31), last, (one.closed or last) - timedelta(days=1))
    days = hand.workdays.working_days(begin, end) if begin <= end else []
    if len(days) < 5:
        return []
    letter = one.standing.get(year, "B") if one.final != "new" else "B"
    over = date(year, 12, 31) <= last
    acts = _routine(hand, days)
    way = hand.rng.choice([way for way in _WAYS[letter] if way or over or letter in "AB"])
    if not over and one.told:
        # Served so long ago that it can be entered 43 working days too late.
        acts += _fined(hand, days[hand.rng.randrange(max(1, min(len(days) // 2, len(days) - _TOLD_DAYS)))])
    elif not over and letter in _FRESH and len(days) > _FRESH_DAYS and hand.rng.random() < 0.4:
        acts += _fresh(hand, days, letter)
    elif way:
        # Early enough in the year for its services, terms and rechecks to fall into it.
        acts += [act for act in way(hand, days[hand.rng.randrange(len(days) // 8, max(len(days) // 2, len(days) // 8 + 1))])]
    elif letter == "B" and not over and hand.rng.random() < 0.06:
        acts += _awaiting_service(hand, days)
    if over and not one.closed and one.started <= begin:
        low, high = _SCORES[letter if way is None else "B"]
        edge = hand.rng.random() < 0.1
        total = low if edge else hand.rng.randint(low, high)
        day = hand.workdays.after(date(year + 1, 1, 3), hand.rng.randint(1, 3))
        acts.append(hand.score(day, year, total, final=True))
    return [act for act in acts if act.day_zero <= last]


def _routine(hand: Hand, days: list[date]) -> list[Act]:
    """Visits, samples and interim scores in proportion to the part of the year that ``days`` covers."""
    share = len(days) / 245
    acts: list[Act] = []
    for _ in range(round(ROUTINE_A_YEAR * share)):
        acts.append(hand.inspection(hand.rng.choice(days)))
    for _ in range(round(SAMPLES_A_YEAR * share)):
        acts.append(hand.sampling(hand.rng.choice(days)))
    for quarter in range(round(3 * share)):
        day = days[min(len(days) - 1, (quarter + 1) * len(days) // 4)]
        acts.append(hand.score(day, day.year, hand.rng.randint(180, 200), final=False))
    return acts


def _awaiting_service(hand: Hand, days: list[date]) -> list[Act]:
    """A fine that has no effect until its service, which comes weeks later or not at all."""
    day = days[hand.rng.randrange(len(days) // 3, len(days) // 2 + 1)]
    decision = hand.penalty(day, _penalty_act(hand, "fine", amount=2000), served=False)
    acts = [decision]
    if hand.rng.random() < 0.5:
        acts.append(hand.served_later(decision, hand.workdays.after(day, 25)))
    return acts


def changes(hand: Hand, first: date, last: date) -> list[Act]:
    """A move, an interruption, the closing: what makes a register live."""
    one = hand.enterprise
    acts: list[Act] = []
    days = hand.workdays.working_days(max(first, one.started), min(last, one.closed or last))
    if not days:
        return acts
    if hand.rng.random() < 0.08:
        day = hand.rng.choice(days)
        data = {"occurred_on": day.isoformat(), "address": f"样例镇样例新街{hand.rng.randint(1, 99)}号"}
        acts.append(hand.make("enterprise.changed", hand.officer(), data, day))
    if one.final == "B" and hand.rng.random() < 0.04:
        day = days[len(days) // 4]
        data = {"occurred_on": day.isoformat(), "until": (day + timedelta(days=30)).isoformat()}
        acts.append(hand.make("operation.interrupted", hand.officer(), data, day))
    if one.closed:
        data = {"occurred_on": one.closed.isoformat(), "reason": hand.rng.choice(("closed", "deregistered"))}
        acts.append(hand.make("enterprise.closed", hand.officer(), data, one.closed))
    return acts


def opening(hand: Hand) -> list[Act]:
    """Registration, permit, start of operation."""
    one = hand.enterprise
    registered = one.started - timedelta(days=14)
    lead = hand.officer()
    return [
        hand.make(
            "enterprise.registered",
            lead,
            {
                "occurred_on": registered.isoformat(),
                "name": one.name,
                "business_kind": one.kind,
                "address": one.address,
                "district": one.district,
                "licence_numbers": [one.licence],
                "regimes": [REGIME],
            },
            registered,
            private={"legal_representative": f"样例代表{hand.rng.randint(1, 9999):04d}"},
        ),
        hand.make(
            "permit.granted",
            lead,
            {"occurred_on": registered.isoformat(), "permit_no": one.licence, "permit_kind": "business"},
            registered,
        ),
        hand.make("operation.started", lead, {"occurred_on": one.started.isoformat()}, one.started),
    ]
