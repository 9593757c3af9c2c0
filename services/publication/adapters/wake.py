"""PostgreSQL's NOTIFY, so that the stream hears of a commit at once; without it the stream looks every second."""

from __future__ import annotations

import asyncio
import logging

import psycopg

from services.publication.adapters.postgres_store import NOTIFY_CHANNEL

log = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0


class PostgresWake:
    """``Wake`` on LISTEN. Any process that reads this database is woken, whoever wrote."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._news = asyncio.Event()

    async def wait(self) -> None:
        """Return when something was committed, or after a second."""
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is opened again."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5)
                async with connection:
                    await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    self._news.set()
                    async for _ in connection.notifies():
                        self._news.set()
            except psycopg.Error as error:
                log.warning("stream: listening failed, trying again: %s", type(error).__name__)
            await asyncio.sleep(_LOOK_EVERY_S)
