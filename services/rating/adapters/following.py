"""Follows ``mingjian.parts.v1`` for the partitions that this worker has, and settles what nothing can come before any more.

A look notes how far parts and facts go. What stood in parts at a look is settled once all that stood in facts two looks later has been
rated by the whole group: what its facts led to is in parts by then, and what came in between has been read. The looks lie a
second apart, so one event's copies, which reach the partitions within that, are not torn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from schemas import topics
from schemas.heads import PARTS
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection
from services.rating.adapters.kafka import record_of
from services.rating.adapters.rows import RowTable
from services.rating.domain.fold import Book
from services.rating.domain.parts.entries import Order
from services.rating.ports import Message, Record, Sink
from services.rating.ports import Told as TellingsAgain
from services.rating.wholes import Told, Wholes

BEHIND = 2


@dataclass(frozen=True, slots=True)
class Look:
    """``facts``: ends by partition; ``newest``: by partition of parts the last place in the order that was there."""

    facts: Mapping[int, int]
    newest: Mapping[int, Order]


class Following:
    """``books`` is the rater's own mapping; ``changed`` says to begin anew when it was changed."""

    def __init__(self, connection: Connection, *, books: Mapping[str, Book], heads: RowTable, sink: Sink, told: TellingsAgain) -> None:
        self._consumer = PositionedConsumer(connection, client_id="mingjian-rating-parts")
        self._books, self._heads, self._sink, self._told = books, heads, sink, told
        self.states: dict[int, Wholes] = {}
        self._looks: deque[Look] = deque()
        self._generation = 0

    def changed(self) -> None:
        """Other partitions, or other rulebooks: everything is read again."""
        self.states.clear()
        self._looks.clear()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def round(self, own: set[int], ends: Mapping[int, int], rated: Mapping[int, int]) -> None:
        """One look. ``ends``: of facts, asked after the round before; ``rated``: what the group has committed. Raises ``Unavailable``
        (to be tried again) and ``RecordsGone``."""
        if self._heads.rows.generation != self._generation or set(self.states) != own:
            self._generation = self._heads.rows.generation
            await self._begin(own)
        if not own:
            return
        try:
            await self._read()
            self._looks.append(Look(dict(ends), {number: one.newest for number, one in self.states.items() if one.newest}))
            await self._settle(rated)
        except BaseException:
            # What was settled here may not have gone out: from the row on again.
            self.changed()
            raise

    async def _begin(self, own: set[int]) -> None:
        self.changed()
        rows = self._heads.rows.partitions
        self.states = {number: Wholes(number, self._books, Told.of(rows.get(number, {}).get(PARTS))) for number in sorted(own)}
        if own:
            try:
                await self._consumer.start()
                await self._consumer.assign({(topics.PARTS, number): 0 for number in own})
            except BaseException:
                self.states.clear()
                raise

    async def _before(self, partition: int) -> frozenset[str]:
        """What another version told: this one has no row yet."""
        found: set[str] = set()
        end = (await self._told.ends(partition, (topics.GRADES,)))[topics.GRADES]
        async for records in self._told.read_told(topics.GRADES, partition, end):
            found.update(Wholes.already(records))
        return frozenset(found)

    async def _read(self) -> None:
        ends = await self._consumer.fetch_ends()
        while any(self.states[number].offset < end for (_, number), end in ends.items()):
            records = await self._consumer.poll()
            of: dict[int, list[Record]] = {}
            for one in records:
                of.setdefault(one.partition, []).append(record_of(one))
            for number, some in of.items():
                if refused := self.states[number].take(some):
                    await self._sink.write([], refused)

    async def _settle(self, rated: Mapping[int, int]) -> None:
        while len(self._looks) > BEHIND:
            facts = self._looks[BEHIND].facts
            if any(rated.get(number, 0) < end for number, end in facts.items()):
                return
            for number, upto in self._looks[0].newest.items():
                await self._tell(self.states[number], upto)
            self._looks.popleft()

    async def _tell(self, state: Wholes, upto: Order) -> None:
        if state.told.order is not None and upto <= state.told.order and not state.waiting:
            return
        if state.told.order is None and state.waiting:
            # Asked where there is something to tell for the first time alone: most partitions never have a whole.
            state.sent = await self._before(state.partition)
        before = (state.told.order, state.told.offset)
        messages: list[Message] = state.settle(upto)
        if messages:
            await self._sink.write([], messages)
        if messages or before != (state.told.order, state.told.offset):
            await self._sink.write([state.row()], [])

    @property
    def waiting(self) -> int:
        """Entries that wait to be settled."""
        return sum(one.waiting for one in self.states.values())

    @property
    def failed(self) -> int:
        """Wholes whose grades can't be worked out."""
        return sum(len(one.failed) for one in self.states.values())
