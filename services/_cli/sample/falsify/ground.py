"""What the kinds sow on: the town's rows, open for change, its officers' diaries, and the truth about what was sown."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Literal

from services._cli.sample.acts import ZONE, at, instant
from services._cli.sample.diary import Diary
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.people import Officer, staff
from services._cli.sample.town import Sent, Town, event_of, uuid7
from services._cli.sample.workdays import Workdays

Choice = Literal["both", "planted", "lookalikes", "clean"]
CHOICES: tuple[Choice, ...] = ("both", "planted", "lookalikes", "clean")

# Days at each end of the town in which nothing is sown: what follows from it has to find room.
_MARGIN_FIRST, _MARGIN_LAST = 25, 90


@dataclass(eq=False)
class Row:
    """An entry that may still be changed. ``number_as``: its document number is taken as if it were decided on that day; ``number_of``:
    it bears the number of another one. ``past_intake``: intake would refuse it."""

    event: dict[str, Any]
    signer: str
    channel: str
    received: datetime
    private: dict[str, dict[str, str]] | None = None
    number_as: date | None = None
    number_of: Row | None = None
    past_intake: bool = False

    @property
    def name(self) -> str:
        return self.event["type"].removeprefix("mingjian.").removesuffix(".v1")

    @property
    def data(self) -> dict[str, Any]:
        return self.event["data"]

    @property
    def day(self) -> date:
        return date.fromisoformat(self.data["occurred_on"])

    @property
    def ref(self) -> dict[str, str]:
        return {"source": self.event["source"], "id": self.event["id"]}

    def sent(self) -> Sent:
        return Sent(self.event, self.signer, self.channel, self.received, self.private)


@dataclass(frozen=True, eq=False)
class Matter:
    """What was sown, and why it is what it is. ``planted``: a falsehood; else a look-alike. ``said``: more that is true of it."""

    kind: str
    planted: bool
    rows: tuple[Row, ...]
    office: str
    officers: tuple[str, ...]
    subjects: tuple[str, ...]
    why: str
    said: dict[str, Any] = field(default_factory=dict)

    def line(self) -> dict[str, Any]:
        """One line of the file of the truth."""
        return {
            "kind": self.kind,
            "planted": self.planted,
            "entries": [{**row.ref, "type": row.name} for row in self.rows],
            "office": self.office,
            "officers": list(self.officers),
            "subjects": list(self.subjects),
            "why": self.why,
            **self.said,
        }


class Ground:
    """``rows`` in no order; ``matters`` grow. Enterprises are taken one after the other, so that kinds don't disturb each other."""

    def __init__(self, town: Town, choice: Choice) -> None:
        self.town, self.plan, self.choice = town, town.plan, choice
        self.workdays = Workdays.from_tables(town.plan.tables)
        self.rows = [Row(copy.deepcopy(one.event), one.signer, one.channel, one.received, one.private) for one in town.sent]
        self._base = {id(row) for row in self.rows}
        self.matters: list[Matter] = []
        self.control: list[tuple[str, str, dict[str, Any], datetime]] = []
        self.diary = Diary()
        self.evenings: set[date] = set()
        self._ids = Random(f"town {self.plan.seed} falsified ids")
        self._taken = 0
        moved = {row.event["subject"] for row in self.rows if row.name == "enterprise.changed"}
        stays = [one for one in town.enterprises if one.started < self.plan.first and one.closed is None and not one.told]
        steady = [one for one in stays if one.subject not in moved]
        order = steady or list(town.enterprises)
        Random(f"town {self.plan.seed} falsified order").shuffle(order)
        self._order = order

    # what is asked for
    @property
    def plants(self) -> bool:
        return self.choice in ("both", "planted")

    @property
    def likens(self) -> bool:
        return self.choice in ("both", "lookalikes")

    def chance(self, kind: str) -> Random:
        """A kind's own chance: what it sows doesn't hang on the others."""
        return Random(f"town {self.plan.seed} falsified {kind}")

    # where and when
    def take(self, *, office: str | None = None) -> Enterprise:
        """The next enterprise that operates all the time; again from the first when all were taken."""
        for _ in range(len(self._order)):
            one = self._order[self._taken % len(self._order)]
            self._taken += 1
            if office is None or one.office == office:
                return one
        return self._order[0]

    @property
    def many(self) -> int:
        """How many can be taken before the first comes again."""
        return len(self._order)

    @property
    def first(self) -> date:
        return self.plan.go_live + timedelta(days=_MARGIN_FIRST)

    @property
    def last(self) -> date:
        return self.plan.last - timedelta(days=_MARGIN_LAST)

    def day(self, rng: Random, *, first: date | None = None, last: date | None = None) -> date:
        """A working day, not too near to either end, and in no year's last or first weeks."""
        days = self.workdays.working_days(first or self.first, last or self.last)
        calm = [day for day in days if date(day.year, 2, 20) < day < date(day.year, 11, 20)] or days
        return rng.choice(calm)

    def evening(self, rng: Random) -> date:
        """A working day whose evening nobody of the town's officers has had for anything yet; it is taken from now on."""
        day = self.day(rng)
        while day in self.evenings:
            day = self.after(day, 1)
        self.evenings.add(day)
        return day

    def after(self, day: date, count: int) -> date:
        return self.workdays.after(day, count)

    # entries
    def enter(
        self,
        kind: str,
        subject: str,
        officer: Officer,
        data: dict[str, Any],
        received: datetime,
        *,
        signed: datetime | None = None,
        channel: str = "desk",
        source: str | None = None,
    ) -> Row:
        """A new row. ``signed``: some minutes before it is received where nothing is said."""
        signed = signed or received - timedelta(minutes=self._ids.randint(2, 20), seconds=self._ids.randint(0, 59))
        data = {**data, "entered_by": officer.pseudonym}
        made = event_of(id=uuid7(signed, self._ids), source=source or officer.office, kind=kind, subject=subject, signed=signed, data=data)
        row = Row(made, officer.name, channel, received)
        self.rows.append(row)
        return row

    def officer(self, enterprise: Enterprise, rng: Random) -> Officer:
        return rng.choice(staff(enterprise.office))

    def drop(self, rows: Iterable[Row]) -> None:
        gone = {id(row) for row in rows}
        self.rows = [row for row in self.rows if id(row) not in gone]

    def reset(self, row: Row, received: datetime) -> None:
        """Enter the row at another instant. Its id stays: others refer to it."""
        row.received = received
        row.event["time"] = instant(received - timedelta(minutes=self._ids.randint(2, 20)))

    def within(self) -> None:
        """Leave out what would come after the town's end, and every matter that it belongs to."""
        until = self.plan.until
        broken = [one for one in self.matters if any(row.received > until for row in one.rows)]
        self.matters = [one for one in self.matters if one not in broken]
        kept = {id(row) for one in self.matters for row in one.rows}
        self.drop([row for one in broken for row in one.rows if id(row) not in kept and id(row) not in self._base])
        self.drop([row for row in self.rows if row.received > until])
        self.control = [one for one in self.control if one[3] <= until]

    # the truth
    def sow(self, kind: str, planted: bool, rows: Sequence[Row], why: str, *, office: str = "", **said: Any) -> None:
        """Say what was sown. ``said['officers']`` where it isn't who entered."""
        officers = said.pop("officers", None) or sorted({row.data["entered_by"] for row in rows if "entered_by" in row.data})
        subjects = said.pop("subjects", None) or list(dict.fromkeys(row.event["subject"] for row in rows))
        source = office or (rows[0].event["source"] if rows else "")
        self.matters.append(Matter(kind, planted, tuple(rows), source, tuple(officers), tuple(subjects), why, said))


def evening(day: date, rng: Random) -> datetime:
    """When people enter before they go home."""
    return at(day, 17, rng.randint(0, 40), rng.randint(0, 59))


def local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()
