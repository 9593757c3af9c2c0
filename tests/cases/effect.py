"""A life of a case, with entries that were late or untrue, asked what these did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from schemas.envelope import check_data, lookup
from services.audit.adapters.calendars import calendar_events
from services.audit.domain.assessed import TYPE, Answer, answer
from services.audit.domain.assessing import Assessed, Cut, Scene, assess
from services.audit.domain.findings import Place
from services.audit.domain.hearings import Word, hearings
from services.audit.domain.joint import Joint
from services.audit.domain.late import Outage
from services.audit.domain.matters import Matter
from services.audit.domain.replay import CONTROLS, Controls, Fact
from services.audit.domain.supposing import Life, Lives, apart
from services.audit.domain.whole_shown import OfWhole
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests.cases.ledger import RULEBOOKS, Ledger
from tests.hearing import on_matter, steps

NOBODY = "00000000-0000-4000-8000-000000000000"
TERM = 5


@lru_cache
def calendar() -> WorkCalendar:
    """As issued."""
    found = WorkCalendar()
    for data in calendar_events(RULEBOOKS / "calendar-cn.yaml"):
        found = found.issue(YearTable.of(data))
    return found


def deadline(served: str, known: WorkCalendar | None = None) -> date:
    """五(三) ¶1: the last day for what was served on a day."""
    return (known or calendar()).nth_after(date.fromisoformat(served), TERM).day


def life_of(ledger: Ledger) -> Life:
    controls = Controls()
    for fact in ledger.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
    return Lives(ledger.partition, controls).of(ledger.subject, [one for one in ledger.facts if one.name not in CONTROLS], ledger.book)


class Case:
    """A ledger whose entries some matters are about. ``asides``: stays and determinations, which rating leaves alone; ``whole``: whose
    grades are looked at, where they aren't the ledger's own."""

    def __init__(
        self, ledger: Ledger, *, cut: str, asides: Sequence[Fact] = (), outages: Sequence[Outage] = (), whole: OfWhole | None = None
    ) -> None:
        self.ledger, self.asides, self.outages, self.whole = ledger, tuple(asides), tuple(outages), whole
        self.cut = Cut(date.fromisoformat(cut), ledger.offset, NOBODY, 0)
        self.matters: list[Matter] = []
        self.words: dict[str, Word] = {}

    def late(self, id: str, last_day: str | date, *marks: str) -> Case:
        """The entry was late: ``last_day`` its deadline."""
        last = date.fromisoformat(last_day) if isinstance(last_day, str) else last_day
        return self._matter(id, "late_entry", last, marks)

    def untrue(self, id: str) -> Case:
        return self._matter(id, "entry_untrue", None, ())

    def backdated(self, id: str) -> Case:
        return self._matter(id, "backdated_correction", None, ())

    def _matter(self, id: str, kind: str, last: date | None, marks: tuple[str, ...]) -> Case:
        fact = next(one for one in self.ledger.facts if one.id == id)
        at = Place("mingjian.facts.v1", self.ledger.partition, fact.offset, id)
        self.matters.append(Matter(id, id, kind, fact.source, self.ledger.regime, at, last, None, marks))
        return self

    def heard(self, number: int, *events: dict[str, Any], through: str | None = None) -> Case:
        """What was heard on a matter, in place of what was before; ``through``: the last closed day."""
        id = self.matters[number].id
        found = hearings(steps(*on_matter(id, *events)), through=date.fromisoformat(through) if through else None)
        self.words = {name: word for name, word in self.words.items() if name != id} | {name: one.word for name, one in found.items()}
        return self

    @property
    def scene(self) -> Scene:
        life = life_of(self.ledger)
        return Scene(life, self.cut, tuple(apart(self.asides)), tuple(self.matters), self.outages, self.whole)

    def found(self, number: int = 0) -> Assessed:
        return assess(self.scene, self.matters[number])

    def answer(self, number: int = 0) -> Answer:
        """The event, which the contract takes."""
        scene = self.scene
        given = answer(assess(scene, self.matters[number]), Joint.of(scene), software="mingjian 0", words=self.words)
        row = lookup(TYPE)
        assert row is not None
        check_data(row, dict(given.data))
        return given

    def days(self, number: int = 0) -> tuple[int, int, int, int]:
        """At least, at most; and of those that stand."""
        data = self.answer(number).data
        return (data["least"], data["most"], data["stands_least"], data["stands_most"])


def aside(ledger: Ledger, name: str, on: str, data: dict[str, Any]) -> Fact:
    """A stay or a determination, entered on a day: it takes the next place in the partition."""
    row = lookup(f"mingjian.{name}.v1")
    assert row is not None
    check_data(row, data)
    day = date.fromisoformat(on)
    known = int((day - date(1970, 1, 1)) / timedelta(milliseconds=1)) + 3_600_000
    ledger.offset += 1
    id = f"00000000-0000-4000-8000-{ledger.offset:012d}"
    return Fact(ledger.partition, ledger.offset - 1, known, known, known, id, ledger.source, name, data)
