"""Late entries of every kind that can be late, and of every way in which day 0 comes about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from services._cli.sample import life
from services._cli.sample.acts import Act, Hand, at, instant
from services._cli.sample.workdays import Workdays

# Types that come too seldom for chance to make one late.
_SELDOM = ("case.opened", "case.closed", "obstruction.determined", "correction.ordered")
_OF_EACH = 2
# Working days between day 0 and the town's end that leave room for the entry.
_ROOM = 20


def late_of_each_kind(acts: list[Act], workdays: Workdays, go_live: date, last: date) -> list[Act]:
    """Some of the seldom types entered late; of the orders to correct some end after their service."""
    done: Counter[str] = Counter()
    found: list[Act] = []
    for act in acts:
        fit = act.type in _SELDOM and not act.entry and act.acted_on >= go_live and workdays.after(act.day_zero, _ROOM) <= last
        if fit and done[act.type] < _OF_EACH:
            done[act.type] += 1
            act = _ending_later(act, workdays) if act.type == "correction.ordered" else act
            act = act.entered(f"late:{done[act.type]}", f"{act.type}: entered late")
        found.append(act)
    return found


def _ending_later(act: Act, workdays: Workdays) -> Act:
    """The same activity, over on the working day after its document was served: that day is day 0."""
    day = workdays.after(act.day_zero, 1)
    start, end = at(act.acted_on, 9), at(day, 11)
    return replace(act, data={**act.data, "started_at": instant(start), "ended_at": instant(end)}, day_zero=day, ended=end)


def _spread(hand: Hand, go_live: date, last: date, count: int) -> list[date]:
    """``count`` working days over the time from go-live on, each with room for an entry after it."""
    days = hand.workdays.working_days(go_live, last)[: -_ROOM - 5]
    return [days[(number * 2 + 1) * len(days) // (2 * count)] for number in range(count)] if len(days) >= count else []


def long_days(hands: list[Hand], go_live: date, last: date) -> list[Act]:
    """Inspections that end on the next day and samples whose result comes later: each in time on the last evening, and late by one."""
    acts: list[Act] = []
    for number, day in enumerate(_spread(hands[0], go_live, last, 4)):
        hand = hands[(number * 3 + 1) % len(hands)]
        how, words = (
            ("late:1", "entered on the working day after the deadline") if number % 2 else ("evening", "entered on the last evening")
        )
        acts.append(hand.two_days(day).entered(how, f"ended on the next day: {words}"))
        taken, result = hand.sampled(day, hand.workdays.after(day, 7))
        acts += [taken.entered("in:1", ""), result.entered(how, f"the result of a sample: {words}")]
    return acts


def served_by_themselves(hands: list[Hand], go_live: date, last: date) -> list[Act]:
    """Fines whose service a record of its own tells: one in time, one told late, and one that was entered late itself, before its
    service was. For enterprises that a further fine does not lower, and of the town's last year."""
    begin = max(go_live, date(last.year, 1, 1))
    acts: list[Act] = []
    plans = (
        ("in:1", "evening", "entered on the last evening"),
        ("in:1", "late:3", "entered late"),
        ("late:2", "late:4", "a decision and its service, entered late one after the other"),
    )
    for number, (day, (how, told, words)) in enumerate(zip(_spread(hands[0], begin, last, 3) if hands else [], plans, strict=False)):
        hand = hands[number % len(hands)]
        if hand.enterprise.started > day:
            continue
        decision = hand.penalty(day, life._penalty_act(hand, "fine", amount=2000), served=False)
        served = hand.workdays.after(day, 6)
        if how.startswith("late"):
            decision = replace(decision, served=served)
        acts.append(decision.entered(how, words if decision.served else ""))
        acts.append(hand.served_later(decision, served).entered(told, f"a service told by itself: {words}"))
    return [act for act in acts if act.day_zero + timedelta(days=1) < last]
