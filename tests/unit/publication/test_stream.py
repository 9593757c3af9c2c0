"""The live stream alone, on a database of the test's own: what a number says was sent, what a filter takes, and how a replay ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.publication.adapters.postgres_reader import ChangeFilter, Row, State
from services.publication.web.stream import Client, EventStream, Hub, frame, resumed, suspended, takes

SHOPS = ("fhrs:1", "fhrs:2")


def change(seq: int, *, subject: str = "fhrs:1", grade: str | None = "5", previous: str | None = None) -> Row:
    data = {"regime": "fhrs", "grade": grade, "previous_grade": previous}
    row = {"seq": seq, "id": f"id-{seq}", "type": "mingjian.grade.determined.v1", "subject": subject, "regime": "fhrs"}
    return row | {
        "suspended": None,
        "grade": grade,
        "previous_grade": previous,
        "time": "2026-01-15T00:00:00.000Z",
        "known_ms": 0,
        "data": data,
    }


class Table:
    """The reader's side of the stream over rows in memory; remembers how many rows it gave out."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.rows = list(rows)
        self.given = 0
        self.stayed: list[Row] = []
        self.ever = False

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Table]:
        """Itself: nothing moves within a question."""
        yield self

    async def state(self) -> State:
        """Only the head counts here."""
        return State(head=len(self.rows), floor=0, revision=0)

    async def suspensions(self) -> list[Row]:
        """Those that a test says."""
        return list(self.stayed)

    async def ever_suspended(self) -> bool:
        """Also once it is over."""
        self.ever = self.ever or bool(self.stayed)
        return self.ever

    async def holding(self, subject: str, regime: str) -> Row | None:
        """The subject's newest change."""
        return next((row for row in reversed(self.rows) if row["subject"] == subject), None)

    async def changes(self, after: int, until: int, wanted: ChangeFilter, *, limit: int, span: int = 700) -> tuple[list[Row], int]:
        """As ``Snapshot.changes``."""
        reached = max(after, min(after + span, until))
        rows = [row for row in self.rows[after:reached] if takes(wanted, frame(row))][:limit]
        self.given += len(rows)
        return rows, rows[-1]["seq"] if len(rows) == limit else reached


class Silence:
    """A wake that never wakes: these tests offer by hand."""

    async def wait(self) -> None:
        await asyncio.Event().wait()


class LateNews(asyncio.Event):
    """News that come exactly while the waiting is given up because it was time for a heartbeat."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def wait(self) -> bool:
        """As ``asyncio.Event``."""
        try:
            return await super().wait()
        except asyncio.CancelledError:
            self._meanwhile()
            raise


def hub_over(table: Table) -> Hub:
    hub = Hub(table, Silence(), limit=9, per_address=9)  # type: ignore[arg-type]
    hub.head, hub.started = len(table.rows), True
    return hub


async def served(hub: Hub, table: Table, client: Client, *, until: Callable[[bytes], bool], heartbeat_s: float = 0.001) -> bytes:
    """What a client was sent until ``until`` holds of it."""
    sent, enough = bytearray(), asyncio.Event()

    async def send(message: Any) -> None:
        sent.extend(message.get("body", b""))
        if until(bytes(sent)):
            enough.set()

    stream = EventStream(hub, table, client, headers={}, done=lambda: None, heartbeat_s=heartbeat_s)  # type: ignore[arg-type]
    task = asyncio.create_task(stream._serve(send))
    try:
        await asyncio.wait_for(enough.wait(), 10)
    finally:
        task.cancel()
        hub.leave(client)
    return bytes(sent)


def numbers(text: bytes) -> list[tuple[bool, int]]:
    """(is a change, its number) of everything with an id, in the order in which it was sent."""
    blocks = [block for block in text.split(b"\n\n") if b"id: " in block]
    return [(b"event: grade" in block, int(re.search(rb"id: (\d+)", block)[1])) for block in blocks]  # type: ignore[index]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(SHOPS), max_size=3), min_size=1, max_size=3), st.sampled_from([None, *SHOPS]))
def test_a_number_is_told_only_after_every_change_up_to_it(batches: list[list[str]], subject: str | None) -> None:
    """Changes come while the heartbeat falls due: who resumes from the number of a heartbeat has missed nothing."""
    wanted = ChangeFilter(subject=subject)
    waiting = list(batches)
    table = Table()

    def meanwhile() -> None:
        if not waiting:
            return
        rows = [change(hub.head + at + 1, subject=shop) for at, shop in enumerate(waiting.pop(0))]
        if rows:
            hub._offer([frame(row) for row in rows])

    async def play() -> bytes:
        total = sum(map(len, batches))
        client = Client(wanted=wanted, address="", at=0, news=LateNews(meanwhile))
        return await served(hub, table, client, until=lambda text: not waiting and bool(numbers(text)) and numbers(text)[-1][1] == total)

    hub = hub_over(table)
    sent = numbers(asyncio.run(play()))
    shops = [shop for batch in batches for shop in batch]
    mine = [at for at, shop in enumerate(shops, 1) if subject in (None, shop)]
    assert [seq for is_change, seq in sent if is_change] == mine
    for place, (is_change, seq) in enumerate(sent):
        if not is_change:
            assert [one for one in mine if one <= seq] == [one for told, one in sent[:place] if told]


def test_a_filtered_replay_asks_for_what_passes_and_tells_how_far_it_is() -> None:
    rows = [change(seq, subject=SHOPS[seq % 200 == 0]) for seq in range(1, 1501)]
    table = Table(rows)
    client = Client(wanted=ChangeFilter(subject=SHOPS[1]), address="", at=0)
    text = asyncio.run(served(hub_over(table), table, client, until=lambda sent: b"id: %d\n" % len(rows) in sent, heartbeat_s=60))
    assert table.given == len(rows) // 200
    assert numbers(text) == [
        *[(True, 200), (True, 400), (True, 600), (False, 700)],
        *[(True, 800), (True, 1000), (True, 1200), (True, 1400)],
        (False, 1500),
    ]


def test_a_client_that_goes_during_a_write_gives_its_place_back() -> None:
    """However the two meet: as a HEAD request does, which is gone as soon as the headers are out."""
    given_back: list[bool] = []

    async def go(after: int) -> None:
        sent = 0
        gone = asyncio.Event()

        async def send(message: Any) -> None:
            nonlocal sent
            sent += 1
            if sent > after:
                gone.set()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        table = Table([change(seq) for seq in range(1, 6)])
        client = Client(wanted=ChangeFilter(), address="", at=0)
        stream = EventStream(hub_over(table), table, client, headers={}, done=lambda: given_back.append(True))  # type: ignore[arg-type]
        await asyncio.wait_for(stream({}, receive, send), 5)

    for after in range(3):
        asyncio.run(go(after))
    assert given_back == [True] * 3


def test_nothing_that_passes_the_filter_still_moves_the_last_id_at_once() -> None:
    table = Table([change(seq) for seq in range(1, 1001)])
    client = Client(wanted=ChangeFilter(grade="none"), address="", at=0)
    text = asyncio.run(served(hub_over(table), table, client, until=lambda sent: b"id: 1000\n" in sent, heartbeat_s=60))
    assert numbers(text) == [(False, 700), (False, 1000)] and table.given == 0


def test_who_follows_a_grade_hears_of_those_that_leave_it() -> None:
    came, left, other = change(1, grade="D", previous="B"), change(2, grade="E", previous="D"), change(3, grade="A", previous="B")
    assert [takes(ChangeFilter(grade="D"), frame(row)) for row in (came, left, other)] == [True, True, False]


STAY = {"since": "2026-03-10", "until": None, "reading": "R18", "event": {"id": "x"}}


def stayed(seq: int, subject: str = "fhrs:1", **more: Any) -> Row:
    return {"subject": subject, "regime": "fhrs", "seq": seq, "suspended": STAY | more}


def test_what_is_kept_back_goes_to_followers_of_every_grade_so_that_it_tells_none() -> None:
    hidden = change(1, grade=None, previous=None) | {"suspended": STAY}
    frames = [frame(hidden), suspended(stayed(1)), resumed("fhrs:1", "fhrs", change(1, grade="D"))]
    assert [takes(ChangeFilter(grade="A"), one) for one in frames] == [True] * 3
    assert [takes(ChangeFilter(grade="A", subject="fhrs:2"), one) for one in frames] == [False] * 3
    assert [takes(ChangeFilter(regime="nyc"), one) for one in frames] == [False] * 3


def told(text: bytes) -> list[str]:
    """Names of the events in a piece of a stream, in order; a number alone is a beat."""
    return [found[1].decode() if (found := re.search(rb"event: (\w+)", block)) else "beat" for block in text.split(b"\n\n") if block]


def test_where_nothing_was_ever_suspended_a_client_hears_of_changes_alone() -> None:
    table = Table([change(1)])
    hub = hub_over(table)

    async def play() -> bytes:
        await hub._pass_on()
        return await served(
            hub, table, Client(wanted=ChangeFilter(), address="", at=0), until=lambda text: b": beat" in text, heartbeat_s=0.2
        )

    assert set(told(asyncio.run(play()))) <= {"grade", "beat"}


def test_a_client_hears_once_of_all_that_is_suspended_and_then_of_what_begins_and_ends() -> None:
    table = Table([change(1), change(2, subject="fhrs:2")])
    hub = hub_over(table)

    async def play() -> bytes:
        table.stayed = [stayed(1)]
        await hub._pass_on()  # nobody listens yet
        client = Client(wanted=ChangeFilter(), address="", at=2)
        steps = [[stayed(1), stayed(2, "fhrs:2")], [stayed(1, until="2026-03-20"), stayed(2, "fhrs:2")], [stayed(2, "fhrs:2")]]
        under_way = []

        def done(text: bytes) -> bool:
            if steps and text.count(b"event: ") > len(under_way):
                table.stayed = steps.pop(0)
                under_way.append(asyncio.get_running_loop().create_task(hub._pass_on()))
            return b"event: resumed" in text

        return await served(hub, table, client, until=done, heartbeat_s=60)

    text = asyncio.run(play())
    assert [name for name in told(text) if name != "beat"] == ["suspensions", "suspended", "suspended", "resumed"]
    assert b'"items":[{"subject":"fhrs:1"' in text and b"id: " not in text.partition(b"event: suspensions")[2]
    assert b'"change":{' in text and hub.head == 2


def test_a_suspension_neither_moves_the_last_number_nor_holds_it_back() -> None:
    table = Table()
    hub = hub_over(table)
    client = Client(wanted=ChangeFilter(), address="", at=0)
    hub.join(client)
    hub._offer([suspended(stayed(1))])
    assert (hub.head, client.at, len(client.buffer)) == (0, 0, 1)
    hub._offer([frame(change(1)), suspended(stayed(1)), frame(change(2))])
    assert (hub.head, [one.seq for one in client.buffer]) == (2, [None, 1, None, 2])
