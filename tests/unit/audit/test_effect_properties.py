"""What is supposed of a subject's entries, held against properties that any true answer has, and against the slow way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, combinations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.audit.domain import assessing
from services.audit.domain.assessed import answer
from services.audit.domain.assessing import Cut, Scene, assess
from services.audit.domain.findings import Place
from services.audit.domain.joint import Joint
from services.audit.domain.matters import Matter
from services.audit.domain.replay import Fact, Subject, brings_nothing, civil_day, pair_of, standing
from services.audit.domain.shown import path, pieces
from services.audit.domain.supposing import Life, Move, closure, day_end, place, suppose
from services.audit.domain.worlds import Word, by_day
from tests.cases.effect import NOBODY, life_of
from tests.cases.ledger import Ledger, act, shop
from tests.unit.rating.test_spans_properties import lives

SLOW = list(HealthCheck)
some = settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
few = settings(max_examples=15, deadline=None, suppress_health_check=SLOW)


def span(life: Life) -> tuple[date, date]:
    days = [civil_day(one.known, life.zone) for one in life.steps()]
    return max(min(days), max(days) - timedelta(days=500)), max(days) + timedelta(days=3)


def slowly(life: Life, first: date, last: date) -> list[object]:
    """Day by day: everything known by its end folded anew."""
    found: list[object] = []
    day = first
    while day <= last:
        state, upto = Subject(life.subject, life.partition), -1
        for one in life.steps():
            if one.known <= day_end(day, life.zone):
                upto = one.offset
        for one in life.facts:
            if one.offset <= upto:
                state.take(one)
        rated = state.known_since(life.book.rulebook.regime) is not None
        found.append(pair_of(standing(state, life.controls, life.book, upto=upto, as_of=day) if rated else None))
        day += timedelta(days=1)
    return found


@few
@given(lives())
def test_what_is_shown_is_worked_out_on_the_days_on_which_it_can_turn(ledger: Ledger) -> None:
    life = life_of(ledger)
    first, last = span(life)
    first = max(first, last - timedelta(days=120))
    assert slowly(life, first, last) == by_day(pieces(life, first, last))


@some
@given(lives())
def test_supposing_nothing_changes_nothing(ledger: Ledger) -> None:
    life = life_of(ledger)
    first, last = span(life)
    for one in life.facts:
        for move in (Move(one.key), Move(one.key, known=one.known), Move(one.key, known=one.known + 1)):
            same = suppose(life, [move])
            assert (life.facts, life.controls) == (same.facts, same.controls)
    nobody = suppose(life, [Move(("/nobody", "nothing"), known=0)])
    assert path(pieces(life, first, last)) == path(pieces(nobody, first, last))


@some
@given(lives(), st.data())
def test_a_moved_entry_comes_after_all_that_was_known_by_then_and_nothing_else_moves(ledger: Ledger, data: st.DataObject) -> None:
    life = life_of(ledger)
    entry = data.draw(st.sampled_from(life.facts))
    known = entry.known - data.draw(st.integers(0, 400)) * 86_400_000
    moved = suppose(life, [Move(entry.key, known=known)])
    others = [one.key for one in life.facts if one.key != entry.key]
    kept = [one.key for one in moved.facts if one.key != entry.key]
    # What can't be folded in its new place is left out, as live rating leaves it out.
    assert kept == [one for one in others if one in set(kept)]
    now = moved.fact(entry.key)
    if now is not None and known < entry.known:
        before = [one for one in moved.steps() if one.offset < now.offset]
        after = [one for one in moved.steps() if one.offset > now.offset]
        assert all(one.known <= known for one in before) and all(one.known > known for one in after)
        assert (now.data, now.name, now.known) == (entry.data, entry.name, known)
    instants = [one.known for one in moved.steps()]
    assert instants == sorted(instants)
    assert len({one.offset for one in moved.steps()}) == len(moved.steps())


@some
@given(lives(), st.data())
def test_what_never_was_takes_along_only_what_is_about_it(ledger: Ledger, data: st.DataObject) -> None:
    life = life_of(ledger)
    entry = data.draw(st.sampled_from(life.facts))
    gone = closure(entry, life.facts)
    left = suppose(life, [Move(entry.key, never=True)])
    assert entry in gone
    assert {one.key for one in left.facts} <= {one.key for one in life.facts} - {one.key for one in gone}
    named = {one.key for one in gone}
    for one in left.facts:
        for about in (one.data.get("act"), one.data.get("entry")):
            assert not (isinstance(about, dict) and (about["source"], about["id"]) in named)


def matter_of(life: Life, entry: Fact, last: date, kind: str = "late_entry") -> Matter:
    at = Place("mingjian.facts.v1", life.partition, place(entry.offset), entry.id)
    return Matter(entry.id, entry.id, kind, entry.source, life.book.rulebook.regime, at, last if kind == "late_entry" else None)


def scene_of(life: Life, matters: Sequence[Matter]) -> Scene:
    last = max(civil_day(one.known, life.zone) for one in life.steps()) + timedelta(days=20)
    return Scene(life, Cut(last, 0, NOBODY, 0), (), tuple(matters))


@st.composite
def late_ones(draw: st.DrawFn, most: int = 1, approving: bool | None = None) -> tuple[Life, list[Matter]]:
    """A life, and entries of it that could have been known up to 60 days earlier."""
    life = life_of(draw(lives(approving=approving)))
    entries = [one for one in life.facts if one.name not in ("grade.approved", "grade.returned")]
    chosen = draw(st.lists(st.sampled_from(entries), min_size=1, max_size=most, unique_by=lambda one: one.key))
    found = [matter_of(life, one, civil_day(one.known, life.zone) - timedelta(days=draw(st.integers(1, 60)))) for one in chosen]
    return life, found


STEPS = ("fine", "fine", "suspension_ordered", "warning", "warning", "price", "approve", "approve", "return", "undo")


@st.composite
def grave_lives(draw: st.DrawFn, most: int = 3, approving: bool = True, steps: Sequence[str] = STEPS) -> tuple[Life, list[Matter]]:
    """A shop that is B, and then a year of grave acts, each entered with some delay, of approvals, returns and retractions."""
    ledger = shop(approving=approving)
    ledger.scored(2023, "95")
    ledger.evaluated(2023)
    acts: list[tuple[date, date, str]] = []
    for _ in range(draw(st.integers(1, 6))):
        on = date(2024, 9, 1) + timedelta(days=draw(st.integers(0, 200)))
        acts.append((on + timedelta(days=draw(st.sampled_from([0, 1, 7, 30, 60]))), on, draw(st.sampled_from(steps))))
    acts += [(date(2024, 12, 20),) * 2 + ("score",), (date(2025, 1, 15),) * 2 + ("evaluation",)]
    ids: list[tuple[str, date]] = []
    for number, (known, on, what) in enumerate(sorted(acts)):
        text = on.isoformat()
        if what == "score":
            ledger.scored(2024, draw(st.sampled_from(["99", "95", "85"])))
        elif what == "evaluation":
            ledger.evaluated(2024)
        elif what in ("approve", "return"):
            (ledger.approved if what == "approve" else ledger.returned)(draw(st.sampled_from("DDDEA")), known.isoformat())
        elif what == "undo" and ids:
            ledger.retracted(draw(st.sampled_from(ids))[0], known.isoformat())
        elif what == "price":
            data = {"occurred_on": text, "document_no": f"OD-{number}", "authority": "x", "acts": [act("fine", field="price")]}
            ids.append((ledger.enter("other_department.penalised", _served(data, text), known=known), on))
        elif what == "warning":
            data = {"occurred_on": text, "document_no": f"W-{number}", "violation": "GSP-07", "legal_field": "drug"}
            data |= {"correction_ordered": True, "correct_by": (on + timedelta(days=10)).isoformat()}
            ids.append((ledger.enter("warning.issued", _served(data, text), known=known), on))
        elif what in ("fine", "suspension_ordered"):
            data = {"occurred_on": text, "document_no": f"P-{number}", "acts": [act(what)]}
            ids.append((ledger.enter("penalty.decided", _served(data, text), known=known), on))
    life = life_of(ledger)
    late = [(one, on) for id, on in ids if (one := next((each for each in life.facts if each.id == id), None))]
    late = [(one, on) for one, on in late if civil_day(one.known, life.zone) > on]
    assume(bool(late))
    chosen = draw(st.lists(st.sampled_from(late), min_size=1, max_size=most, unique_by=lambda one: one[0].id))
    return life, [matter_of(life, one, on) for one, on in chosen]


def _served(data: dict[str, object], on: str) -> dict[str, object]:
    return data | {"service": {"served_on": on, "method": "handed_over"}}


@some
@given(st.one_of(late_ones(), grave_lives(most=1), grave_lives(most=1)), st.data())
def test_no_concrete_approval_leaves_the_bounds(late: tuple[Life, list[Matter]], data: st.DataObject) -> None:
    """Any day on which a proposal of the supposed world is open may be the day of its approval."""
    life, (matter,) = late
    found = assess(scene_of(life, [matter]), matter)
    assume(found.worlds is not None)
    assert found.worlds is not None
    world = found.worlds.unsaid
    for _ in range(2):
        free = [run for run in found.worlds.free(world) if not world.words or run.last >= world.words[-1].day]
        if not free:
            break
        run = data.draw(st.sampled_from(free))
        first = max(run.first, world.words[-1].day if world.words else run.first)
        day = first + timedelta(days=data.draw(st.integers(0, (run.last - first).days)))
        world = found.worlds.world((*world.words, Word(run.grade, day)))
    days, stand, bounds = found.worlds.wrong(world), found.worlds.stands(world), found.differing
    assert bounds.least <= len(days) <= bounds.most
    assert bounds.stands_least <= len(stand) <= bounds.stands_most
    assert bounds.certain <= days <= bounds.possible
    assert stand <= days


@some
@given(late_ones())
def test_an_entry_moved_to_its_own_place_gives_no_day(late: tuple[Life, list[Matter]]) -> None:
    life, (matter,) = late
    scene = scene_of(life, [matter])
    entry = scene.entry(matter)
    assert entry is not None
    in_time = replace(matter, deadline=civil_day(entry.known, life.zone))
    found = assess(scene_of(life, [in_time]), in_time)
    assert (0, 0) == (found.differing.least, found.differing.most)


@some
@given(late_ones(), st.integers(1, 60))
def test_what_no_grade_asks_for_is_passed_over_rightly(late: tuple[Life, list[Matter]], back: int) -> None:
    """The skip against the full way: an inspection that found nothing, put anywhere into a life, and whatever else brings nothing."""
    life, _ = late
    for entry in [one for one in life.facts if brings_nothing(one) and assessing.inert(life, one)][:3]:
        moved = suppose(life, [Move(entry.key, known=entry.known - back * 86_400_000)])
        first, last = span(life)
        assert by_day(pieces(life, first, last)) == by_day(pieces(moved, first, last))
        never = suppose(life, [Move(entry.key, never=True)])
        assert by_day(pieces(life, first, last)) == by_day(pieces(never, first, last))


@st.composite
def warned_again(draw: st.DrawFn) -> tuple[Life, list[Matter]]:
    """Two or three warnings for one violation, each after the term of the one before, all entered months later: D by two in succession."""
    ledger = shop(approving=draw(st.booleans()))
    ledger.scored(2023, "95")
    ledger.evaluated(2023)
    on, ids = date(2024, 2, 1), []
    known = date(2024, 8, 1) + timedelta(days=draw(st.integers(0, 40)))
    for number in range(draw(st.integers(2, 3))):
        on += timedelta(days=draw(st.integers(15, 50)))
        text, term = on.isoformat(), (on + timedelta(days=10)).isoformat()
        data = {"occurred_on": text, "document_no": f"W-{number}", "violation": "GSP-07", "legal_field": "drug", "correction_ordered": True}
        ids.append((ledger.enter("warning.issued", _served(data | {"correct_by": term}, text), known=known), on))
        known += timedelta(days=draw(st.sampled_from([0, 0, 3])))
    if draw(st.booleans()):
        ledger.approved("D", (known + timedelta(days=2)).isoformat())
    life = life_of(ledger)
    return life, [matter_of(life, next(one for one in life.facts if one.id == id), on) for id, on in ids]


WARNED = ("warning", "warning", "warning", "undo", "approve")


@few
@given(st.one_of(warned_again(), grave_lives(approving=False, steps=WARNED), grave_lives(), late_ones(most=3)))
def test_the_joint_sets_are_those_of_all_sets(late: tuple[Life, list[Matter]]) -> None:
    """Against every set there is, without pruning."""
    life, matters = late
    scene = scene_of(life, matters)
    joint = Joint.of(scene)
    assert joint.complete
    moving = [one for one in matters if scene.move(one) is not None]
    sets = chain.from_iterable(combinations(moving, size) for size in range(1, len(moving) + 1))
    possible: dict[frozenset[str], frozenset[int]] = {}
    for each in sets:
        first = max(scene.first(one) for one in each)
        moves = [move for one in each if (move := scene.move(one))]
        worlds = scene.worlds(moves, min(scene.begin(one) for one in each), first)
        wrong = frozenset().union(*(worlds.wrong(one) for one in worlds.all))
        possible[frozenset(one.id for one in each)] = frozenset(day + first.toordinal() for day in wrong)
    expected = {}
    for name, days in possible.items():
        own = days - frozenset().union(*(other for smaller, other in possible.items() if smaller < name))
        if own:
            expected[name] = own
    assert expected == {frozenset(one.matters): one.possible for one in joint.sets}


@few
@given(late_ones(most=2))
def test_the_answer_is_the_contracts_and_the_same_again(late: tuple[Life, list[Matter]]) -> None:
    life, matters = late
    first, second = (
        [answer(assess(scene, one), Joint.of(scene), software="mingjian 0") for one in matters]
        for scene in (scene_of(life, matters), scene_of(life, matters))
    )
    assert [one.value for one in first] == [one.value for one in second]
