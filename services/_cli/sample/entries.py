"""When acts are entered: in time mostly, late now and then, and late-looking but in time at the edges of the calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

from services._cli.sample.acts import ZONE, Act, Hand, at
from services._cli.sample.workdays import Workdays

# Free days in a row that make a festival rather than a weekend.
_FESTIVAL_DAYS = 5
# How many working days after day 0 people enter, when they are in time.
_HABIT = (6, 7, 4, 2, 1)
# Below the story, which is to be the latest of all.
_LONGEST_DELAY = 40


@dataclass(frozen=True)
class Entered:
    """An act with the instants of its signing and of its entry, and the deadline it is held against."""

    act: Act
    channel: str
    signed: datetime
    received: datetime
    deadline: date
    late: bool

    @property
    def entered_on(self) -> date:
        return self.received.astimezone(ZONE).date()

    @property
    def signed_in_time(self) -> bool:
        return self.signed.astimezone(ZONE).date() <= self.deadline


@dataclass(frozen=True)
class Desk:
    """What decides on entries: chance, calendar, go-live, and the instant the town ends at."""

    rng: Random
    workdays: Workdays
    go_live: date
    until: datetime

    def enter(self, act: Act) -> Entered | None:
        """The act's entry, or None when the town ends before it."""
        deadline = self.workdays.deadline(act.due_from)
        how, _, number = (act.entry or self._chance(act)).partition(":")
        signed = None
        if how == "evening":
            received = at(deadline, 23, self.rng.randint(30, 58), self.rng.randint(0, 59))
        elif how in ("late", "offline"):
            received = self._session(self.workdays.after(deadline, int(number)), act)
            if how == "offline":
                signed = at(self.workdays.after(act.day_zero, 1), 16, self.rng.randint(0, 59))
        else:
            day = act.day_zero if number == "0" else self.workdays.after(act.day_zero, int(number))
            received = self._session(day, act)
        if received > self.until:
            return None
        signed = signed or self._just_before(received, act)
        channel = "field" if act.type == "inspection.recorded" and self.rng.random() < 0.4 else "desk"
        overdue = received.astimezone(ZONE).date() > deadline
        late = overdue and act.judged and self.subject_to_deadline(act)
        return Entered(act, channel, signed, received, deadline, late)

    def subject_to_deadline(self, act: Act) -> bool:
        """Nothing is late that happened before go-live; where a document was served, the decision is what happened (R13)."""
        return act.acted_on >= self.go_live

    def _chance(self, act: Act) -> str:
        clean = not act.judged or not self.subject_to_deadline(act)
        if not clean and act.lead.tardy and self.rng.randrange(act.lead.tardy) == 0:
            return f"late:{min(_LONGEST_DELAY, 1 + int(self.rng.expovariate(1 / 6)))}"
        days = self.rng.choices(range(len(_HABIT)), weights=_HABIT)[0]
        if act.type == "score.recorded":
            days = min(days, 2)
        if not self.workdays.is_working(act.day_zero):
            days = max(days, 1)
        return f"in:{days}"

    def _session(self, day: date, act: Act) -> datetime:
        """People enter before lunch or before they go home; on the day of the act itself, before they go home."""
        if day == act.day_zero or self.rng.random() < 0.6:
            return at(day, 17, 20)
        return at(day, 11, 30)

    def _just_before(self, received: datetime, act: Act) -> datetime:
        signed = received - timedelta(minutes=self.rng.randint(1, 45), seconds=self.rng.randint(0, 59))
        if act.ended and signed <= act.ended:
            signed = act.ended + timedelta(minutes=2)
        return signed


def _festivals(workdays: Workdays, first: date, last: date) -> list[date]:
    """The last working day before each long run of free days."""
    days = workdays.working_days(first, last)
    return [day for day, after in pairwise(days) if (after - day).days > _FESTIVAL_DAYS]


def edges(hands: list[Hand], go_live: date, last: date) -> list[Act]:
    """Inspections on each side of a festival, a make-up day and a year's end: one entered on the deadline's evening, which is
    in time, and one entered on the working day after it, which is late by one. The hands take turns."""
    workdays = hands[0].workdays
    named = [(day, "before a festival") for day in _festivals(workdays, go_live, last)]
    for worked in sorted(day for day in workdays.make_up if go_live < day < last):
        # Day 0 such that the make-up day is the fifth working day; and such that it lies within the five.
        for back, words in ((12, "deadline on a make-up day"), (3, "a make-up day within the term")):
            found = [day for day in workdays.working_days(worked - timedelta(days=back), worked - timedelta(days=1))]
            hits = [day for day in found if (workdays.deadline(day) == worked) == (back == 12) and workdays.deadline(day) >= worked]
            named += [(day, words) for day in hits[:1] if day >= go_live]
    for year in range(go_live.year, last.year + 1):
        days = workdays.working_days(max(go_live, date(year, 12, 20)), min(last, date(year, 12, 31)))
        named += [(day, "before a year's end") for day in days[-1:] if day.month == 12 and day.day > 28]
    acts: list[Act] = []
    for number, (day, words) in enumerate(named):
        hand = hands[number % len(hands)]
        acts.append(hand.inspection(day).entered("evening", f"{words}: entered on the deadline's evening"))
        acts.append(hand.inspection(day).entered("late:1", f"{words}: entered on the working day after the deadline"))
        acts.append(hand.inspection(day).entered("in:4", f"{words}: entered on the fourth working day"))
    return acts


def before_go_live(acts: list[Act], go_live: date, rng: Random) -> list[Act]:
    """Some inspections from before go-live entered weeks later: they look late and are not."""
    early = [index for index, act in enumerate(acts) if act.type == "inspection.recorded" and act.day_zero < go_live and not act.entry]
    chosen = set(rng.sample(early, min(len(early), 12)))
    words = "from before go-live, entered weeks later"
    return [act.entered(f"late:{rng.randint(12, 30)}", words) if index in chosen else act for index, act in enumerate(acts)]


def offline(acts: list[Act], go_live: date, rng: Random) -> list[Act]:
    """Some entries signed in time on a device without a network and received late: late, with an excuse to weigh."""
    fit = [index for index, act in enumerate(acts) if act.type == "inspection.recorded" and act.day_zero >= go_live and not act.entry]
    chosen = set(rng.sample(fit, min(len(fit), 5)))
    words = "signed in time, received late"
    return [act.entered(f"offline:{rng.randint(1, 4)}", words) if index in chosen else act for index, act in enumerate(acts)]


def story(acts: list[Act], subject: str, workdays: Workdays, go_live: date, last: date) -> list[Act]:
    """One fine entered 43 working days after its deadline: for all that time the enterprise stood better than it should.

    ``subject``: whose it should be, where it has one that is old enough."""
    fit = [
        index
        for index, act in enumerate(acts)
        if act.type == "penalty.decided"
        and not act.entry
        and "fine" in act.data["acts"][0]["kinds"]
        and act.judged
        and date.fromisoformat(act.data["occurred_on"]) >= go_live
        and workdays.after(workdays.deadline(act.day_zero), 48) <= last
    ]
    if not fit:
        return acts
    told = max(fit, key=lambda index: (acts[index].subject == subject, acts[index].day_zero))
    words = "the story: a fine entered 43 working days after the deadline"
    return [replace(act, entry="late:43", why=words) if index == told else act for index, act in enumerate(acts)]
