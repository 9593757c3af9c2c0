"""A parent's standing: the shares of its parts' grades on a day, from the newest that each part has told.

Invariants
1. A function of the newest entries; the order in which they came doesn't reach it.
2. Counts change on the days on which a stretch begins or ends, rules on the rulebook's own dates, and nothing changes in between.
3. Shares are compared as fractions of whole numbers, never rounded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from schemas.events.derived import BY_PARTS
from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import Share
from services.rating.domain.days import ONE_DAY
from services.rating.domain.holding import Holding, Quantity
from services.rating.domain.parts.entries import Entry, Stretch
from services.rating.domain.plan import plan_of
from services.rating.domain.rules import by_gravity, pick, reason_of, without_given_way
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing

MOMENT = "parts"
_HUNDRED = Decimal(100)
# Of the parts that decided so many are named, each with its facts (the contract's size).
MAX_NAMED = 50
Counts = Counter[str]
"""Grade → parts that have it; under ``UNRATED`` those that belong there and have none."""
UNRATED = ""


@dataclass(frozen=True, slots=True)
class Held:
    """From a day on, until the next one of the history: the standing, None where the whole is not rated, and the counts behind it."""

    first: date
    standing: Standing | None
    counts: Mapping[str, int]


@dataclass(slots=True)
class Whole:
    """Mutable only through ``enter``. ``newest``: by part, the parent's own under its name."""

    parent: str
    rulebook: Rulebook
    newest: dict[str, Entry] = field(default_factory=dict)
    # Day → what is counted otherwise from then on.
    _turns: dict[date, Counts] = field(default_factory=dict)

    def enter(self, entry: Entry) -> None:
        """Take an entry: it takes the place of the part's earlier ones. One that was known before the part's newest changes nothing: a
        control on its way to the last of the parts may have been overtaken."""
        before = self.newest.get(entry.part)
        if before is not None and entry.order < before.order:
            return
        self.newest[entry.part] = entry
        if entry.part == self.parent:
            return
        self._count(before.stretches if before else (), -1)
        self._count(entry.stretches, 1)

    def _count(self, stretches: Iterable[Stretch], by: int) -> None:
        for one in stretches:
            word = self._counted_as(one)
            if word is None:
                continue
            self._turn(one.first, word, by)
            if one.last is not None:
                self._turn(one.last + ONE_DAY, word, -by)

    def _turn(self, on: date, word: str, by: int) -> None:
        counts = self._turns.setdefault(on, Counter())
        counts[word] += by
        if not counts[word]:
            del counts[word]
            if not counts:
                del self._turns[on]

    def _counted_as(self, stretch: Stretch) -> str | None:
        """Its grade, ``UNRATED`` while it has none, None for what has ended."""
        if stretch.grade is not None:
            return stretch.grade
        status = self.rulebook.status_words.get(stretch.status)
        return None if status is not None and status.role == "terminal" else UNRATED

    def history(self, today: date, since: date = date.min) -> list[Held]:
        """Each day to ``today`` on which anything is counted otherwise, by day. ``in_force_from`` is the first day of those that have the
        same grade or status one after the other. Empty where the parent never said that its parts decide.

        ``since``: the days before it aren't asked for, and ``in_force_from`` is none of them."""
        own = self.newest.get(self.parent)
        if own is None or not own.stretches or own.stretches[0].first > today:
            return []
        begins = max(own.stretches[0].first, since)
        turns = {*self._turns, *self.rulebook.dates}
        for one in own.stretches:
            turns |= {one.first, *([one.last + ONE_DAY] if one.last else ())}
        days = sorted({begins, *(on for on in turns if begins < on <= today)})
        counts: Counts = Counter()
        for on in sorted(on for on in self._turns if on < begins):
            counts.update(self._turns[on])
        found: list[Held] = []
        for on in days:
            counts.update(self._turns.get(on, {}))
            standing = self._standing(own, counts, on)
            last = found[-1].standing if found else None
            if standing and last and standing.pair == last.pair:
                standing = replace(standing, in_force_from=last.in_force_from)
            found.append(Held(on, standing, dict(counts)))
        return found

    def _standing(self, own: Entry, counts: Counts, on: date) -> Standing | None:
        stretch = next((one for one in own.stretches if one.covers(on)), None)
        if stretch is None or self.rulebook.parts is None:
            return None
        if stretch.status != BY_PARTS:
            return self._ended(stretch)
        parts, rulebook = self.rulebook.parts, self.rulebook
        needed, unrated = (rulebook.parameter(name).at(on) for name in (parts.least, parts.unrated))
        graded = sum(number for word, number in counts.items() if word != UNRATED)
        none_yet = rulebook.status_for("not_yet_evaluated")
        assert none_yet is not None
        if needed is not None and graded < needed:
            said = {"found": graded, "needed": needed}
            reason = Reason(
                none_yet.status,
                parts.clause,
                None,
                parts.too_few,
                said,
                (Holding(numbers=(Quantity("parts", str(graded), str(needed)),)),),
                (),
                parts.readings,
            )
            return Standing(None, none_yet.status, on, "status", (reason,))
        counted = graded + (counts[UNRATED] if unrated == "counted" else 0)
        reasons = self._holding(counts, counted, on) if needed is not None and counted else []
        if not reasons:
            reason = Reason(none_yet.status, parts.clause, None, parts.no_rule, {"counted": counted}, (), (), parts.readings)
            return Standing(None, none_yet.status, on, "status", (reason,))
        chosen = pick(rulebook, reasons)
        graded_word = rulebook.status_for("graded")
        assert graded_word is not None
        kept = by_gravity(rulebook, [one for one in reasons if one.grade == chosen])
        return Standing(chosen, graded_word.status, on, "immediate", kept, extra_readings=parts.readings)

    def _ended(self, stretch: Stretch) -> Standing | None:
        status = self.rulebook.status_words.get(stretch.status)
        if status is None:
            return None
        said = status.sentence or status.name
        reason = Reason(status.status, status.clause, None, said, {"day": stretch.first}, facts=stretch.decisive)
        return Standing(None, status.status, stretch.first, "status", (reason,))

    def _holding(self, counts: Counts, counted: int, on: date) -> list[Reason]:
        plan = plan_of(self.rulebook, MOMENT, on, None)
        held = [one for asked in plan.plain.all if (one := self._reason(asked.rule, counts, counted, on))]
        if not held:
            held = [one for asked in plan.last.all if (one := self._reason(asked.rule, counts, counted, on))]
        return without_given_way(self.rulebook, held)

    def _reason(self, rule: Rule, counts: Counts, counted: int, on: date) -> Reason | None:
        holdings = []
        for condition in rule.all:
            if isinstance(condition, Share):
                holding = _share(condition, self.rulebook, counts, counted, on)
                if holding is None:
                    return None
                holdings.append(holding)
        return reason_of(rule, holdings, day=on)

    def counted(self, held: Held, on: date) -> dict[str, Any]:
        """What the standing of a day was counted from, as the contract has it; the parts that decided by name, the worst grade first."""
        rulebook = self.rulebook
        words = [one.grade for one in rulebook.grades]
        unrated = rulebook.parameter(rulebook.parts.unrated).at(on) if rulebook.parts else None
        graded = sum(held.counts.get(word, 0) for word in words)
        others = held.counts.get(UNRATED, 0)
        named = [
            {"part": part, "grade": one.grade, "since": one.first.isoformat(), "events": [fact.id for fact in _facts(one)]}
            for part, one in self._named(held, on)
        ]
        return {
            "counted": graded + (others if unrated == "counted" else 0),
            "others": 0 if unrated == "counted" else others,
            "grades": [{"grade": word, "parts": held.counts.get(word, 0)} for word in words],
            "named": named,
        }

    def explained(self, held: Held, on: date) -> Standing:
        """The standing with the facts behind the parts that decided, each once, by place."""
        assert held.standing is not None
        facts = {(fact.offset, fact.partition): Decisive(fact) for _, one in self._named(held, on) for fact in _facts(one)}
        if held.standing.grade is None or not facts:
            return held.standing
        first, *others = held.standing.reasons
        with_facts = replace(first, facts=tuple(facts[place] for place in sorted(facts)))
        return replace(held.standing, reasons=(with_facts, *others))

    def _named(self, held: Held, on: date) -> list[tuple[str, Stretch]]:
        looked_at = self._looked_at(held)
        found = []
        for part, entry in self.newest.items():
            place = bisect_right(entry.stretches, on, key=lambda one: one.first) - 1
            one = entry.stretches[place] if place >= 0 else None
            if part != self.parent and one is not None and one.covers(on) and one.grade in looked_at:
                found.append((part, one))
        rank = self.rulebook.rank
        return sorted(found, key=lambda one: (-rank.get(one[1].grade or "", -1), one[0]))[:MAX_NAMED]

    def _looked_at(self, held: Held) -> frozenset[str]:
        """The grades whose shares decided."""
        rules = {one.rule for one in held.standing.reasons} if held.standing else set()
        conditions = (one for rule in self.rulebook.rules if rule.id in rules for one in rule.all)
        return frozenset(grade for one in conditions if isinstance(one, Share) for grade in one.of)


def _facts(stretch: Stretch) -> tuple[Any, ...]:
    return tuple(one.fact for one in stretch.decisive)


def _share(share: Share, rulebook: Rulebook, counts: Counts, counted: int, on: date) -> Holding | None:
    """None where the share lies outside of the band."""
    found = sum(counts[grade] for grade in share.of)
    at_least, above, below, at_most = (
        rulebook.value(name, on) if name else None for name in (share.at_least, share.above, share.below, share.at_most)
    )
    part = found * 100
    if (at_least is not None and part < at_least * counted) or (above is not None and part <= above * counted):
        return None
    if (below is not None and part >= below * counted) or (at_most is not None and part > at_most * counted):
        return None
    lower = at_least if at_least is not None else above
    upper = below if below is not None else at_most
    said = _percent(found, counted)
    bound = lower if lower is not None else upper
    names = [one for one in (share.at_least, share.above, share.below, share.at_most) if one]
    numbers = (Quantity("share", said, str(bound)), Quantity("parts", str(found), str(counted)))
    fills = {"found": found, "counted": counted, "share": said, "bound": lower, "upper": upper}
    readings = tuple(sorted({one for name in names if (one := rulebook.parameter(name).reading)}))
    return Holding(numbers=numbers, fills=fills, readings=readings)


def _percent(found: int, counted: int) -> str:
    """As people read it, two decimals at most and never rounded up: 79.99, not 80, where 80 is asked."""
    share = (Decimal(found) * _HUNDRED / Decimal(counted)).quantize(Decimal("0.01"), ROUND_DOWN)
    return format(share.normalize(), "f")
