"""R17: an act is judged by the law of the day on which it happened, unless a later one is milder (ADR 0025).

Asked only where a regime had more than one law. *Candidates* of an act are the parts of the law by which it may be judged: that of its
day and, where a milder law helps, each one up to the part that judges. What it brings about under each of them decides which one counts; of
equal ones that of its day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import NoActs
from services.rating.domain import lowering
from services.rating.domain.acts import Act, between
from services.rating.domain.approval import Admitted
from services.rating.domain.causes import Causes
from services.rating.domain.causes import between as causes_between
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions import no_acts as no_acts_kind
from services.rating.domain.conditions.points import Tally, Window
from services.rating.domain.conditions.points_words import Line
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.days import ONE_DAY, window_ending
from services.rating.domain.final_score import final_score
from services.rating.domain.holding import Holding, Look
from services.rating.domain.index import index_of
from services.rating.domain.law import Law, Part
from services.rating.domain.plan import Asked, cause_rules, plan_of
from services.rating.domain.rules import Admit, admitted, held, reason_of
from services.rating.domain.sentences import Reason
from services.rating.domain.view import View

RULE = "law_in_time"
# The outcome of an act that brings about no grade.
NOTHING = -1
ACT_DAY = "act_day"
# Points have at most four decimals.
TEN_THOUSANDTHS = 10_000


def happened(act: Act) -> date:
    """The day of the act; of what bears none that of its effect."""
    return act.happened or act.effective


@dataclass(slots=True)
class Judge:
    """The part ``number`` of the law judges, on a day. ``chosen``: what another part judged, or a later one because it is milder, for the
    explanation: (part, whether it is that of the act's day) → acts."""

    law: Law
    number: int
    by_act_day: bool
    milder: bool
    chosen: dict[tuple[int, bool], dict[tuple[object, ...], Act]] = field(default_factory=dict)

    @staticmethod
    def of(law: Law, number: int, on: date) -> Judge:
        rulebook = law.parts[number].rulebook
        section = rulebook.law_in_time
        by = rulebook.parameter(section.acts_by).at(on) if section else None
        milder = bool(section and rulebook.parameter(section.milder_later).at(on))
        return Judge(law, number, by == ACT_DAY, milder)

    def part(self, number: int) -> Part:
        return self.law.parts[number]

    def candidates(self, act: Act) -> range:
        """The parts that may judge an act, that of its day first."""
        home = min(self.law.number(happened(act)), self.number) if self.by_act_day else self.number
        return range(home, self.number + 1) if self.milder else range(home, home + 1)

    def choose(self, act: Act, outcome: Callable[[int, Act], int], *, tells: bool = False) -> int:
        """The candidate with the best outcome (the lowest), of equal ones the earliest. ``tells``: what an earlier one brings about is said
        even where the part that judges would bring about the same."""
        candidates = self.candidates(act)
        if candidates[0] == self.number:
            return self.number
        by = {number: outcome(number, act) for number in candidates}
        best = min(by, key=lambda number: (by[number], number))
        if by[best] != by.get(self.number, NOTHING) or by[best] != by[candidates[0]] or (tells and by[best] != NOTHING):
            self.chosen.setdefault((best, best == candidates[0]), {})[act.order] = act
        return best

    def notes(self) -> Iterator[Reason]:
        """What was judged by another law than the one that judges, or by it because it is milder."""
        section = self.part(self.number).rulebook.law_in_time
        if section is None:
            return
        for (number, of_its_day), acts in sorted(self.chosen.items()):
            part = self.part(number)
            template = section.by_act_day if of_its_day else section.milder
            values = {"version": part.rulebook.version, "from": part.since}
            holding = Holding(acts=tuple(acts[one] for one in sorted(acts)))
            yield Reason(RULE, section.clause, None, template, values, holdings=(holding,), readings=section.readings)


@dataclass(slots=True)
class Choice:
    """By which part each act is judged under some rules; ``outcome``: the rank of the worst grade that an act brings about under those of
    a part, ``NOTHING`` where none."""

    judge: Judge
    outcome: Callable[[int, Act], int]
    _of: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __call__(self, act: Act) -> int:
        found = self._of.get(act.order)
        if found is None:
            found = self._of[act.order] = self.judge.choose(act, self.outcome, tells=True)
        return found


@dataclass(slots=True)
class Sift:
    """What of the acts counts where the rules of a part are asked: the acts that fall to it, and of those that stain a record, or cost
    points, what the law of their day leaves of it."""

    judge: Judge
    number: int
    choice: Choice

    def causes(self, found: Causes) -> Causes:
        """The moments that fall to the part."""
        mine = [one for one in found.of[found.low : found.high] if self.choice(one.act) == self.number]
        return Causes(mine, 0, len(mine))

    def stains(self, rule: Rule, acts: Sequence[Act], look: Look) -> Sequence[Act]:
        """The acts that keep the rule's grade away under every candidate that has a rule for it."""
        if self.number != self.judge.number:
            return acts
        return [one for one in acts if one.effective > look.last or self._hinders(one, rule, look)]

    def _hinders(self, act: Act, rule: Rule, look: Look) -> bool:
        def outcome(number: int, one: Act) -> int:
            part = self.judge.part(number)
            same = [
                each
                for each in part.rulebook.rules
                if each.grade == rule.grade and "evaluation" in each.at and each.in_force(day_in(part, look))
            ]
            return int(not same or all(_stained(each, part, one, look) for each in same))

        return bool(outcome(self.judge.choose(act, outcome), act))

    def window(self, tally: Tally, look: Look, same_act: str) -> Window:
        """The deductions of the look's days, each act's by the candidate that takes off least."""
        found = Window(same_act)
        for act in between(tally.acts, look.first, look.last):
            if lines := self._lines(tally, act, look):
                found.take(act, lines)
        return found

    def _lines(self, tally: Tally, act: Act, look: Look) -> list[Line]:
        name, lines = tally.table.name, dict[int, list[Line]]()
        for number in self.judge.candidates(act):
            # Where a part has no such table, the one that is asked counts.
            lines[number] = index_of(look.view, self.judge.part(number).rulebook).tallies.get(name, tally).lines(act)
        return lines[self.judge.choose(act, lambda number, _: int(TEN_THOUSANDTHS * sum(line.points for line in lines[number])))]


def day_in(part: Part, look: Look) -> date:
    """The day by whose numbers a part answers."""
    return min(look.day, part.last)


def _stained(rule: Rule, part: Part, act: Act, look: Look) -> bool:
    for condition in rule.all:
        if isinstance(condition, NoActs) and no_acts_kind.matches(condition, part.rulebook, act):
            months = part.rulebook.parameter(condition.within).at(day_in(part, look))
            if months is not None and act.effective >= window_ending(look.last, months):
                return True
    return False


Holds = Callable[[Asked, Look], Reason | None]


@dataclass(slots=True)
class Evaluated:
    """An evaluation's rules with the acts that fall to each part. ``looks``: what each part's rules are asked about."""

    judge: Judge
    looks: dict[int, Look]

    def reasons(self, rules: Callable[[int], Iterable[Asked]], holds: Holds) -> list[Reason]:
        """``rules``: those of a part that are asked together; ``holds``: one of them as a reason."""
        rank = self.judge.part(self.judge.number).rulebook.rank
        asked = {number: [one for one in rules(number) if one.causes or number == self.judge.number] for number in self.looks}

        def outcome(number: int, act: Act) -> int:
            mine = replace(self.looks[number], sift=Only(act))
            found = (holds(one, mine) for one in asked[number] if one.causes)
            return max((rank[one.grade] for one in found if one and one.grade), default=NOTHING)

        choice = Choice(self.judge, outcome)
        found = []
        for number in sorted(self.looks):
            look = replace(self.looks[number], sift=Sift(self.judge, number, choice))
            found += [reason for one in asked[number] if (reason := holds(one, look))]
        return found


def evaluated_by_law(law: Law, look: Look, admit: Admit) -> tuple[Admitted, tuple[Reason, ...]]:
    """What ``rules.holding_rules`` finds at an evaluation, each act judged by its part; and what is to be said of the law. ``look``: that
    of the part that judges, its score on the scale of that part."""
    judge = Judge.of(law, law.number(look.last), look.last)
    looks = {judge.number: look}
    for number in range(judge.number):
        part = law.parts[number]
        own = final_score(look.view, part.rulebook, look.first, look.last)
        looks[number] = replace(
            look, rulebook=part.rulebook, day=min(look.day, part.last), score=(own.points, own.fact) if own else look.score
        )
    judged = Evaluated(judge, looks)

    def layer(last: bool) -> list[Reason]:
        def rules(number: int) -> Iterable[Asked]:
            one = looks[number]
            plan = plan_of(one.rulebook, "evaluation", one.day, one.score[0] if one.score else None)
            return (plan.last if last else plan.plain).all

        return judged.reasons(rules, held)

    found = admitted(look.rulebook, lambda: layer(False), lambda: layer(True), admit)
    return found, tuple(judge.notes())


def sifted(law: Law, look: Look) -> Look:
    """The look of the part that judges, for one condition asked by itself."""
    judge = Judge.of(law, law.number(look.last), look.last)
    return replace(look, sift=Sift(judge, judge.number, Choice(judge, lambda number, _: int(number != judge.number))))


@dataclass(slots=True)
class Only:
    """A sift that leaves the moments which one act completes, and everything else as it is."""

    act: Act

    def causes(self, found: Causes) -> Causes:
        mine = [one for one in found.of[found.low : found.high] if one.act is self.act]
        return Causes(mine, 0, len(mine))

    def stains(self, rule: Rule, acts: Sequence[Act], look: Look) -> Sequence[Act]:
        return acts

    def window(self, tally: Tally, look: Look, same_act: str) -> Window:
        return tally.window(look.first, look.last, same_act)


def at_once(
    view: View, law: Law, moment: str, first: date, last: date, *, counts: Callable[[Rulebook, Causes], Causes]
) -> tuple[list[Reason], list[Reason], list[Reason]]:
    """Of the causes from ``first`` to ``last``, each judged by the part of its day: the reasons of rules that have a cause alone, of the
    others, and what is to be said of the law. ``counts``: what of a part's causes is looked at."""
    plain: list[Reason] = []
    otherwise: list[Reason] = []
    notes: list[Reason] = []
    for number, _, low, high in law.over(first, last):
        judge = Judge.of(law, number, high)
        for into, alone in ((plain, True), (otherwise, False)):
            into += _of_part(view, judge, moment, low, high, alone, counts)
        notes += judge.notes()
    return plain, otherwise, notes


def _of_part(
    view: View, judge: Judge, moment: str, low: date, high: date, alone: bool, counts: Callable[[Rulebook, Causes], Causes]
) -> Iterator[Reason]:
    judging = judge.part(judge.number).rulebook
    met: dict[int, list[tuple[Rule, Any, Causes]]] = {}
    for number in range(judge.number + 1):
        part = judge.part(number)
        index = index_of(view, part.rulebook)
        met[number] = []
        for rule, place, condition in cause_rules(part.rulebook, moment):
            if (len(rule.all) == 1) != alone or place not in index.trackers:
                continue
            start, end = low, high
            if number == judge.number:
                start, end = max(low, rule.in_force_from), min(high, rule.repealed_on - ONE_DAY) if rule.repealed_on else high
            elif not rule.in_force(part.last):
                continue
            causes = counts(judging, causes_between(index.causes(*place, view), start, end))
            if causes:
                met[number].append((rule, condition, causes))
    brings: dict[tuple[int, tuple[object, ...]], int] = {}
    for number, some in met.items():
        for rule, _, causes in some:
            rank = judging.rank[rule.grade] if rule.grade else NOTHING
            for one in causes.of[causes.low : causes.high]:
                place = (number, one.act.order)
                brings[place] = max(rank, brings.get(place, NOTHING))
    choice = Choice(judge, lambda number, act: brings.get((number, act.order), NOTHING))
    for number, some in met.items():
        sift = Sift(judge, number, choice)
        for rule, condition, causes in some:
            if mine := sift.causes(causes):
                holding = CAUSE_KINDS[condition.kind].describe(condition, judge.part(number).rulebook, mine)
                yield reason_of(rule, [holding], day=mine.first.on, on=mine.first.on)


def steps(view: View, law: Law, first: date, last: date) -> list[tuple[Act, Rulebook]]:
    """R7: the acts from ``first`` to ``last`` that lower by a step, by day, each with the edition by which: of its candidates the one that
    lowers least."""
    found: dict[tuple[object, ...], tuple[Act, Rulebook]] = {}
    for number, _, low, high in law.over(first, last):
        judge = Judge.of(law, number, high)

        def by(at: int, act: Act, judge: Judge = judge) -> int:
            rulebook = judge.part(at).rulebook
            lower = rulebook.periodic.lowering if rulebook.periodic else None
            if lower is None or not lowering.matches(lower, rulebook, act):
                return 0
            return int(rulebook.parameter(lower.steps).at(act.effective) or 0)

        for at in range(number + 1):
            counted = index_of(view, judge.part(at).rulebook).lowering
            for act in counted.between(low, high) if counted else ():
                chosen = judge.choose(act, by)
                if chosen == at and by(at, act):
                    found[act.order] = (act, judge.part(at).rulebook)
    return [found[order] for order in sorted(found)]  # type: ignore[type-var]


def grades_the_new(view: View, judge: Judge, first: date, last: date) -> bool:
    """三(三): whether an act of these days grades even a new enterprise, by each of its candidates."""

    def outcome(number: int, act: Act) -> int:
        rulebook = judge.part(number).rulebook
        assert rulebook.periodic is not None
        new = rulebook.periodic.new_enterprises
        return int(not act.sanctions.isdisjoint(rulebook.sets[new.graded_when]) and in_field(new.legal_fields, rulebook, act))

    some: dict[tuple[object, ...], Act] = {}
    for number in range(judge.number + 1):
        index = index_of(view, judge.part(number).rulebook)
        some |= {act.order: act for act in between(index.judged_new, first, last)}
    return any(outcome(judge.choose(act, outcome), act) for act in some.values())
