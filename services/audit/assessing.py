"""The effect of standing matters about entries, worked out from what is there: on Kafka, or in a bundle for auditors.

Only the partitions concerned are read. Everything is known up to the partition's own copy of the newest ``day.closed``; what came after it
is looked at with the next. Where an entry stands behind that, who asks for it alone is answered by all that is known so far, and told so.
What hearings found is asked of the registry as of the same close: of purpose, and of who was cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Protocol

from schemas.envelope import Opened
from services.audit.domain.asides import standing_asides
from services.audit.domain.assessed import Answer, answer
from services.audit.domain.assessing import Assessed, Cut, Scene, assess
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.hearings import SILENT, Word
from services.audit.domain.joint import Joint
from services.audit.domain.matters import Matter, standing_matters
from services.audit.domain.registry import Registry, acted_in, hearings_of
from services.audit.domain.replay import DAY_CLOSED, ONE_DAY, PART_GRADED, Book, Entry, Facts, civil_day, rated_by
from services.audit.domain.supposing import Lives, apart, controls_of, suppose
from services.audit.domain.whole_shown import OfWhole, known_by, words_about
from services.audit.reading import opened


class Source(Protocol):
    """Where records come from: ``adapters.effect_records``."""

    def findings(self) -> Sequence[Record]: ...
    def registry(self) -> Sequence[Record]: ...
    def parts(self) -> Sequence[Record]: ...
    def facts(self, partition: int) -> Iterator[Sequence[Record]]: ...


class NoEffect(Exception):
    """There is nothing to work out; the message says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """An assessment with its answer. ``so_far``: its last day has not closed yet, so the answer is none to keep. ``since``: what the
    hearing on its matter says by all that is known."""

    found: Assessed
    answer: Answer
    joint: Joint
    so_far: bool
    since: Word = SILENT


@dataclass
class Effects:
    """What is needed for any of them. ``books``: by regime; ``registry``: whole, for what hearings found and which outages were declared;
    ``said``: all that parts say of wholes (``part.graded`` events), asked where a rulebook grades by parts; ``unsaid``: regimes of which
    not all of that is there, so nothing is told of wholes; ``before``: by matter and regime, whom earlier answers were about;
    ``through``: no later close than that of this day counts; ``untold``: matters that can't be worked out, and why."""

    books: Mapping[str, Book]
    registry: Registry
    software: str
    said: Callable[[], Iterable[Mapping[str, Any]]] = tuple
    unsaid: frozenset[str] = frozenset()
    before: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    through: date | None = None
    untold: dict[str, str] = field(default_factory=dict)

    def of_partition(self, partition: int, facts: Facts, entries: Mapping[int, Opened], matters: Sequence[Matter]) -> Iterator[Given]:
        """All matters about entries of one partition. ``facts``: the whole of it; ``entries``: by their offsets."""
        cut = last_close(facts, self.through)
        by_scene: dict[tuple[str, str], list[Matter]] = {}
        for one in matters:
            if one.entry.partition == partition and (subject := subject_in(entries, one)) is not None:
                for each in self.by_regime(one, subject, facts):
                    by_scene.setdefault((subject, each.regime), []).append(each)
        done = [one for one in by_scene.values() if any(each.entry.offset <= cut.offset for each in one)] if cut else []
        lives = _lives(facts, cut.offset) if cut else None
        for (subject, regime), some in by_scene.items():
            if cut is None or lives is None or some not in done:
                continue
            known = [one for one in some if one.entry.offset <= cut.offset]
            yield from self._answers(facts, lives, subject, regime, known, entries, cut, so_far=False)

    def by_regime(self, matter: Matter, subject: str, facts: Facts) -> list[Matter]:
        """The matter by each regime that it concerns: its own, or every one that rates the subject."""
        if matter.regime:
            return [matter]
        return [replace(matter, regime=one) for one in rated_by(facts.subjects.get(subject, ())) if one in self.books]

    def of_matter(self, facts: Facts, entries: Mapping[int, Opened], matters: Sequence[Matter], wanted: Matter) -> list[Given]:
        """One of them, by one regime: on its subject's own grades, then on those of wholes. ``matters``: all about entries of its subject.
        Raises ``NoEffect``."""
        subject = subject_in(entries, wanted) or ""
        cut = last_close(facts, self.through)
        so_far = cut is None or wanted.entry.offset > cut.offset
        if so_far or cut is None:
            cut = everything(facts, self.books[wanted.regime]) if wanted.regime in self.books else None
        if cut is None:
            raise NoEffect(f"no edition of the rulebook {wanted.regime!r} lies here: name a folder that has it with --rulebooks")
        every = [each for one in matters for each in self.by_regime(one, subject, facts)]
        known = [one for one in every if one.regime == wanted.regime and one.entry.offset <= cut.offset]
        lives = _lives(facts, cut.offset)
        found = list(self._answers(facts, lives, subject, wanted.regime, known, entries, cut, so_far=so_far, wanted=wanted))
        if not found:
            raise NoEffect(self.untold.get(wanted.id, "its effect can't be worked out"))
        return found

    def _answers(
        self,
        facts: Facts,
        lives: Lives,
        subject: str,
        regime: str,
        matters: Sequence[Matter],
        entries: Mapping[int, Opened],
        cut: Cut,
        *,
        so_far: bool,
        wanted: Matter | None = None,
    ) -> Iterator[Given]:
        book = self.books.get(regime)
        if book is None or regime in facts.unjudged(self.books):
            for one in matters:
                self.untold[one.id] = f"an edition of the rulebook {regime!r} that was activated does not lie here"
            return
        # Outside of what may fail: a source that can't be read is no fault of the facts.
        about = self._about if book.rulebook.parts and regime not in self.unsaid else None
        try:
            life = lives.of(subject, facts.subjects.get(subject, ()), book, upto=cut.offset)
            known = ([one for one in some.get(subject, ()) if one.offset <= cut.offset] for some in (facts.asides, facts.subjects))
            asides = list(standing_asides(*known))
            upto = self._upto(cut, so_far)
            words, since = self._words(matters, entries, upto), self._words(matters, entries)
            own = Scene(life, cut, tuple(apart(asides)), tuple(matters), self.registry.at(upto).outages)
        except Exception as error:  # the fold is pure: rating fails here as well
            self._failed(matters, subject, subject, error)
            return
        for scene in self._scenes(own, about):
            try:
                joint = Joint.of(scene)
                for one in [wanted] if wanted else matters:
                    found = assess(scene, one)
                    given = answer(found, joint, software=self.software, words=words)
                    yield Given(found, given, joint, so_far, since.get(one.id, SILENT))
            except Exception as error:  # as above
                self._failed(matters, subject, scene.affected, error)

    def _failed(self, matters: Sequence[Matter], subject: str, affected: str, error: Exception) -> None:
        for one in matters:
            name = one.id if affected == subject else f"{one.id} on {affected}"
            self.untold.setdefault(name, f"the grades of {affected} can't be worked out ({type(error).__name__})")

    def _scenes(self, own: Scene, about: Mapping[tuple[str, str], tuple[Entry, ...]] | None) -> Iterator[Scene]:
        """The scene, and the same with whomever the subject belongs to, would have, or was once said to; ``about`` None: of wholes nothing
        is told. Who is graded by parts has, on the days on which they decide, no other grades."""
        life, regime = own.life, own.life.book.rulebook.regime
        if about is None:
            yield own
            return
        try:
            names = self._wholes(own)
        except Exception as error:  # what it says can't be worked out, and so not what others are by it
            self._failed(own.matters, "", life.subject, error)
            names = set()
        if life.subject not in names:
            yield own
        for name in sorted(names, key=lambda name: (name != life.subject, name)):
            known = known_by(about.get((name, regime), ()), but=life.subject, day=own.cut.day, close=own.cut.id, zone=life.zone)
            yield replace(own, whole=OfWhole(name, known))

    def _wholes(self, own: Scene) -> set[str]:
        moves = [move for one in own.matters if (move := own.move(one)) is not None]
        lives = [own.life, *(suppose(own.life, some) for some in (*([one] for one in moves), moves))]
        before = (self.before.get((one.id, one.regime), frozenset()) for one in own.matters)
        return {name for one in lives for name in one.words} | (frozenset().union(*before) - {own.life.subject})

    @cached_property
    def _about(self) -> Mapping[tuple[str, str], tuple[Entry, ...]]:
        return words_about(self.said())

    def _upto(self, cut: Cut, so_far: bool) -> int:
        """The registry's offset up to which everything was known at the cut."""
        closed = [offset for offset, through in self.registry.closings if through == cut.day.isoformat()]
        return closed[0] if closed and not so_far else self.registry.next_offset

    @cached_property
    def _heard(self) -> frozenset[str]:
        """Matters on which there are steps of a hearing."""
        return frozenset(one.matter for one in self.registry.steps)

    def _words(self, matters: Sequence[Matter], entries: Mapping[int, Opened], upto: int | None = None) -> dict[str, Word]:
        """What hearings on these matters say as of an offset, by matter. Who acted in the entries in question decides on none of them."""
        heard = self._heard & {one.id for one in matters}
        if not heard:
            return {}
        people = acted_in(self.registry, (one for each in matters if (one := entries.get(each.entry.offset)) is not None))
        return {id: one.word for id, one in hearings_of(self.registry, people, matters=heard, upto=upto).items()}


def _lives(facts: Facts, upto: int) -> Lives:
    return Lives(facts.partition, controls_of(one for one in facts.controls.facts if one.offset <= upto))


def last_close(facts: Facts, through: date | None = None) -> Cut | None:
    """The newest day that closed in the partition, and is none after ``through``; None where none has."""
    until = through.isoformat() if through else "9999"
    closes = [one for one in facts.controls.facts if one.name == DAY_CLOSED and one.data["through"] <= until]
    if not closes:
        return None
    last = closes[-1]
    day = facts.controls.closed_through(upto=last.offset)
    assert day is not None
    return Cut(day, last.offset, last.id, last.known)


def everything(facts: Facts, book: Book) -> Cut:
    """All that is known, up to the day before the newest record's."""
    newest = max((*facts.controls.facts, *(one for some in facts.subjects.values() for one in some)), key=lambda one: one.offset)
    return Cut(civil_day(facts.known, book.zone) - ONE_DAY, facts.offset, newest.id, facts.known)


def read_partition(source: Source, partition: int, wanted: Iterable[int]) -> tuple[Facts, dict[int, Opened]]:
    """A partition of facts, and the records at these offsets."""
    facts, places, entries = Facts(partition), set(wanted), {}
    for batch in source.facts(partition):
        for record in batch:
            facts.take(record)
            if record.offset in places and (one := opened(record)) is not None:
                entries[record.offset] = one
    return facts, entries


def subject_in(entries: Mapping[int, Opened], matter: Matter) -> str | None:
    """Whose entry a matter is about."""
    one = entries.get(matter.entry.offset)
    return None if one is None else str(one.event["subject"])


def registry_of(records: Iterable[Record], genesis: Mapping[str, Any]) -> Registry:
    """The registry folded; what can't be read has no effect."""
    found = Registry(genesis)
    for record in records:
        found.apply(record.offset, opened(record))
    return found


def events_of(records: Iterable[Record]) -> list[Mapping[str, Any]]:
    """The findings among derived records, in their order, the first copy of each."""
    found: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if (one := opened(record)) is not None and one.event["type"] == TYPE:
            found.setdefault(one.event["id"], one.event)
    return list(found.values())


def words_in(records: Iterable[Record]) -> Iterator[Mapping[str, Any]]:
    """What parts say, among records."""
    for record in records:
        if (one := opened(record)) is not None and one.event["type"] == PART_GRADED:
            yield one.event


def effects_of(source: Source, books: Mapping[str, Book], genesis: Mapping[str, Any], software: str, finding: str) -> list[Given]:
    """The effect of the matter that a finding (or the matter's own id) names, by each regime concerned and on whomever it grades because
    of the entry. Raises ``NoEffect``, and what the source raises."""
    events = events_of(source.findings())
    matters = standing_matters(events)
    wanted = _named(events, matters, finding)
    others = [one for one in matters if one.entry.partition == wanted.entry.partition]
    facts, entries = read_partition(source, wanted.entry.partition, [one.entry.offset for one in others])
    subject = subject_in(entries, wanted)
    if subject is None:
        raise NoEffect(f"the entry of {finding} is not there: partition {wanted.entry.partition} has no such offset {wanted.entry.offset}")
    effects = Effects(books, registry_of(source.registry(), genesis), software, lambda: words_in(source.parts()))
    own = [one for one in others if subject_in(entries, one) == subject]
    some = effects.by_regime(wanted, subject, facts)
    if not some:
        raise NoEffect(f"no regime whose rulebook lies here rates {subject}")
    return [each for one in some for each in effects.of_matter(facts, entries, own, one)]


def _named(events: Sequence[Mapping[str, Any]], matters: Sequence[Matter], finding: str) -> Matter:
    found = next((one for one in matters if finding in (one.id, one.finding)), None)
    if found is not None:
        return found
    event = next((one for one in events if one["id"] == finding), None)
    if event is None:
        raise NoEffect(f"there is no finding {finding}")
    again = next((one for one in matters if one.id == event["data"].get("matter")), None)
    if again is not None:
        return again
    if event["data"].get("retracted") or event["data"]["about"] == "entry":
        raise NoEffect(f"the matter of {finding} stands no more, or nothing can be supposed of a {event['data']['kind']}")
    raise NoEffect(f"{finding} is about no entry, but about {event['data']['about']}: it moved no grade by itself")


def all_effects(
    source: Source,
    effects: Effects,
    matters: Sequence[Matter],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Given]:
    """Every standing matter's, partition by partition."""
    partitions = sorted({one.entry.partition for one in matters})
    for number, partition in enumerate(partitions):
        progress(number, len(partitions))
        offsets = [one.entry.offset for one in matters if one.entry.partition == partition]
        facts, entries = read_partition(source, partition, offsets)
        yield from effects.of_partition(partition, facts, entries, matters)
    progress(len(partitions), len(partitions))
