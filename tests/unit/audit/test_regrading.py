"""Grades held against the facts: exactly what was dropped, edited, invented or moved is found; an untouched town gives nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.envelope import derived_bytes
from services.audit.adapters.rating_heads import worked
from services.audit.domain.differences import Difference, Stood, Worked
from services.audit.domain.frame import Record
from services.audit.domain.judging import Judged, judge, judge_parts
from services.audit.domain.replay import GRADED, Facts, order_of
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import Book
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import entry_of
from tests.cases.chain import REGIME, Town
from tests.cases.ledger import Ledger, book
from tests.unit.rating.streams import BOOKS, stream
from tests.unit.rating.test_backlog import SLOW, Kafka, Process, Sent, records, town
from tests.unit.rating.test_parts_properties import towns
from tests.unit.rating.test_rebuild import FORGETFUL, Version
from tests.unit.rating.test_spans_properties import lives

pytestmark = pytest.mark.sweep
P = 3
CHAIN_BOOKS = {REGIME: book(REGIME)}
FAR = Worked(2**40)
some = settings(max_examples=60, deadline=None, suppress_health_check=[*SLOW, *list(HealthCheck)])
TOWNS = st.lists(lives(approving=True), min_size=1, max_size=3)


def rated(sent: list[Sent], *, finish: bool = True) -> Kafka:
    """What rating's live worker writes of a partition."""
    kafka = Kafka(rng=random.Random(1))
    process = Process(kafka, records(sent))
    if finish:
        process.finish()
    return kafka


def facts_of(sent: list[Sent]) -> Facts:
    found = Facts(P)
    for one in records(sent):
        found.take(Record(topics.FACTS, P, one.offset, one.timestamp, 0, one.key, one.headers, one.value))
    return found


def stood_of(kafka: Kafka) -> list[Stood]:
    """Records of grades, duties and parts, numbered within their topic."""
    ends: dict[str, int] = {}
    found = []
    for one in kafka.messages:
        if one.topic in (topics.GRADES, topics.DUTIES, topics.PARTS):
            offset = ends[one.topic] = ends.get(one.topic, -1) + 1
            found.append(Stood.of(Record(one.topic, P, offset, one.timestamp, 0, one.key, (), one.value)))
    return found


def head_of(kafka: Kafka) -> Worked:
    return worked({key: value for (table, key), value in kafka.rows.items() if table == "heads"})


def numbered(stood: list[Stood]) -> list[Stood]:
    """Put in this order, on one topic."""
    return [replace(one, offset=at) for at, one in enumerate(stood)]


def differences(sent: list[Sent], stood: list[Stood], how_far: Worked = FAR) -> list[Difference]:
    found: Judged = judge(facts_of(sent), stood, BOOKS, how_far)
    judge_parts(found, BOOKS, {P: how_far})
    return found.differences


def changed(one: Stood, **data: Any) -> Stood:
    """The same id with other words."""
    assert one.event is not None
    event = orjson.loads(one.value)["event"]
    event["data"] |= data
    return replace(one, value=derived_bytes(event), event=event)


@some
@given(TOWNS)
def test_an_untouched_town_gives_nothing(ledgers: list[Ledger]) -> None:
    sent = stream(ledgers)
    kafka = rated(sent)
    assert head_of(kafka) == Worked(len(sent) - 1)
    assert differences(sent, stood_of(kafka), head_of(kafka)) == []


@some
@given(TOWNS, st.integers(1, 40), st.integers(0, 30))
def test_a_worker_that_is_not_done_yet_misses_nothing(ledgers: list[Ledger], batch: int, slices: int) -> None:
    """Its rows say what is due: neither what it hasn't read, nor whom a control on its agenda still waits for."""
    sent = stream(ledgers)
    kafka = Kafka(rng=random.Random(1))
    process = Process(kafka, records(sent))
    process.batch(batch)
    for _ in range(slices):
        process.slice(1)
    assert differences(sent, stood_of(kafka), head_of(kafka)) == []


@some
@given(TOWNS, st.data())
def test_whatever_one_does_to_an_event_exactly_that_is_found(ledgers: list[Ledger], data: st.DataObject) -> None:
    sent = stream(ledgers)
    stood = [one for one in stood_of(rated(sent)) if one.topic == topics.GRADES]
    if not stood:
        return
    at = data.draw(st.integers(0, len(stood) - 1))
    victim = stood[at]
    assert victim.event is not None
    what = data.draw(st.sampled_from(["drop", "edit", "reword", "rename", "copy", "invent", "unreadable", "rekey"]))
    if what == "drop":
        found = differences(sent, [*stood[:at], *stood[at + 1 :]])
        assert [(one.kind, one.should and one.should.id) for one in found] == [("grade_missing", victim.event["id"])]
        assert found[0].stands is None
        return
    if what == "invent":
        more = changed(victim, grade="A")
        more = replace(more, offset=len(stood), event=dict(more.event or {}, id="11111111-1111-5111-8111-111111111111"))
        put, kind, wrong = [*stood, replace(more, value=derived_bytes(dict(more.event or {})))], "grade_invented", len(stood)
    elif what == "unreadable":
        put, kind, wrong = [*stood, replace(victim, offset=len(stood), value=b"{", event=None)], "grade_invented", len(stood)
    elif what == "copy":
        put, kind, wrong = [*stood, replace(changed(victim, grade="Z"), offset=len(stood))], "grade_differs", len(stood)
    else:
        other = {
            "edit": lambda: changed(victim, grade="Z"),
            "reword": lambda: changed(victim, readings=["R99"]),
            "rename": lambda: replace(victim, value=(v := victim.value.replace(b"uscc:913", b"uscc:914")), event=orjson.loads(v)["event"]),
            "rekey": lambda: replace(victim, key=b"uscc:91440300MA5CHA1N44"),
        }[what]()
        put, kind, wrong = [*stood[:at], other, *stood[at + 1 :]], "grade_differs", at
    found = differences(sent, put)
    assert [(one.kind, one.stands and one.stands.offset) for one in found] == [(kind, wrong)]


@some
@given(TOWNS, st.data())
def test_an_event_that_was_moved_is_found(ledgers: list[Ledger], data: st.DataObject) -> None:
    sent = stream(ledgers)
    stood = [one for one in stood_of(rated(sent)) if one.topic == topics.GRADES]
    if len(stood) < 2:
        return
    at, to = data.draw(st.integers(0, len(stood) - 1)), data.draw(st.integers(0, len(stood) - 1))
    moved = [*stood[:at], *stood[at + 1 :]]
    moved.insert(to, stood[at])
    passed = {(one.event or {}).get("subject") for one in stood[min(at, to) : max(at, to) + 1] if one is not stood[at]}
    found = differences(sent, numbered(moved))
    if (stood[at].event or {})["subject"] in passed:
        assert [one.kind for one in found] == ["grade_out_of_order"]
        # Of two neighbours that changed places either may be named.
        assert abs(at - to) == 1 or len(passed) > 1 or (found[0].stands and found[0].stands.value == stood[at].value)
    else:
        # Other subjects' events have no order among them.
        assert found == []


@some
@given(TOWNS, st.integers(0, 2**20))
def test_copies_of_the_same_bytes_are_no_difference(ledgers: list[Ledger], seed: int) -> None:
    sent = stream(ledgers)
    stood = [one for one in stood_of(rated(sent)) if one.topic == topics.GRADES]
    rng = random.Random(seed)
    again = [*stood, *rng.sample(stood, k=len(stood) // 2)]
    assert differences(sent, numbered(again)) == []


def test_the_events_of_a_control_are_due_once_the_cursor_has_passed_their_subject() -> None:
    sent = stream(town(4))
    kafka = rated(sent)
    whole, stood = head_of(kafka), [one for one in stood_of(kafka) if one.topic == topics.GRADES]
    control = next(at for at, one in enumerate(sent) if one.fact.name == "evaluation.closed")
    by_control = [one for one in stood if one.cause == (P, control)]
    assert len(by_control) >= 2, "the year's evaluation tells nobody anything"
    first = min((one.event or {})["subject"] for one in by_control)
    left = [one for one in stood if one not in by_control]
    assert len(differences(sent, left, whole)) == len(by_control)
    assert differences(sent, left, replace(whole, pending={control: ""})) == []
    assert {one.named[0] for one in differences(sent, left, replace(whole, pending={control: first}))} == {first}


def test_what_rating_says_that_it_owes_is_not_due() -> None:
    """A worker without the activated edition refuses the regime; one whose rulebook fails owes the subject."""
    sent = stream(town(2))
    kafka = Kafka(rng=random.Random(1))
    Process(kafka, records(sent), {"liyujiang": Book.of(BOOKS["liyujiang"].rulebook.model_copy(update={"readings": ()}))}).finish()
    assert head_of(kafka).refused and not [one for one in kafka.messages if one.topic == topics.GRADES]
    assert differences(sent, [], head_of(kafka)) == []
    assert differences(sent, [], replace(head_of(kafka), refused={})) != []
    name = next(one.subject for one in sent if one.subject)
    missing = {one.named[0] for one in differences(sent, [], Worked(len(sent) - 1, untold={("liyujiang", name): 0}))}
    assert missing == {one.subject for one in sent if one.subject} - {name}


def test_a_regime_of_which_no_edition_lies_here_is_not_judged() -> None:
    sent = stream(town(2))
    stood = stood_of(rated(sent))
    found = judge(facts_of(sent), stood, {}, FAR)
    assert found.differences == []
    assert found.unjudged == {("liyujiang", P)}


def test_what_is_said_of_somebody_without_facts_is_invented() -> None:
    sent = stream(town(1))
    stood = stood_of(rated(sent))
    assert {one.kind for one in differences([], stood)} == {"grade_invented"}


class Chains:
    """Chains and shops in partitions of their own, as live rating told of them."""

    def __init__(self, town: Town, order: random.Random | None = None) -> None:
        self.facts: dict[int, Facts] = {}
        self.stood: dict[int, list[Stood]] = defaultdict(list)
        words = []
        for ledger in town.ledgers():
            facts = self.facts.setdefault(ledger.partition, Facts(ledger.partition))
            facts.subjects[ledger.subject] = [one for one in ledger.facts if one.name not in CONTROLS]
            for one in ledger.facts:
                if one.name in CONTROLS:
                    facts.controls.apply(one)
                facts.offset, facts.known = max(facts.offset, one.offset), max(facts.known, one.known)
            for one in ledger.told():
                (words if one.event["type"] == PART_GRADED else self.stood[ledger.partition]).append(self._put(ledger.partition, one.event))
        words.sort(key=lambda one: order_of(one.event or {}))
        if order is not None:
            order.shuffle(words)
        self.words = [replace(one, partition=0, offset=at) for at, one in enumerate(words)]
        self.grades: list[Stood] = []
        self.chronicles: dict[str, Chronicle] = {}

    def _put(self, partition: int, event: dict[str, Any]) -> Stood:
        topic = topics.PARTS if event["type"] == PART_GRADED else topics.GRADES
        return Stood(topic, partition, len(self.stood[partition]), 0, event["subject"].encode(), derived_bytes(event), event)

    def settle(self, *at: int) -> None:
        """Tell the wholes of what parts have said, each time that so many words have arrived."""
        for count, one in enumerate(self.words, 1):
            self._chronicle(one).add(entry_of(one.event or {}))
            if count in at or count == len(self.words):
                self._tell(None)

    def settle_in_order(self, *at: int) -> None:
        """As a worker does whom nothing reaches late: up to one place after the other."""
        for one in self.words:
            self._chronicle(one).add(entry_of(one.event or {}))
        for place in sorted(at):
            self._tell(order_of(self.words[place % len(self.words)].event or {}))
        self._tell(None)

    def _chronicle(self, word: Stood) -> Chronicle:
        parent = (word.event or {})["subject"]
        return self.chronicles.setdefault(parent, Chronicle(parent, CHAIN_BOOKS[REGIME]))

    def _tell(self, upto: tuple[int, int, int, str] | None) -> None:
        for each in self.chronicles.values():
            for _, event in each.settle(upto):
                self.grades.append(replace(self._put(0, event), offset=10**6 + len(self.grades)))

    def differences(self) -> list[Difference]:
        judged, far = Judged(), replace(FAR, wholes=(2**62, 0, 0, ""))
        for number, facts in self.facts.items():
            judged.add(judge(facts, self.stood[number], CHAIN_BOOKS, far))
        judged.add(judge(Facts(0), [*self.words, *self.grades], CHAIN_BOOKS, far))
        judge_parts(judged, CHAIN_BOOKS, {0: far})
        return judged.differences


few = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(towns(), st.lists(st.integers(1, 60), max_size=4), st.randoms(use_true_random=False), st.booleans())
def test_chains_that_were_told_more_than_once_for_late_words_are_no_difference(
    town: Town, at: list[int], rng: random.Random, late: bool
) -> None:
    chains = Chains(town, rng if late else None)
    if late:
        chains.settle(*at)
    else:
        chains.settle_in_order(*at)
    assert chains.differences() == []


@few
@given(towns(), st.data())
def test_a_word_of_a_part_or_a_chain_s_grade_that_was_touched_is_found(town: Town, data: st.DataObject) -> None:
    chains = Chains(town)
    chains.settle()
    of = data.draw(st.sampled_from([many for many in (chains.words, chains.grades) if many] or [[]]))
    if not of:
        return
    word = "part" if of is chains.words else "grade"
    at = data.draw(st.integers(0, len(of) - 1))
    what = data.draw(st.sampled_from(["drop", "edit"]))
    if what == "drop":
        del of[at]
    else:
        of[at] = changed(of[at], rulebook={"regime": REGIME, "version": "0", "sha256": "0" * 64})
    assert [one.kind for one in chains.differences()] == [f"{word}_missing" if what == "drop" else f"{word}_differs"]


def versions(ledgers: list[Ledger]) -> tuple[list[Sent], list[Stood]]:
    """A version that forgets a rule told everything; the one after it told it again, with corrections that name it."""
    sent = stream(ledgers)
    one = Version(1, FORGETFUL, [])
    one.start()
    one.run(records(sent))
    two = Version(2, BOOKS, list(one.grades))
    two.start()
    two.run(records(sent))
    return sent, [Stood.of(Record(topics.GRADES, P, at, 0, 0, each.key, (), each.value)) for at, each in enumerate(two.grades)]


@some
@given(TOWNS)
def test_what_an_earlier_version_told_otherwise_is_put_right_by_its_corrections(ledgers: list[Ledger]) -> None:
    sent, stood = versions(ledgers)
    found = judge(facts_of(sent), stood, BOOKS, FAR, rebuilt=True)
    assert found.differences == []
    assert found.rebuilt == any("rebuilt_by" in (one.event or {"data": {}})["data"] for one in stood)


@some
@given(TOWNS, st.data())
def test_on_a_rebuilt_stack_another_grade_of_any_day_is_found_all_the_same(ledgers: list[Ledger], data: st.DataObject) -> None:
    sent, stood = versions(ledgers)
    graded = [at for at, one in enumerate(stood) if (one.event or {}).get("type") in GRADED]
    if not graded:
        return
    at = data.draw(st.sampled_from(graded))
    put = [*stood[:at], changed(stood[at], grade="Z"), *stood[at + 1 :]]
    found = judge(facts_of(sent), put, BOOKS, FAR, rebuilt=True).differences
    assert at in {one.stands.offset for one in found if one.stands}
