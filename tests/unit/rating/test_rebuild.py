"""Another version works everything out again: what was told is not told again, what turns out otherwise is corrected, once."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.envelope import check_data, lookup
from schemas.times import milliseconds
from services.publication.domain.knowledge import Known, layout
from services.rating.domain.emit import TYPE, TYPE_CORRECTED
from services.rating.domain.fold import Book
from services.rating.domain.retelling import Difference, Said, differences
from services.rating.domain.spans import NOTHING
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Record
from services.rating.rebuild import Rebuild, last_cause
from services.rating.work import Work
from tests.cases.ledger import Ledger
from tests.unit.rating.streams import BOOKS, stream
from tests.unit.rating.test_backlog import Kafka, Killed, records
from tests.unit.rating.test_spans_properties import lives

pytestmark = pytest.mark.sweep
BOOK = BOOKS["liyujiang"]


def without(*rules: str) -> dict[str, Book]:
    """The same rulebook, by digest, in code that forgets rules: what another version may turn out to have done."""
    kept = tuple(one for one in BOOK.rulebook.rules if one.id not in rules)
    return {"liyujiang": Book(BOOK.rulebook.model_copy(update={"rules": kept}), BOOK.sha256, BOOK.zone)}


FORGETFUL = without("c_score")


class Version:
    """A version of the app over one partition, with a state of its own and the grades that are there."""

    def __init__(self, number: int, books: dict[str, Book], grades: list[Record]) -> None:
        self.number, self.books, self.grades = number, books, grades
        self.kafka = Kafka()

    def start(self) -> None:
        """As the live driver begins a partition."""
        self.rater = Rater(self.books, version=topics.rating_app(self.number))
        self.state = self.kafka.state()
        if self.state.rebuilt is None:
            last = last_cause(self.grades)
            row = self.state.rebuilt_row(last, len(self.grades) if last >= 0 else -1)
            self.kafka.write([row], [])
        assert self.state.rebuilt is not None
        if self.state.rebuilt != (-1, -1):
            self.state = PartitionState(3, rebuilt=self.state.rebuilt, rebuild=Rebuild(*self.state.rebuilt))
            for one in self.grades:
                self.state.rebuild.read(topics.GRADES, one)
        self.rater.states[3] = self.state

    def write(self, works: Iterable[Work]) -> None:
        for work in works:
            fresh = self.state.rebuild.unsent(work) if self.state.rebuild else work
            before = len(self.kafka.messages)
            try:
                self.kafka.write(fresh.rows, fresh.messages)
            finally:
                for one in self.kafka.messages[before:]:
                    if one.topic == topics.GRADES:
                        self.grades.append(Record(3, len(self.grades), one.timestamp, one.key, one.value, one.headers))

    def run(self, log: Sequence[Record], *, batch: int = 7, backlog: bool = True) -> int:
        """Everything, from where the state stands; returns how many grade events came out. ``backlog``: worked off as well."""
        before = len(self.grades)
        for start in range(max(0, self.state.offset + 1), len(log), batch):
            self.write(self.rater.work(self.state, log[start : start + batch]))
            self.write([Work(rows=[self.state.head_row()])])
            self.write(self.rater.retelling.finish(self.state))
            if backlog:
                self._slice()
        while backlog and self.state.agenda:
            self._slice()
        return len(self.grades) - before

    def _slice(self) -> None:
        self.write(self.rater.backlog.slice(self.state, 2))
        self.write(self.rater.retelling.finish(self.state))


def version(number: int, books: dict[str, Book], grades: list[Record], log: Sequence[Record], **more: int) -> int:
    one = Version(number, books, grades)
    one.start()
    return one.run(log, **more)


def answers(grades: Sequence[Record]) -> dict[tuple[str, str], list[tuple[int, list]]]:
    """What publication answers of each subject: after each cause, which grade or status on which days; as it was told to the public."""
    found: dict[tuple[str, str], list[Known]] = {}
    for number, one in enumerate(grades):
        event = orjson.loads(one.value)["event"]
        if event["type"] not in (TYPE, TYPE_CORRECTED):
            continue
        data = event["data"]
        first, last = data["in_force_from"], data.get("corrected_to")
        row = Known(
            number,
            data["cause"]["offset"],
            data["cause"]["offset"],
            data["grade"],
            data["status"],
            date.fromisoformat(first) if first else None,
            date.fromisoformat(last) if last else None,
        )
        found.setdefault((event["subject"], data["regime"]), []).append(row)
    return {of: [(cause, _days(rows, cause)) for cause in sorted({one.offset for one in rows})] for of, rows in found.items()}


def _days(rows: list[Known], cause: int) -> list:
    laid: list = []
    for span in layout(rows, at_ms=cause):
        if span.pair[1] == "not_rated":
            continue
        if laid and laid[-1][1] == span.start and laid[-1][2] == span.pair:
            laid[-1] = (laid[-1][0], span.end, span.pair)
        else:
            laid.append((span.start, span.end, span.pair))
    return laid


def at(told: list[tuple[int, list]], cause: int) -> list:
    """What was answered after a cause."""
    return next((days for offset, days in reversed(told) if offset <= cause), [])


def same_answers(one: Sequence[Record], other: Sequence[Record]) -> None:
    """After every cause, of every subject, on every day."""
    left, right = answers(one), answers(other)
    for of in left.keys() | right.keys():
        causes = {offset for offset, _ in (*left.get(of, []), *right.get(of, []))}
        for cause in causes:
            assert at(left.get(of, []), cause) == at(right.get(of, []), cause), (of, cause)


SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
LIVES = st.lists(lives(approving=True), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(LIVES, st.integers(1, 12))
def test_a_version_that_tells_the_same_tells_nothing(ledgers: list[Ledger], batch: int) -> None:
    log, grades = records(stream(ledgers)), []
    version(1, BOOKS, grades, log)
    assert 0 == version(2, BOOKS, grades, log, batch=batch)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(LIVES, st.sampled_from([("d_money",), ("c_score",), ("b_compliant", "c_warned"), ("c_gap", "e_stopped")]))
def test_what_differs_is_corrected_for_every_instant_and_once(ledgers: list[Ledger], forgotten: tuple[str, ...]) -> None:
    """Also where the first version forgot and the second does not; a third one like the second tells nothing, and one that forgets
    again corrects back."""
    log, other = records(stream(ledgers)), without(*forgotten)
    for first, second in ((BOOKS, other), (other, BOOKS)):
        grades, right, wrong = [], [], []
        version(1, first, grades, log)
        version(1, second, right, log)
        version(1, first, wrong, log)
        came = version(2, second, grades, log)
        same_answers(grades, right)
        named = [orjson.loads(one.value)["event"]["data"].get("rebuilt_by") for one in grades[len(grades) - came :]]
        assert {"mingjian-rating-v2"} >= {one for one in named if one}
        assert 0 == version(3, second, grades, log)
        version(4, first, grades, log)
        same_answers(grades, wrong)
        assert len({orjson.loads(one.value)["event"]["id"] for one in grades}) == len(grades)


def shops() -> list[Ledger]:
    """Two periods are evaluated; all but one have a score of the second; some are fined between them."""
    ledgers = []
    for number, total in enumerate(("99", "95", "92", "88", "86", "85", "75", "65")):
        ledger = Ledger(approving=True)
        ledger.opened("2020-03-01")
        ledger.scored(2023, total)
        ledger.evaluated(2023)
        if number % 3 == 0:
            ledger.fined("2024-05-01")
        if number != 4:
            ledger.scored(2024, str(90 - number))
        ledger.evaluated(2024)
        ledgers.append(ledger)
    return ledgers


def test_corrections_name_the_version_the_days_and_what_was_told() -> None:
    log, grades = records(stream(shops())), []
    version(1, BOOKS, grades, log)
    before = len(grades)
    assert version(2, FORGETFUL, grades, log)
    events = [orjson.loads(one.value)["event"] for one in grades[before:]]
    corrected = [one for one in events if one["type"] == TYPE_CORRECTED]
    assert corrected and {"mingjian-rating-v2"} == {one["data"]["rebuilt_by"] for one in corrected}
    for one in events:
        row = lookup(one["type"])
        assert row is not None
        check_data(row, one["data"])
        assert one["time"] == one["data"]["cause"]["known_from"] and milliseconds(one["time"])
    assert all(one["data"]["moment"] == "correction" for one in corrected)
    assert any(one["data"]["corrected_to"] is None for one in corrected), "and what holds now"
    assert all(
        (one["data"]["grade"], one["data"]["status"]) != (one["data"]["previous_grade"], one["data"]["previous_status"])
        for one in corrected
    )


@pytest.mark.parametrize("books", [BOOKS, FORGETFUL], ids=["same", "other"])
def test_a_rebuild_that_is_killed_anywhere_comes_out_the_same(books: dict[str, Book]) -> None:
    log = records(stream(shops()))
    whole: list[Record] = []
    version(1, BOOKS, whole, log)
    first, started = len(whole), Version(2, books, whole)
    started.start()
    started.run(log)
    for cut in range(1, started.kafka.writes + 1, 3):
        grades = list(whole[:first])
        one = Version(2, books, grades)
        one.kafka.torn_at, one.kafka.rng = cut, random.Random(cut)
        try:
            one.start()
            one.run(log)
        except Killed:
            one.start()
            one.run(log)
        assert sorted({entry.value for entry in grades}) == sorted({entry.value for entry in whole}), cut


def test_what_the_version_before_had_not_come_to_is_told() -> None:
    """It was stopped before the end of the facts: what follows is no correction."""
    log, grades, whole = records(stream(shops())), [], []
    version(1, BOOKS, whole, log)
    version(1, BOOKS, grades, log[:-8])
    version(2, BOOKS, grades, log)
    assert sorted(one.value for one in grades) == sorted(one.value for one in whole)


def test_what_an_evaluation_had_left_open_is_told_with_the_days_that_were_told_otherwise() -> None:
    log, grades, whole = records(stream(shops())), [], []
    version(1, BOOKS, whole, log)
    one = Version(1, BOOKS, grades)
    one.start()
    one.run(log, backlog=False)
    version(2, BOOKS, grades, log)
    same_answers(grades, whole)


def said_of(first: str, last: str | None, grade: str | None, status: str = "graded", *, mark: int = 0) -> Said:
    return Said(1, "r", date.fromisoformat(first), date.fromisoformat(last) if last else None, (grade, status), mark)


@pytest.mark.parametrize(
    ("told", "now", "expected"),
    [
        ([said_of("2025-01-01", None, "B")], [said_of("2025-01-01", None, "B", mark=9)], []),
        (
            [said_of("2025-01-01", None, "B")],
            [said_of("2025-01-01", None, "C")],
            [Difference(date(2025, 1, 1), None, ("B", "graded"), ("C", "graded"))],
        ),
        (
            [said_of("2025-01-01", None, "B"), said_of("2025-03-01", None, "C")],
            [said_of("2025-01-01", None, "B"), said_of("2025-02-01", None, "C")],
            [Difference(date(2025, 2, 1), date(2025, 2, 28), ("B", "graded"), ("C", "graded"))],
        ),
        ([said_of("2025-01-01", None, "B")], [], [Difference(date(2025, 1, 1), None, ("B", "graded"), NOTHING)]),
        ([said_of("2025-01-01", None, None, "not_rated")], [], []),
    ],
)
def test_days_differ_by_grade_and_status_alone(told: list[Said], now: list[Said], expected: list[Difference]) -> None:
    assert differences(told, now) == expected


def test_what_was_set_aside_where_no_grade_was_told_is_not_set_aside_again() -> None:
    """A partition of nothing but junk: another version reads it again, and says nothing about it twice."""
    junk = [Record(3, offset, 1_000 + offset, b"k", b"no envelope", ()) for offset in range(3)]
    rater = Rater(BOOKS, version=topics.rating_app(2))
    said = [one for work in rater.work(PartitionState(3), junk) for one in work.messages]
    assert [one.topic for one in said] == [topics.QUARANTINE] * 3
    rebuild = Rebuild(-1, 0)
    for number, one in enumerate(said):
        rebuild.read(topics.QUARANTINE, Record(3, number, one.timestamp, one.key, one.value, one.headers))
    assert rebuild.through == 2
    again = Rater(BOOKS, version=topics.rating_app(3))
    state = PartitionState(3, rebuild=rebuild)
    for offset in range(3):
        works = list(again.work(state, junk[offset : offset + 1]))
        assert [one for work in works for one in rebuild.unsent(work).messages] == []
        ended = list(again.retelling.finish(state))
        assert bool(ended) == (offset == 2), "marks are kept until all that was told is past"
