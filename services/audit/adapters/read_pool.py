"""Connections for those who only look: few, so that whoever asks, however often, leaves PostgreSQL to those who write.

Beyond ``_MOST`` questions at once a question waits; beyond ``_WAITING`` of those, or longer than ``_WAIT_S``, it is refused:
``psycopg.OperationalError``, which the addresses answer with 503.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

_MOST = 4
_WAITING = 64
_WAIT_S = 2.0
_ANSWER_MS = 5_000


class ReadPool:
    """Read only and for short questions. ``open`` first; the database need not be there yet. ``dsn``: audit's own."""

    def __init__(self, dsn: str, *, most: int = _MOST, waiting: int = _WAITING, wait_s: float = _WAIT_S) -> None:
        options = f"-c default_transaction_read_only=on -c statement_timeout={_ANSWER_MS}"
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=most,
            max_waiting=waiting,
            timeout=wait_s,
            open=False,
            kwargs={"options": options, "autocommit": True, "connect_timeout": 5, "application_name": "mingjian-audit-read"},
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        """Start the pool."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End the pool."""
        await self._pool.close(timeout=2.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection for one question. Raises ``psycopg.OperationalError``."""
        async with self._pool.connection() as connection:
            yield connection
