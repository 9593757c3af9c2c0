"""A new build of the projection beside the one that is read: fill it from Kafka, compare, switch. The service goes on meanwhile.

After a change of code or rulebooks the projection may have to be worked out again. Rounds of reading bring the new build up to where
the old one is; for the last and shortest of them the old build's writer waits, and then goes on writing into the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from schemas.topics import REGISTRY
from services.publication.handlers import Applied, Projector
from services.publication.ports import Place, Position, Records

SHORT_ROUND = 2_000
ROUNDS = 20
_START = Position(0, -1)


class Builds(Protocol):
    """The old build and the new one."""

    async def begin(self) -> None:
        """Make an empty new build."""

    async def keep(self) -> dict[Place, Position]:
        """Carry numbers over to the new build; durable on return. Returns the old build's positions of the same moment."""

    def writer_held(self) -> AbstractAsyncContextManager[None]:
        """Nothing is written into the old build within the block."""

    async def differences(self) -> dict[str, tuple[int, int]]:
        """By table: rows that only the old build has, rows that only the new one has; tables that are equal are absent."""

    async def switch(self) -> None:
        """The new build takes the old one's place, for its writer too; at once or not at all."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``records``: read from Kafka; ``differences``: see ``Builds``; ``switched``: False where they were not accepted."""

    records: int
    switched: bool
    differences: Mapping[str, tuple[int, int]] = field(default_factory=dict)


async def rebuild(
    builds: Builds,
    projector: Projector,
    records: Records,
    *,
    accept: bool,
    say: Callable[[str], None] = lambda line: None,
) -> Rebuilt:
    """Fill, compare, switch. ``projector`` writes into the new build; ``accept``: switch although the builds differ.

    Raises ``ConnectionError``, ``RecordsGone``, ``OtherStack``; the old build is then as it was."""
    await builds.begin()
    await projector.load()
    await records.start()
    total = Applied()
    try:
        for _ in range(ROUNDS):
            read = await _follow(projector, records, await builds.keep())
            total = total + read
            say(f"{total.records:,} records read")
            if read.records < SHORT_ROUND:
                break
        async with builds.writer_held():
            total = total + await _follow(projector, records, await builds.keep())
            found = await builds.differences()
            if found and not accept:
                return Rebuilt(total.records, False, found)
            await builds.switch()
            return Rebuilt(total.records, True, found)
    finally:
        await records.stop()


async def _follow(projector: Projector, records: Records, ends: Mapping[Place, Position]) -> Applied:
    """Apply exactly what the old build has applied: genesis and the registry first, as it did."""
    registry = {place: end for place, end in ends.items() if place[0] == REGISTRY}
    return await _read(projector, records, registry) + await _read(projector, records, ends)


async def _read(projector: Projector, records: Records, ends: Mapping[Place, Position]) -> Applied:
    total = Applied()
    left = {place for place, end in ends.items() if _next(projector, place) < end.next_offset}
    if not left:
        return total
    await records.assign({place: _next(projector, place) for place in left})
    while left:
        found = await records.poll()
        wanted = [one for one in found if one.offset < ends[(one.topic, one.partition)].next_offset]
        if wanted:
            applied = await projector.apply(wanted)
            total = total + Applied(applied.records, applied.facts, applied.changes, applied.moves, applied.rejected)
        left = {place for place in left if _next(projector, place) < ends[place].next_offset}
    return total


def _next(projector: Projector, place: Place) -> int:
    return projector.positions.get(place, _START).next_offset
