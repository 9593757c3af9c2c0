"""What is there of the facts that a request names: by one look at the table, and what is on its way there by memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from services.intake.domain.standing import Facts, asks, final, mentions
from services.intake.ports import Kept, Row, Store, StoreUnavailable

_RECENT = 20_000


class KnownFacts:
    """One for a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Of the last while, whether they are in the table by now or not.
        self._recent, self._latest = Facts(), deque[Row]()

    async def of(self, events: Sequence[Any]) -> tuple[Facts, ...] | None:
        """The facts to judge these by; None where the table can't be looked at. It is, where one of them asks for something."""
        asking = [event for event in events if asks(event)]
        if not asking:
            return (self._recent,)
        mentioned = {(event["subject"], one.id) for event in asking for one in mentions(event)}
        finals = {(event["subject"], year) for event in asking if (year := final(event))}
        try:
            return Facts.of(await self._store.standing(sorted(mentioned), sorted(finals))), self._recent
        except StoreUnavailable:
            return None

    def offered(self, row: Row, kept: asyncio.Future[Kept]) -> None:
        """From now on later events may name it: they are stored after it, or not at all."""
        one = row.known
        if one is None:
            return

        def settled(done: asyncio.Future[Kept]) -> None:
            if done.cancelled() or done.exception() or done.result().event_hash != row.event_hash:
                self._recent.drop(one)

        self._recent.add(one)
        self._latest.append(row)
        kept.add_done_callback(settled)
        if len(self._latest) > _RECENT and (oldest := self._latest.popleft().known):
            self._recent.drop(oldest)
