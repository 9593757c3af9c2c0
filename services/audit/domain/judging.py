"""All of a partition, and then all wholes, judged: replay and comparison put together, with what is no false alarm (ADR 0032).

First each partition of facts by itself (``judge``); what parts say crosses partitions, so words and wholes come last (``judge_parts``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from schemas.topics import PARTS
from services.audit.domain.derived_entries import entries_of
from services.audit.domain.detectors.model import Entry
from services.audit.domain.differences import Difference, Standing, Stood, Worked, explained, graded_only, same
from services.audit.domain.replay import GRADED, Book, Expected, Facts, earlier, order_of, same_days, same_end, wholes

Group = tuple[str, str]
"""Subject and regime."""


@dataclass(slots=True)
class Judged:
    """``events``: that the facts lead to; ``compared``: records that stand; ``pending``: events that are not due yet; ``reworded``:
    records that an earlier version or edition told otherwise; ``untold``, ``unjudged``: see ``Told`` and ``Facts``; ``lines``: of all
    events, for the digest."""

    differences: list[Difference] = field(default_factory=list)
    facts: int = 0
    events: int = 0
    compared: int = 0
    pending: int = 0
    reworded: int = 0
    unreadable: int = 0
    untold: set[Group] = field(default_factory=set)
    unjudged: set[tuple[str, int]] = field(default_factory=set)
    lines: list[bytes] = field(default_factory=list)
    # Whether a record names another version that worked it out again.
    rebuilt: bool = False
    # What parts say, with how far it is due; and what stands of parts and of wholes.
    words: list[tuple[Expected, bool]] = field(default_factory=list)
    # What detectors asked to hear of.
    heard: list[Entry] = field(default_factory=list)
    aside: list[Stood] = field(default_factory=list)

    def add(self, other: Judged) -> None:
        """Put another partition's beside it."""
        self.differences += other.differences
        self.facts += other.facts
        self.events += other.events
        self.compared += other.compared
        self.pending += other.pending
        self.reworded += other.reworded
        self.unreadable += other.unreadable
        self.untold |= other.untold
        self.unjudged |= other.unjudged
        self.lines += other.lines
        self.rebuilt |= other.rebuilt
        self.words += other.words
        self.aside += other.aside


def judge(
    facts: Facts,
    stood: Iterable[Stood],
    books: Mapping[str, Book],
    worked: Worked,
    *,
    rebuilt: bool = False,
    progress: Callable[[int], None] = lambda facts: None,
    hearing: Collection[str] = (),
) -> Judged:
    """One partition. ``stood``: what stands in the partition of the same number of grades, duties and parts, by topic and offset;
    ``rebuilt``: more than one version of rating told it; ``progress`` hears of facts that were folded; ``hearing``: short names of the
    types that are wanted as entries."""
    found = Judged(unreadable=facts.unreadable)
    standing, groups = Standing(), {}
    for one in stood:
        found.rebuilt |= one.event is not None and "rebuilt_by" in one.event["data"]
        if one.topic == PARTS or one.of_whole:
            found.aside.append(one)
            continue
        standing.add(one)
        if one.event is not None:
            groups.setdefault((one.event["subject"], one.regime), []).append(one)
    unjudged = facts.unjudged(books)
    found.unjudged = {(regime, facts.partition) for regime in unjudged}
    wrong: dict[Group, list[Difference]] = {}
    judged = {regime: books[regime] for regime in sorted(facts.named() - unjudged) if regime in books}
    for subject in sorted(facts.subjects):
        for regime, book in judged.items():
            told = facts.told(subject, book)
            found.lines += told.lines
            if told.untold:
                found.untold.add((subject, regime))
                continue
            found.events += len(told.events)
            found.heard += entries_of(told.events, hearing)
            found.words += [(one, worked.due(one)) for one in told.events if one.topic == PARTS]
            differing, _, pending = standing.match([one for one in told.events if one.topic != PARTS], worked.due)
            found.pending += pending
            if differing:
                wrong[subject, regime] = differing
        found.facts += len(facts.subjects[subject])
        progress(len(facts.subjects[subject]))
    found.compared = standing.records

    def left_alone(one: Stood) -> bool:
        return one.event is not None and (one.regime in unjudged or (one.event["subject"], one.regime) in found.untold)

    for other in standing.left(left_alone):
        wrong.setdefault(other.named, []).append(other)
    for group, many in wrong.items():
        kept = _kept(facts, group, many, groups.get(group, []), books, worked, rebuilt)
        found.reworded += len(many) - len(kept)
        found.differences += kept
    return found


def _kept(
    facts: Facts, group: Group, many: list[Difference], stood: Sequence[Stood], books: Mapping[str, Book], worked: Worked, rebuilt: bool
) -> list[Difference]:
    """The differences that no earlier version of rating and no earlier edition accounts for."""
    subject, regime = group
    book = books.get(regime)
    if book is None or subject not in facts.subjects:
        return many
    if rebuilt:
        many = _by_days(facts, group, many, stood, book, worked)
    for other in earlier(book):
        if not many:
            break
        many = explained(many, stood, [one for one in facts.told(subject, other).events if one.topic != PARTS])
    return many


def _by_days(facts: Facts, group: Group, many: list[Difference], stood: Sequence[Stood], book: Book, worked: Worked) -> list[Difference]:
    """As a rebuild judges what was told before it: days of grades, with the corrections it made; of other events what it can't have
    told is found."""
    subject, regime = group
    ids = {one.event["id"] for one in stood if one.event}
    should = [one for one in facts.told(subject, book).events if one.id in ids or worked.due(one)]
    try:
        agree = same_days(_firsts(stood), graded_only(one.event for one in should), regime)
    except (KeyError, TypeError, ValueError):
        agree = False
    causes = {(facts.partition, one.offset) for one in (*facts.subjects[subject], *facts.controls.facts)}

    def excused(one: Difference) -> bool:
        event = one.should.event if one.should else one.stands.event if one.stands else None
        if event is None:
            return False
        if event["type"] in GRADED:
            return agree
        return one.what != "missing" and (one.stands is None or one.stands.cause in causes)

    return [one for one in many if not excused(one)]


def _firsts(stood: Iterable[Stood]) -> list[Mapping[str, Any]]:
    """Grade events in the order in which they stand, each content once."""
    once = {one.value: one.event for one in stood if one.event is not None}
    return graded_only(once.values())


def judge_parts(found: Judged, books: Mapping[str, Book], worked: Mapping[int, Worked], *, rebuilt: bool = False) -> None:
    """The words of parts and the grades of wholes, once every partition is judged; ``found``: all of them, put together."""
    regimes = {regime for regime, _ in found.unjudged}
    words, of_wholes = Standing(), Standing()
    for one in sorted(found.aside, key=lambda one: (one.topic, one.partition, one.offset)):
        (words if one.topic == PARTS else of_wholes).add(one)
    found.compared += words.records + of_wholes.records
    _judge_words(found, words, books, regimes, rebuilt)
    _judge_wholes(found, of_wholes, books, worked, regimes, rebuilt)
    found.words, found.aside = [], []


def _judge_words(found: Judged, words: Standing, books: Mapping[str, Book], regimes: set[str], rebuilt: bool) -> None:
    due = {one.id: is_due for one, is_due in found.words}
    differing, _, pending = words.match([one for one, _ in found.words], lambda one: due[one.id], ordered=False)
    found.pending += pending

    def left_alone(one: Stood) -> bool:
        return one.event is not None and (one.regime in regimes or (str(one.event["data"].get("part")), one.regime) in found.untold)

    differing += words.left(left_alone)

    def excused(one: Difference) -> bool:
        event = one.stands.event if one.stands else None
        if event is None or one.what != "differs":
            return False
        book = books.get(one.named[1])
        said = event["data"].get("rulebook")
        named = said.get("sha256") if isinstance(said, dict) else None
        return rebuilt or (book is not None and isinstance(named, str) and named in book.earlier)

    kept = [one for one in differing if not excused(one)]
    found.reworded += len(differing) - len(kept)
    found.differences += kept


def _judge_wholes(
    found: Judged, standing: Standing, books: Mapping[str, Book], worked: Mapping[int, Worked], regimes: set[str], rebuilt: bool
) -> None:
    """By what parts should have said; and, where an earlier edition said it, by what they said then."""
    said: dict[Group, list[Stood]] = {}
    for one in found.aside:
        if one.topic == PARTS and one.event is not None:
            said.setdefault((one.event["subject"], one.regime), []).append(one)
    stood: dict[Group, list[Stood]] = {}
    for one in found.aside:
        if one.topic != PARTS and one.event is not None:
            stood.setdefault((one.event["subject"], one.regime), []).append(one)
    wrong: dict[Group, list[Difference]] = {}
    should: dict[Group, list[Expected]] = {}
    failed: set[Group] = set()
    untold = {regime for _, regime in found.untold}
    for whole in wholes([one.event for one, _ in found.words], books):
        group = (whole.parent, whole.regime)
        found.lines += whole.lines
        found.events += len(whole.events)
        if whole.failed:
            found.untold.add(group)
            failed.add(group)
            continue
        places = {one.partition for one in said.get(group, ())}
        told = [worked[one].wholes for one in places if one in worked]

        def due(one: Expected, told: Sequence[tuple[int, int, int, str] | None] = told) -> bool:
            return one.order is not None and any(upto is not None and one.order <= upto for upto in told)

        should[group] = whole.events
        wrong[group], _, pending = standing.match(whole.events, due)
        found.pending += pending

    def left_alone(one: Stood) -> bool:
        # A part that can't be rated says nothing to its parent, so of its regime's wholes nothing is known.
        return one.event is not None and (one.regime in regimes | untold or (one.event["subject"], one.regime) in failed)

    for other in standing.left(left_alone):
        wrong.setdefault(other.named, []).append(other)
    for group, many in wrong.items():
        book = books.get(group[1])
        if many and book is not None and (rebuilt or book.earlier or _late(said.get(group, ()))):
            kept = _in_the_end(many, stood.get(group, []), should.get(group, []))
            found.reworded += len(many) - len(kept)
            many = kept
        found.differences += [one for one in many if one.what != "missing" or group[1] not in untold]


def _late(words: Sequence[Stood]) -> bool:
    """Whether what parts said came in another order than the parent's log has, or others came between the words of one cause."""
    orders, causes = [], []
    for one in words:
        try:
            orders.append(order_of(one.event or {}))
        except (KeyError, TypeError, ValueError):
            return True
        causes.append(str((one.event or {})["data"]["cause"].get("id")))
    runs = [id for id, _ in groupby(causes)]
    return orders != sorted(orders) or len(runs) > len(set(runs))


def _in_the_end(many: list[Difference], stood: Sequence[Stood], should: Sequence[Expected]) -> list[Difference]:
    """What was told more than once, because words came late, is right where days come out right. The same id always has the same bytes; and
    whatever was told again left events of its first telling behind, so where there is none of these nothing was told again."""
    if not any(one.what == "invented" for one in many):
        return many
    right = {one.id: one for one in should}
    sound = [one for one in stood if one.event and (one.event["id"] not in right or same(one, right[one.event["id"]]))]
    try:
        agree = same_end([one.event for one in sound if one.event], [one.event for one in should])
    except (KeyError, TypeError, ValueError):
        agree = False
    return [one for one in many if one.what == "differs" or not agree]
